// A generator's light and dark laid over flats; sketch2paint/inference/shading.py and flats.py
// again.

import { lightnesses, toLab } from "./colours.js";
import { exactDistance } from "./distance.js";
import { bincount, cumulated, rint } from "./numbers.js";

const RIM = 1 / 40; // of the shorter side: so far from a line shading is whole
const SAMPLED = 2 ** 20; // pixels of which medians are taken

/**
 * Flats with the light and dark of what a generator made, (height x width x 3).
 * @param {import("./regions.js").Regions} regions
 * @param {import("./regions.js").Labels} index row of the table that each pixel takes
 * @param {Uint8Array} table RGB
 * @param {Uint8Array} base the generator's colours, without lines
 */
export function laidOver({ width, height, ink }, index, table, base) {
  const light = lightnesses(base);
  const own = toLab(table).filter((_, n) => n % 3 === 0);
  const middle = medians(light, { index, ink, width, height }, table.length / 3);
  const behind = background(index, width, height, table.length / 3);
  const far = exactDistance(
    ink.map((line, i) => (line || behind[index[i]] ? 0 : 1)),
    width,
    height,
  );
  const grown = RIM * Math.min(width, height);
  const out = new Uint8Array(3 * index.length);
  for (let i = 0, at = 0; i < index.length; i++, at += 3) {
    const row = index[i];
    const share = Math.min(far[i] / grown, 1);
    setShaded(out, at, table, 3 * row, shift((light[i] - middle[row]) / 2.55, own[row]), share);
  }
  return out;
}

/**
 * Share of the way to white, or below 0 to black, that lightness goes.
 * @param {number} more of lightness, in Lab
 * @param {number} own lightness of the colour
 */
function shift(more, own) {
  const room = Math.max(more < 0 ? own : 100 - own, 1);
  return Math.min(Math.max(more / room, -1), 1);
}

/**
 * All channels go the same share of the way to black or white, so that medians stay.
 * @param {Uint8Array} out
 * @param {number} at
 * @param {Uint8Array} table
 * @param {number} row
 * @param {number} way
 * @param {number} share of the shading that is laid over
 */
function setShaded(out, at, table, row, way, share) {
  const isWhite = table[row] + table[row + 1] + table[row + 2] === 765;
  const goal = way < 0 ? 0 : 255;
  for (let n = 0; n < 3; n++) {
    const flat = table[row + n];
    const shaded = isWhite ? flat : rint(flat + Math.abs(way) * (goal - flat));
    out[at + n] = rint(flat + share * (shaded - flat));
  }
}

/**
 * Which rows touch two sides of the sheet: there a generator shades the rim. 1 for each of them.
 * @param {import("./regions.js").Labels} index
 * @param {number} width
 * @param {number} height
 * @param {number} count of rows
 */
export function background(index, width, height, count) {
  const touched = new Uint8Array(count);
  const side = (/** @type {number} */ start, /** @type {number} */ step, /** @type {number} */ n) =>
    new Set(Array.from({ length: n }, (_, k) => index[start + k * step]));
  const last = (height - 1) * width;
  const sides = [side(0, 1, width), side(last, 1, width)];
  sides.push(side(0, width, height), side(width - 1, width, height));
  for (const rows of sides) for (const row of rows) touched[row]++;
  return touched.map((sidesOf) => (sidesOf > 1 ? 1 : 0));
}

/**
 * Medians of levels over the free pixels of each row; of all its pixels where none is free.
 * @param {Uint8Array} levels
 * @param {{ index: import("./regions.js").Labels, ink: Uint8Array, width: number, height: number }} where
 * @param {number} count of rows
 */
function medians(levels, { index, ink, width, height }, count) {
  const step = Math.max(1, Math.ceil(Math.sqrt(index.length / SAMPLED)));
  const sampled = [];
  for (let y = 0; y < height; y += step) {
    for (let x = 0; x < width; x += step) if (!ink[y * width + x]) sampled.push(y * width + x);
  }
  const found = new Uint8Array(count);
  const there = setMedians(found, levels, index, sampled);
  const missed = [];
  for (let i = 0; i < index.length; i++) if (!there[index[i]]) missed.push(i);
  setMedians(found, levels, index, missed);
  return found;
}

/**
 * Set the medians of the rows that some pixels take; how many pixels each row has there.
 * @param {Uint8Array} found
 * @param {Uint8Array} levels
 * @param {import("./regions.js").Labels} index
 * @param {number[]} pixels
 */
function setMedians(found, levels, index, pixels) {
  const rows = Int32Array.from(pixels, (i) => index[i]);
  const sizes = bincount(rows, found.length);
  const ends = cumulated(sizes);
  const sorted = new Uint8Array(pixels.length);
  const next = ends.map((end, row) => end - sizes[row]);
  pixels.forEach((i, n) => {
    sorted[next[rows[n]]++] = levels[i];
  });
  sizes.forEach((size, row) => {
    if (size) found[row] = sorted.subarray(ends[row] - size, ends[row]).sort()[size >> 1];
  });
  return sizes;
}
