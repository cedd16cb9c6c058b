// A painted overlay taken apart: which pixels belong to which stroke, whatever blends them;
// sketch2paint/hints/areas.py again.

import { connected } from "./components.js";
import { extreme } from "./filters.js";
import { PairTable } from "./pairs.js";
import { partsOf } from "./runs.js";
import { root, singles, unite } from "./sets.js";

const COUNTS = 128; // alpha from which a pixel counts
const NEAR = 20; // levels of a channel; colours nearer than that are one, where they are blended
const SPECK = 64; // pixels of a part that noise may have made, if its colour is not far off
const FLAT = 12; // levels that noise may vary by, averaged, where a stroke shows its own colour

/**
 * @typedef {{ red: Uint8Array, green: Uint8Array, blue: Uint8Array, opaque: Uint8Array,
 *   width: number, height: number }} Overlay
 * @typedef {{ mask: Uint8Array, width: number, height: number, x: number, y: number }} Area
 */

/**
 * Take a painted overlay apart into strokes, in the order of their first pixels.
 * @param {ArrayLike<number>} rgba
 * @param {number} width
 * @param {number} height
 * @returns {Area[]}
 */
export function areasOf(rgba, width, height) {
  const { overlay, isSoft } = channels(rgba, width, height);
  const blended = isSoft ? overlay.opaque : blendedIn(overlay);
  const kinds = new Int32Array(overlay.opaque.length);
  for (let i = 0; i < kinds.length; i++) {
    if (overlay.opaque[i]) kinds[i] = codeAt(overlay, i) + 1; // above 0, for black too
  }
  if (blended.includes(1)) {
    const found = kindsOf(overlay, blended);
    for (let i = 0; i < kinds.length; i++) if (blended[i]) kinds[i] = 2 ** 24 + found[i];
  }
  return masksOf(kinds, width, height);
}

/** @param {ArrayLike<number>} rgba @param {number} width @param {number} height */
function channels(rgba, width, height) {
  const [red, green, blue, opaque] = Array.from(
    { length: 4 },
    () => new Uint8Array(width * height),
  );
  let isSoft = false;
  for (let i = 0, p = 0; i < opaque.length; i++, p += 4) {
    red[i] = rgba[p];
    green[i] = rgba[p + 1];
    blue[i] = rgba[p + 2];
    opaque[i] = rgba[p + 3] >= COUNTS ? 1 : 0;
    if (rgba[p + 3] > 0 && rgba[p + 3] < 255) isSoft = true;
  }
  return { overlay: { red, green, blue, opaque, width, height }, isSoft };
}

/** @param {Overlay} overlay @param {number} i */
function codeAt({ red, green, blue }, i) {
  return (red[i] << 16) | (green[i] << 8) | blue[i];
}

/**
 * Largest difference of a channel between two pixels.
 * @param {Overlay} overlay
 * @param {number} i
 * @param {number} j
 */
function apart({ red, green, blue }, i, j) {
  return Math.max(
    Math.abs(red[i] - red[j]),
    Math.abs(green[i] - green[j]),
    Math.abs(blue[i] - blue[j]),
  );
}

/**
 * Call for all neighbours, across and down.
 * @param {{ width: number, height: number }} size
 * @param {(one: number, other: number) => void} see
 */
function eachNeighbours({ width, height }, see) {
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      if (x < width - 1) see(i, i + 1);
      if (y < height - 1) see(i, i + width);
    }
  }
}

/**
 * Where what hangs together has neighbours of near colours that are not the same.
 * @param {Overlay} overlay
 */
function blendedIn(overlay) {
  const { labels, count } = connected(overlay.opaque, overlay.width, overlay.height);
  const blended = new Uint8Array(count);
  eachNeighbours(overlay, (i, j) => {
    if (!overlay.opaque[i] || !overlay.opaque[j]) return;
    const far = apart(overlay, i, j);
    if (far > 0 && far <= NEAR) blended[labels[i]] = 1;
  });
  return Uint8Array.from(labels, (label) => blended[label]);
}

/**
 * Mask and corner of each connected part of one kind.
 * @param {Int32Array} kinds
 * @param {number} width
 * @param {number} height
 */
