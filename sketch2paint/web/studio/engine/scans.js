// Pictures made grey, and scans and photographs of drawings made black on white.

import { closed, medianOf9, smoothLevels } from "./filters.js";
import { bincount, clamp, cumulated, percentile, rint, searchSorted } from "./numbers.js";
import { fitWithin, shrunk } from "./resize.js";

const SMALLEST = 16; // pixels; below that there is no telling paper from line
const THUMBNAIL = 512; // longer side, but for strips, of what the paper is estimated on
const DARK = 64; // darker is no paper
const WHITE = 250; // paper from here on is white

/**
 * Grey (Rec. 601) of RGBA pixels, laid on white where they are transparent.
 * @param {ArrayLike<number>} rgba
 */
export function greyOf(rgba) {
  const grey = new Uint8Array(rgba.length / 4);
  for (let i = 0, p = 0; i < grey.length; i++, p += 4) {
    const alpha = rgba[p + 3];
    let [red, green, blue] = [rgba[p], rgba[p + 1], rgba[p + 2]];
    if (alpha < 255) {
      red = onWhite(red, alpha);
      green = onWhite(green, alpha);
      blue = onWhite(blue, alpha);
    }
    grey[i] = (red * 9798 + green * 19235 + blue * 3735 + 16384) >> 15;
  }
  return grey;
}

/**
 * The three channels of RGBA pixels, laid on white where they are transparent.
 * @param {ArrayLike<number>} rgba
 */
export function laidOnWhite(rgba) {
  return [0, 1, 2].map((channel) => {
    const levels = new Uint8Array(rgba.length / 4);
    for (let i = 0; i < levels.length; i++)
      levels[i] = onWhite(rgba[4 * i + channel], rgba[4 * i + 3]);
    return levels;
  });
}

/** @param {number} level @param {number} alpha */
function onWhite(level, alpha) {
  const sum = level * alpha + 255 * (255 - alpha) + 128;
  return ((sum >> 8) + sum) >> 8;
}

/**
 * Make a scanned or photographed drawing black on white; a clean one is left as it is.
 * @param {Uint8Array} sketch
 * @param {number} width
 * @param {number} height
 * @returns {{ sketch: Uint8Array, notes: string[] }}
 */
export function normalise(sketch, width, height) {
  if (Math.min(width, height) < SMALLEST) return { sketch, notes: [] };
  const notes = [];
  let grey = sketch;
  let counts = bincount(grey, 256);
  if (isInverted(grey, counts, width, height)) {
    notes.push("inverted");
    grey = grey.map((level) => 255 - level);
    counts.reverse();
  }
  const paper = unevenPaper(grey, counts, width, height);
  let white = 255;
  if (paper) {
    notes.push("paper lightened");
    grey = divided(grey, width, height, paper);
    counts = bincount(grey, 256);
    white = whiteOf(counts);
  }
  const ink = inkLevel(moved(counts, lightening(white)));
  if (ink > 0) notes.push("lines darkened");
  if (!paper && !ink) return { sketch: grey, notes };
  const dark = darkening(ink);
  const levels = lightening(white).map((level) => dark[level]);
  return { sketch: grey.map((level) => levels[level]), notes };
}

/**
 * Dark on the whole and at the edge, with something light drawn on it.
 * @param {Uint8Array} grey
 * @param {Int32Array} counts
 * @param {number} width
 * @param {number} height
 */
function isInverted(grey, counts, width, height) {
  const middle = Math.floor(middleOf(counts));
  if (middle >= 96) return false;
  const edge = new Int32Array(256);
  for (let x = 0; x < width; x++) {
    edge[grey[x]]++;
    edge[grey[(height - 1) * width + x]]++;
  }
  for (let y = 0; y < height; y++) {
    edge[grey[y * width]]++;
    edge[grey[y * width + width - 1]]++;
  }
  let light = 0;
  for (let level = middle + 65; level < 256; level++) light += counts[level];
  const share = light / grey.length;
  return middleOf(edge) < 96 && share > 0.001 && share < 0.5;
}

/** Median of levels by how often each occurs. @param {Int32Array} counts */
function middleOf(counts) {
  return percentile(counts, 0.5);
}

/**
 * The paper of a drawing, a thumbnail; null where it is white or black.
 * @param {Uint8Array} grey
 * @param {Int32Array} counts
 * @param {number} width
 * @param {number} height
 */
function unevenPaper(grey, counts, width, height) {
  let white = 0;
  for (let level = WHITE; level < 256; level++) white += counts[level];
  if (white >= grey.length / 2) return null;
  const paper = paperOf(grey, width, height);
  const middle = middleOf(bincount(paper.levels, 256));
  return middle >= DARK && middle < WHITE ? paper : null;
}

/**
 * The paper without the lines: a closing is blind to what is dark and thin.
 * @param {Uint8Array} grey
 * @param {number} width
 * @param {number} height
 */
