// The colours of a palette, and which one each object gets; sketch2paint/models/paints.py again.

import { toLab } from "./colours.js";
import { rint } from "./numbers.js";

const WISH = 0.6; // weight of a palette's portions beside the surprise at an object's colour
const LEAST = 0.02; // of the coloured area: with less, a colour of the palette counts as missing
const TURNS = 6; // in which objects reconsider; few ever need the last

/**
 * Colours to choose from: paper, the palette's `entries`, then what a person gave.
 * @typedef {{ colours: Uint8Array, entries: number, column: Int32Array }} Paints `column`: number of
 *   the paint that each column of the network's shares speaks for
 */

/**
 * @param {Uint8Array} named the network's K colours, white first
 * @param {Uint8Array} given colours of the N words; white where they are not known
 * @param {Uint8Array} palette M colours
 * @returns {Paints}
 */
export function paintsOf(named, given, palette) {
  const colours = [[255, 255, 255], ...triples(palette)];
  /** @type {Map<string, number>} */
  const places = new Map();
  colours.forEach((colour, n) => {
    places.set(`${colour}`, n);
  });
  const ofGiven = triples(given).map((colour) => {
    const place = places.get(`${colour}`) ?? colours.push(colour) - 1;
    places.set(`${colour}`, place);
    return place;
  });
  const entries = palette.length / 3;
  const nearest = nearestOf(toLab(named.subarray(3)), toLab(palette));
  const own = Array.from({ length: entries }, (_, n) => n + 1);
  const column = Int32Array.from([0, ...nearest.map((n) => n + 1), ...ofGiven, ...own]);
  return { colours: Uint8Array.from(colours.flat()), entries, column };
}

/** @param {Uint8Array} rgb */
function triples(rgb) {
  return Array.from({ length: rgb.length / 3 }, (_, n) => [...rgb.subarray(3 * n, 3 * n + 3)]);
}

/** Number of the nearest of other colours for each one. @param {Float32Array} one @param {Float32Array} other */
function nearestOf(one, other) {
  return Array.from({ length: one.length / 3 }, (_, n) => {
    let [best, least] = [0, Infinity];
    for (let m = 0; m < other.length / 3; m++) {
      const away = Math.hypot(...[0, 1, 2].map((c) => one[3 * n + c] - other[3 * m + c]));
      if (away < least) [best, least] = [m, away];
    }
    return best;
  });
}

/**
 * The shares of a network's columns as those of the paints, (N x C).
 * @param {Float32Array} shares
 * @param {Paints} paints
 */
export function byPaint(shares, { colours, column }) {
  const count = shares.length / column.length;
  const across = colours.length / 3;
  const pooled = new Float32Array(count * across);
  for (let n = 0; n < count; n++) {
    for (let k = 0; k < column.length; k++) {
      pooled[n * across + column[k]] += shares[n * column.length + k];
    }
  }
  return pooled;
}

/**
 * A paint for each object: the likeliest, or another so that more of the palette is used.
 * @param {Float32Array} shares of each paint for each object, (G x C)
 * @param {Float32Array | Float64Array} areas of the objects
 * @param {Float32Array} wanted portions of the palette's entries, the paints from number 1 on
 */
export function choose(shares, areas, wanted) {
  const entries = wanted.length;
  const across = shares.length / areas.length;
  const row = (/** @type {number} */ n) => shares.subarray(n * across, (n + 1) * across);
  const chosen = Int32Array.from(areas, (_, n) => row(n).indexOf(Math.max(...row(n))));
  const isMoving = (/** @type {number} */ n) => chosen[n] > 0 && chosen[n] <= entries;
  const moving = [...chosen.keys()].filter(isMoving);
  const total = moving.reduce((sum, n) => sum + areas[n], 0);
  if (entries < 2 || !total) return chosen;
  const used = new Float64Array(entries);
  for (const n of moving) used[chosen[n] - 1] += areas[n] / total;
  const order = moving.sort((one, other) => areas[other] - areas[one] || one - other);
  for (let turn = 0; turn < TURNS; turn++) {
    let isSame = true;
    for (const n of order) {
      const weight = areas[n] / total;
      used[chosen[n] - 1] -= weight;
      const next = 1 + leastSurprise(row(n), used, weight, wanted);
      used[next - 1] += weight;
      if (next !== chosen[n]) isSame = false;
      chosen[n] = next;
    }
    if (isSame) break;
  }
  return chosen;
}

/**
 * Number of the entry with the least surprise plus divergence of the areas from the wanted ones.
 * @param {Float32Array} shares of the paints
 * @param {Float64Array} used areas of the entries without this object
 * @param {number} weight area of this object
 * @param {Float32Array} wanted
 */
function leastSurprise(shares, used, weight, wanted) {
  const gain = (/** @type {number} */ area) =>
    Math.log(area + weight + LEAST) - Math.log(area + LEAST);
  const costs = Array.from(
    used,
    (area, n) => -Math.log(shares[n + 1] + 1e-4) * weight - WISH * wanted[n] * gain(area),
  );
  return costs.indexOf(Math.min(...costs));
}

/**
 * The portions of a palette's entries that a drawing is to have: those that are told, or equal ones.
 * @param {Float32Array} portions 0 where nothing is told
 */
export function wantedOf(portions) {
  const sum = portions.reduce((before, portion) => before + portion, 0);
  return portions.map((portion) => (sum ? portion / sum : 1 / portions.length));
}

/** A network's colours, -1 to 1, as levels. @param {number[][]} colours */
export function levelsOf(colours) {
  const levels = colours.flat().map((value) => rint((value + 1) * 127.5));
  return Uint8Array.from(levels, (level) => Math.min(Math.max(level, 0), 255));
}