function masksOf(kinds, width, height) {
  const { runs, numbers, count } = partsOf(kinds, width, height);
  /** @type {number[][]} */
  const members = Array.from({ length: count }, () => []);
  numbers.forEach((part, run) => {
    members[part].push(run);
  });
  return members.map((chosen) => {
    const x = chosen.reduce((least, run) => Math.min(least, runs.start[run]), Infinity);
    const stop = chosen.reduce((most, run) => Math.max(most, runs.stop[run]), 0);
    const y = runs.y[chosen[0]];
    const size = { width: stop - x, height: runs.y[chosen[chosen.length - 1]] - y + 1 };
    const mask = new Uint8Array(size.width * size.height);
    for (const run of chosen) {
      const row = (runs.y[run] - y) * size.width - x;
      mask.fill(1, row + runs.start[run], row + runs.stop[run]);
    }
    return { mask, ...size, x, y };
  });
}

/**
 * Kinds of an overlay with blended colours: where a stroke is flat it shows its colour; from there
 * it grows over its noise and its edges.
 * @param {Overlay} overlay
 * @param {Uint8Array} where
 */
function kindsOf(overlay, where) {
  const soft = { ...overlay, opaque: where };
  const smooth = smoothed(soft);
  const flat = flatIn(smooth);
  const { labels: kinds, count } = connected(flat, overlay.width, overlay.height);
  const colours = meansOf(smooth, kinds, count + 1);
  for (const reach of [NEAR, 255]) grow(kinds, soft, where, colours, reach); // its own pixels first
  for (let i = 0; i < kinds.length; i++) if (where[i] && !kinds[i]) kinds[i] = count;
  const merged = mergedKinds(kinds, soft, colours);
  growOverSpecks(merged, soft, colours);
  return merged;
}

/** Means over 3x3 of the pixels that count. @param {Overlay} overlay @returns {Overlay} */
function smoothed(overlay) {
  const { opaque, width, height } = overlay;
  const [red, green, blue] = [overlay.red, overlay.green, overlay.blue].map((channel) => {
    const sums = sumsOfNine(channel, opaque, width, height);
    return Uint8Array.from(sums.sums, (sum, i) => Math.floor(sum / Math.max(sums.counts[i], 1)));
  });
  return { ...overlay, red, green, blue };
}

/**
 * @param {Uint8Array} values
 * @param {Uint8Array} where
 * @param {number} width
 * @param {number} height
 */
function sumsOfNine(values, where, width, height) {
  const mirror = (/** @type {number} */ at, /** @type {number} */ length) =>
    length === 1 ? 0 : at < 0 ? 1 : at >= length ? length - 2 : at;
  const sums = new Int32Array(values.length);
  const counts = new Int32Array(values.length);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      for (let dy = -1; dy <= 1; dy++) {
        for (let dx = -1; dx <= 1; dx++) {
          const there = mirror(y + dy, height) * width + mirror(x + dx, width);
          if (!where[there]) continue;
          sums[i] += values[there];
          counts[i]++;
        }
      }
    }
  }
  return { sums, counts };
}

/** Where a stroke shows its own colour. @param {Overlay} smooth */
function flatIn({ red, green, blue, opaque, width, height }) {
  const flat = opaque.slice();
  for (const channel of [red, green, blue]) {
    const high = channel.map((level, i) => (opaque[i] ? level : 0));
    const low = channel.map((level, i) => (opaque[i] ? level : 255));
    const most = extreme(high, width, height, 2);
    const least = extreme(low, width, height, 2, true);
    for (let i = 0; i < flat.length; i++) if (most[i] - least[i] > FLAT) flat[i] = 0;
  }
  return flat;
}

/**
 * Mean colour of each kind, (count x 3).
 * @param {Overlay} overlay
 * @param {Int32Array} kinds
 * @param {number} count
 */
function meansOf({ red, green, blue }, kinds, count) {
  const sums = new Float64Array(3 * count);
  const pixels = new Int32Array(count);
  kinds.forEach((kind, i) => {
    pixels[kind]++;
    sums[3 * kind] += red[i];
    sums[3 * kind + 1] += green[i];
    sums[3 * kind + 2] += blue[i];
  });
  return Int32Array.from(sums, (sum, at) => sum / Math.max(pixels[Math.floor(at / 3)], 1));
}

