// Where a drawing's lines are.

import { connected } from "./components.js";
import { isRidge, stepDistance } from "./distance.js";
import { boxBlur, extreme } from "./filters.js";
import { bincount, cumulated, median, percentile, rint, searchSorted } from "./numbers.js";
import { linear, shrunk } from "./resize.js";

const LOW = 0.37; // of the strongest lines' darkness: part of a line
const HIGH = 0.6; // of it: what each line reaches
const SPECK = 0.5; // of a line's thickness squared: smaller ink is noise
const AROUND = 31; // of 256 px of the shorter side: what a line is darker than
export const GRAIN = 32; // levels by which paper's own grain is darker than its surroundings at most

/**
 * Lines, which are darker than their surroundings or nearly black, as a mask of 1 and 0.
 * @param {Uint8Array} sketch
 * @param {number} width
 * @param {number} height
 */
export function inkOf(sketch, width, height) {
  const { paper, black } = paperOf(sketch, width, height);
  const darker = paper;
  const counts = new Int32Array(256);
  for (let i = 0; i < darker.length; i++) {
    darker[i] = paper[i] > sketch[i] ? paper[i] - sketch[i] : 0;
    counts[darker[i]]++;
  }
  const ink = new Uint8Array(sketch.length);
  counts.fill(0, 0, GRAIN);
  const total = cumulated(counts);
  if (total[255] === 0) return ink;
  const strong = searchSorted(total, 0.9 * total[255]);
  const [least, sure] = [Math.max(GRAIN, LOW * strong), HIGH * strong];
  const dark = new Uint8Array(sketch.length);
  for (let i = 0; i < ink.length; i++) {
    if (darker[i] >= least || sketch[i] < black) {
      ink[i] = 1;
      if (darker[i] >= sure) dark[i] = 1;
    }
  }
  return withoutSpecks(ink, dark, width, height);
}

/**
 * The paper's grey at each pixel, and the grey below which all is ink.
 * @param {Uint8Array} sketch
 * @param {number} width
 * @param {number} height
 */
function paperOf(sketch, width, height) {
  const scale = Math.min(1, 256 / Math.min(width, height));
  const w = Math.max(1, rint(width * scale));
  const h = Math.max(1, rint(height * scale));
  const small = w === width && h === height ? sketch : shrunk(sketch, width, height, w, h);
  const around = boxBlur(extreme(small, w, h, AROUND >> 1), w, h, AROUND);
  const paper = linear(around, w, h, width, height);
  const black = 0.3 * percentile(bincount(around, 256), 0.95);
  return { paper: paper === around ? around.slice() : paper, black };
}

/**
 * Ink without the pieces that are tiny, or as pale as shading is.
 * @param {Uint8Array} ink
 * @param {Uint8Array} dark
 * @param {number} width
 * @param {number} height
 */
function withoutSpecks(ink, dark, width, height) {
  const { labels, count } = connected(ink, width, height);
  const areas = bincount(labels, count);
  const stays = new Uint8Array(count);
  for (let i = 0; i < dark.length; i++) if (dark[i]) stays[labels[i]] = 1;
  const least = SPECK * thickness(ink, width, height) ** 2;
  for (let piece = 0; piece < count; piece++) if (areas[piece] < least) stays[piece] = 0;
  stays[0] = 0;
  const out = new Uint8Array(ink.length);
  for (let i = 0; i < out.length; i++) out[i] = stays[labels[i]];
  return out;
}

/**
 * Median thickness of the lines in px, each pixel of a line's middle counting one.
 * @param {Uint8Array} ink
 * @param {number} width
 * @param {number} height
 */
export function thickness(ink, width, height) {
  const half = stepDistance(ink, width, height);
  const ridge = [];
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      if (ink[i] && isRidge(half, width, height, x, y)) ridge.push(half[i]);
    }
  }
  return Math.min(2 * median(Float32Array.from(ridge)), Math.min(width, height) / 50);
}
