// What a network is told of a drawing's regions; sketch2paint/hints/words.py again.

import { stepDistance } from "./distance.js";
import { spread } from "./fill.js";
import { clamp } from "./numbers.js";
import { DEFAULT_GAP } from "./regions.js";
import { fitWithin } from "./resize.js";
import { root, singles, unite } from "./sets.js";

/** @typedef {import("./regions.js").Regions} Regions */

const MOST = 1024; // regions that become words; a page of hatching has more
export const ABOUT = 9; // numbers for a region
export const PAIR = 8; // numbers for a pair
const DEEPEST = 0.25; // of the side: no line is further away than that

/**
 * A drawing's regions as words, the largest first.
 * @typedef {{ regions: Int32Array, labels: Int16Array, areas: Int32Array, about: Float32Array,
 *   pairs: Float32Array, width: number, height: number }} Words
 */

/** Turn regions into words. @param {Regions} regions @returns {Words} */
export function wordsOf(regions) {
  const { areas, width, height } = regions;
  const order = Array.from(areas.keys()).filter((region) => areas[region] > 0);
  order.sort((one, other) => areas[other] - areas[one] || one - other);
  const chosen = Int32Array.from(order.slice(0, MOST));
  const place = new Int32Array(regions.count).fill(-1);
  chosen.forEach((region, word) => {
    place[region] = word;
  });
  const labels = new Int16Array(regions.labels.length);
  for (let i = 0; i < labels.length; i++) labels[i] = place[regions.labels[i]];
  const wordAreas = chosen.map((region) => areas[region]);
  const about = aboutOf(labels, regions.ink, width, height, wordAreas);
  const pairs = pairsOf(regions, place, labels, about, chosen.length);
  return { regions: chosen, labels, areas: wordAreas, about, pairs, width, height };
}

/**
 * Map of the words at the size that a network reads, (side, side); -1 for none. A word keeps at
 * least one pixel, however small it is.
 * @param {Words} words
 * @param {number} side
 */
export function labelsOnSquare(words, side) {
  const [width, height] = fitWithin(words.width, words.height, side, true);
  const [left, top] = [(side - width) >> 1, (side - height) >> 1];
  const square = new Int32Array(side * side).fill(-1);
  const seen = new Uint8Array(words.regions.length);
  for (let y = 0; y < height; y++) {
    const row = Math.floor(((y + 0.5) * words.height) / height) * words.width;
    for (let x = 0; x < width; x++) {
      const word = words.labels[row + Math.floor(((x + 0.5) * words.width) / width)];
      square[(top + y) * side + left + x] = word;
      if (word >= 0) seen[word] = 1;
    }
  }
  const f = Math.fround;
  seen.forEach((there, word) => {
    if (there) return;
    const [x, y] = [0, 1].map((axis) => {
      const away = Math.trunc(f(f(words.about[word * ABOUT + axis] / 2) * side));
      return clamp((side >> 1) + away, 0, side - 1);
    });
    square[y * side + x] = word;
  });
  return square;
}

/**
 * The word whose colour each region takes: its own, or that to which the way has the widest
 * opening; -1 where no way leads to one.
 * @param {Regions} regions
 * @param {Pick<Words, "regions">} words
 */
export function wordOfAll(regions, words) {
  const taken = new Int32Array(regions.count);
  words.regions.forEach((region, word) => {
    taken[region] = word + 1;
  });
  return spread(regions, new Int32Array(regions.count), taken).map((word) => word - 1);
}

/**
 * @param {Int16Array} labels
 * @param {Uint8Array} ink
 * @param {number} width
 * @param {number} height
 * @param {Int32Array} areas
 */
function aboutOf(labels, ink, width, height, areas) {
  const [side, count] = [Math.max(width, height), areas.length];
  const sums = sumsOf(labels, ink, width, height, count);
  const about = new Float32Array(count * ABOUT);
  for (let word = 0; word < count; word++) {
    const at = word * ABOUT;
    const area = areas[word];
    const [x, y] = [sums.x[word] / area, sums.y[word] / area];
    about[at] = x;
    about[at + 1] = y;
    about[at + 2] = Math.sqrt(Math.max(sums.xx[word] / area - x ** 2, 1e-6));
    about[at + 3] = Math.sqrt(Math.max(sums.yy[word] / area - y ** 2, 1e-6));
    about[at + 4] = Math.log2(area / side ** 2) / 7 + 1;
    about[at + 5] = (12 * sums.depth[word]) / area / side;
    about[at + 6] = Math.sqrt(sums.rim[word] / side);
    about[at + 7] = Math.log2(Math.max(count, 1)) / 10;
    about[at + 8] = 1;
  }
  return about;
}

/**
 * Sums over each word's pixels: places and their squares, depth, and pixels on the sheet's border.
 * @param {Int16Array} labels
 * @param {Uint8Array} ink
 * @param {number} width
 * @param {number} height
 * @param {number} count
 */