/**
 * Kinds where those that touch and have near colours are one.
 * @param {Int32Array} kinds
 * @param {Overlay} overlay
 * @param {Int32Array} colours
 */
function mergedKinds(kinds, overlay, colours) {
  const beside = new PairTable();
  eachNeighbours(overlay, (i, j) => {
    if (kinds[i] && kinds[j] && kinds[i] !== kinds[j]) beside.place(kinds[i], kinds[j]);
  });
  const parents = singles(colours.length / 3);
  for (let pair = 0; pair < beside.count; pair++) {
    const [one, other] = [beside.lows()[pair], beside.highs()[pair]];
    const far = [0, 1, 2].map((n) => Math.abs(colours[3 * one + n] - colours[3 * other + n]));
    if (Math.max(...far) <= NEAR) unite(parents, one, other);
  }
  return kinds.map((kind) => root(parents, kind));
}

/**
 * Give small parts to what surrounds them, unless their colour is a very different one.
 * @param {Int32Array} kinds
 * @param {Overlay} overlay
 * @param {Int32Array} colours
 */
function growOverSpecks(kinds, overlay, colours) {
  const { runs, numbers, count } = partsOf(kinds, overlay.width, overlay.height);
  const sizes = new Int32Array(count);
  numbers.forEach((part, run) => {
    sizes[part] += runs.stop[run] - runs.start[run];
  });
  const before = kinds.slice();
  const specks = new Uint8Array(kinds.length);
  numbers.forEach((part, run) => {
    if (sizes[part] >= SPECK) return;
    const row = runs.y[run] * overlay.width;
    specks.fill(1, row + runs.start[run], row + runs.stop[run]);
    kinds.fill(0, row + runs.start[run], row + runs.stop[run]);
  });
  grow(kinds, overlay, specks, colours, 3 * NEAR);
  for (let i = 0; i < kinds.length; i++) if (!kinds[i]) kinds[i] = before[i];
}

/**
 * Give pixels without a kind that of the neighbour whose colour is nearest, within reach, in place.
 * @param {Int32Array} kinds
 * @param {Overlay} overlay
 * @param {Uint8Array} where
 * @param {Int32Array} colours
 * @param {number} reach
 */
function grow(kinds, overlay, where, colours, reach) {
  let places = [];
  for (let i = 0; i < kinds.length; i++) if (where[i] && !kinds[i]) places.push(i);
  while (places.length) {
    const found = places.map((place) => nearestKind(kinds, overlay, colours, place, reach));
    const next = new Set();
    places.forEach((place, n) => {
      if (found[n]) kinds[place] = found[n];
    });
    places.forEach((place, n) => {
      if (!found[n]) return; // for nobody else has a neighbour changed
      for (const there of around(place, overlay))
        if (where[there] && !kinds[there]) next.add(there);
    });
    places = [...next];
  }
}

/** @param {number} place @param {Overlay} overlay */
function around(place, { width, height }) {
  const [x, y] = [place % width, Math.floor(place / width)];
  const found = [];
  for (let dy = -1; dy <= 1; dy++) {
    for (let dx = -1; dx <= 1; dx++) {
      const inside = x + dx >= 0 && x + dx < width && y + dy >= 0 && y + dy < height;
      if (inside && (dx || dy)) found.push(place + dy * width + dx);
    }
  }
  return found;
}

/**
 * @param {Int32Array} kinds
 * @param {Overlay} overlay
 * @param {Int32Array} colours
 * @param {number} place
 * @param {number} reach
 */
function nearestKind(kinds, overlay, colours, place, reach) {
  let [best, least] = [0, reach + 1];
  const levels = [overlay.red[place], overlay.green[place], overlay.blue[place]];
  for (const there of around(place, overlay)) {
    const kind = kinds[there];
    if (!kind) continue;
    const far = Math.max(...levels.map((level, n) => Math.abs(level - colours[3 * kind + n])));
    if (far < least) [best, least] = [kind, far];
  }
  return best;
}