function paperOf(grey, width, height) {
  const [shorter, longer] = [Math.min(width, height), Math.max(width, height)];
  const longest = rint(THUMBNAIL * Math.min(Math.max(longer / (4 * shorter), 1), 64));
  const [w, h] = fitWithin(width, height, longest);
  const small = w === width && h === height ? grey : shrunk(grey, width, height, w, h);
  const side = Math.max(3, Math.floor(Math.min(Math.max(w, h), 4 * Math.min(w, h)) / 12)) | 1;
  const paper = closed(medianOf9(small, w, h), w, h, side);
  // Black areas wider than the closing are ink, not shadow: paper is at least half as light.
  const least = Math.floor(percentile(bincount(paper, 256), 0.9)) >> 1;
  for (let i = 0; i < paper.length; i++) if (paper[i] < least) paper[i] = least;
  return { levels: smoothLevels(paper, w, h, side / 3), width: w, height: h };
}

/**
 * A drawing by its paper, so that the paper becomes white but for its grain.
 * @param {Uint8Array} grey
 * @param {number} width
 * @param {number} height
 * @param {{ levels: Uint8Array, width: number, height: number }} paper
 */
function divided(grey, width, height, paper) {
  const out = new Uint8Array(grey.length);
  const f = Math.fround;
  const row = new Float32Array(paper.width);
  const { first, share } = columnsOf(paper.width, width);
  for (let y = 0; y < height; y++) {
    mixRows(row, paper, ((y + 0.5) * paper.height) / height - 0.5);
    for (let x = 0, i = y * width; x < width; x++, i++) {
      const [one, other] = [row[first[x]], row[Math.min(first[x] + 1, paper.width - 1)]];
      const level = f(f(one * f(1 - share[x])) + f(other * share[x]));
      out[i] = rint(f(255 * clamp(f(grey[i] / Math.max(level, 1)), 0, 1)));
    }
  }
  return out;
}

/**
 * @param {Float32Array} row
 * @param {{ levels: Uint8Array, width: number, height: number }} paper
 * @param {number} y
 */
function mixRows(row, { levels, width, height }, y) {
  const place = clamp(y, 0, height - 1);
  const above = Math.floor(place);
  const below = Math.min(above + 1, height - 1);
  const f = Math.fround;
  const [less, more] = [f(1 - (place - above)), f(Math.max(0, 1 - Math.abs(place - below)))];
  for (let x = 0; x < width; x++) {
    const one = f(levels[above * width + x] * less);
    row[x] = above === below ? one : f(levels[below * width + x] * more + one);
  }
}

/** @param {number} length @param {number} newLength */
function columnsOf(length, newLength) {
  const first = new Int32Array(newLength);
  const share = new Float32Array(newLength);
  if (length === newLength) return { first: first.map((_, n) => n), share };
  const scale = 1 / (newLength / length);
  for (let n = 0; n < newLength; n++) {
    const place = Math.fround((n + 0.5) * scale - 0.5);
    first[n] = clamp(Math.floor(place), 0, length - 1);
    share[n] = place < 0 || place >= length - 1 ? 0 : place - first[n];
  }
  return { first, share };
}

/**
 * The level from which a divided page is paper: the grain, as wide on the dark side of the paper as
 * on the light one, is taken for white.
 * @param {Int32Array} counts
 */
function whiteOf(counts) {
  const sums = cumulated(counts);
  const total = sums.map((sum) => sum / sums[255]);
  const [middle, upper] = [searchSorted(total, 0.5), searchSorted(total, 0.84)];
  return Math.max(middle - 3 * (upper - middle), 200);
}

/**
 * The grey of light lines that are to become black, or 0: they are dark, or there are none.
 * @param {Int32Array} counts
 */
function inkLevel(counts) {
  const total = cumulated(counts);
  if (total[63] > total[255] / 5000) return 0;
  const lines = total.subarray(0, 240);
  if (lines[239] < total[255] / 1000) return 0;
  const ink = searchSorted(lines, lines[239] / 10);
  return ink <= 224 ? ink : 0; // or it is the grain of the paper
}

/**
 * How often each level occurs once levels are others.
 * @param {Int32Array} counts
 * @param {Uint8Array} levels
 */
function moved(counts, levels) {
  const out = new Int32Array(256);
  for (let level = 0; level < 256; level++) out[levels[level]] += counts[level];
  return out;
}

/** What becomes of each level when `white` is to be white. @param {number} white */
function lightening(white) {
  return Uint8Array.from({ length: 256 }, (_, level) => rint(clamp(level * (255 / white), 0, 255)));
}

/** What becomes of each level when `ink` is to be black. @param {number} ink */
function darkening(ink) {
  const scale = 255 / (255 - ink);
  return Uint8Array.from({ length: 256 }, (_, level) => rint(clamp((level - ink) * scale, 0, 255)));
}