function sumsOf(labels, ink, width, height, count) {
  const side = Math.max(width, height);
  const depths = stepDistance(
    ink.map((on) => 1 - on),
    width,
    height,
  );
  const deepest = Math.fround(DEEPEST * side);
  const [x, y, xx, yy, depth, rim] = Array.from({ length: 6 }, () => new Float64Array(count));
  const columns = placesAlong(width, side);
  const rows = placesAlong(height, side);
  for (let row = 0, i = 0; row < height; row++) {
    const isEdge = row === 0 || row === height - 1;
    for (let column = 0; column < width; column++, i++) {
      const word = labels[i];
      if (word < 0) continue;
      x[word] += columns.place[column];
      y[word] += rows.place[row];
      xx[word] += columns.square[column];
      yy[word] += rows.square[row];
      depth[word] += Math.min(depths[i], deepest);
      if (isEdge) rim[word]++;
      if (column === 0 || column === width - 1) rim[word]++;
      if (isEdge && height === 1) rim[word]++;
      if (column === 0 && width === 1) rim[word]++;
    }
  }
  return { x, y, xx, yy, depth, rim };
}

/**
 * Places from the middle in halves of the side, and their squares.
 * @param {number} length
 * @param {number} side
 */
function placesAlong(length, side) {
  const place = new Float32Array(length);
  const scale = Math.fround(2 / side);
  for (let n = 0; n < length; n++) place[n] = (n - (length - 1) / 2) * scale;
  return { place, square: place.map((value) => value * value) };
}

/**
 * @param {Regions} regions
 * @param {Int32Array} place word of each region, or -1
 * @param {Int16Array} labels
 * @param {Float32Array} about
 * @param {number} count
 */
function pairsOf(regions, place, labels, about, count) {
  const { width, height } = regions;
  const pairs = new Float32Array(count * count * PAIR);
  const borders = bordersOf(labels, regions.ink, width, count);
  const openings = openingsOf(regions, place, count);
  const f = Math.fround;
  const side = Math.max(width, height);
  const gap = f(DEFAULT_GAP * Math.min(width, height));
  for (let i = 0, at = 0, pair = 0; i < count; i++) {
    for (let j = 0; j < count; j++, pair++, at += PAIR) {
      const x = f(about[i * ABOUT] - about[j * ABOUT]);
      const y = f(about[i * ABOUT + 1] - about[j * ABOUT + 1]);
      pairs[at] = x;
      pairs[at + 1] = y;
      pairs[at + 2] = about[i * ABOUT + 4] - about[j * ABOUT + 4];
      pairs[at + 3] = Math.sqrt(x * x + y * y);
      pairs[at + 4] = 3 * f(Math.sqrt(f(borders.all[pair] / side)));
      pairs[at + 5] = 3 * f(Math.sqrt(f(borders.open[pair] / side)));
      pairs[at + 6] = openings[pair] > 0 ? 1 : 0;
      pairs[at + 7] = Math.sqrt(Math.min(f(openings[pair] / gap), 2));
    }
  }
  return pairs;
}

/**
 * Pixels on which each two words touch, and those where neither is a line.
 * @param {Int16Array} labels
 * @param {Uint8Array} ink
 * @param {number} width
 * @param {number} count
 */
function bordersOf(labels, ink, width, count) {
  const all = new Int32Array(count * count);
  const open = new Int32Array(count * count);
  const see = (/** @type {number} */ i, /** @type {number} */ j) => {
    const [one, other] = [labels[i], labels[j]];
    if (one === other || one < 0 || other < 0) return;
    all[one * count + other]++;
    all[other * count + one]++;
    if (ink[i] || ink[j]) return;
    open[one * count + other]++;
    open[other * count + one]++;
  };
  for (let start = 0; start < labels.length; start += width) {
    for (let i = start; i < start + width - 1; i++) see(i, i + 1);
  }
  for (let i = 0; i < labels.length - width; i++) see(i, i + width);
  return { all, open };
}

/**
 * The narrowest opening on the widest way between each two words in px; 0: there is none.
 * @param {Regions} regions
 * @param {Int32Array} place
 * @param {number} count
 */
function openingsOf(regions, place, count) {
  const openings = new Float32Array(count * count);
  for (let word = 0; word < count; word++) openings[word * count + word] = Infinity;
  const parents = singles(place.length);
  /** @type {number[][]} */
  const members = Array.from(place, (word) => (word >= 0 ? [word] : []));
  regions.openings.forEach((width, j) => {
    const one = root(parents, regions.joins[2 * j]); // widest first: two sets become one
    const other = root(parents, regions.joins[2 * j + 1]);
    if (one === other) return;
    for (const here of members[one]) {
      for (const there of members[other]) {
        openings[here * count + there] = openings[there * count + here] = width;
      }
    }
    unite(parents, one, other);
    members[Math.min(one, other)] = members[one].concat(members[other]);
    members[Math.max(one, other)] = [];
  });
  return openings;
}
