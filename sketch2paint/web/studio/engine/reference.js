// The colours of a picture by their areas; sketch2paint/hints/palette.py and
// inference/palette_files.py again.

import { toLab } from "./colours.js";
import { rint } from "./numbers.js";
import { fitWithin, resized } from "./resize.js";
import { laidOnWhite } from "./scans.js";

const MOST = 8; // entries that are taken of a picture
const ALIKE = 10; // units of Lab; colours that are nearer are one entry
const PAPER = 6; // units of Lab from white that are white
const LEAST = 0.005; // of the coloured area: what has less is noise, or the edge of something
const SIDE = 256; // pixels to which a reference is made smaller, so that lines are thin
const CALM = 24; // levels of a channel between the pixels around one that lies within an area
const FEW = 0.05; // of the pixels: where fewer are calm, all of them count
const GREY = 8; // levels between the channels of what counts as grey

/** @typedef {{ colours: Uint8Array, portions: Float32Array }} Palette RGB, and shares of the area */

/**
 * The colours of a picture, which throws where it is grey.
 * @param {ArrayLike<number>} rgba
 * @param {number} width
 * @param {number} height
 * @returns {Palette}
 */
export function referenceOf(rgba, width, height) {
  const found = paletteOf(calm(laidOnWhite(rgba), width, height));
  const isGrey = (/** @type {number} */ at) => {
    const levels = found.colours.subarray(at, at + 3);
    return Math.max(...levels) - Math.min(...levels) <= GREY;
  };
  if (!found.portions.every((_, n) => isGrey(3 * n))) return found;
  throw new Error(
    "Expected a picture in colour to take colours from, got a grey one. Open a painted picture.",
  );
}

/**
 * Pixels that lie within areas, and on no line or edge, of a picture made small.
 * @param {Uint8Array[]} channels
 * @param {number} width
 * @param {number} height
 */
function calm(channels, width, height) {
  const [w, h] = fitWithin(width, height, SIDE);
  const small = channels.map((values) => resized(values, width, height, w, h));
  const apart = small.map((values) => spans(values, w, h));
  const every = Array.from({ length: w * h }, (_, i) => i);
  const places = every.filter((i) => apart.every((levels) => levels[i] <= CALM));
  const chosen = places.length / every.length > FEW ? places : every;
  return Uint8Array.from(chosen.flatMap((i) => small.map((values) => values[i])));
}

/**
 * Levels between the darkest and the lightest of the 5 x 5 pixels around each.
 * @param {Uint8Array} values
 * @param {number} width
 * @param {number} height
 */
function spans(values, width, height) {
  const out = new Uint8Array(values.length);
  for (let y = 0, i = 0; y < height; y++) {
    const [top, bottom] = [Math.max(y - 2, 0), Math.min(y + 2, height - 1)];
    for (let x = 0; x < width; x++, i++) {
      let [least, most] = [255, 0];
      for (let row = top; row <= bottom; row++) {
        for (let at = Math.max(x - 2, 0); at <= Math.min(x + 2, width - 1); at++) {
          const level = values[row * width + at];
          if (level < least) least = level;
          if (level > most) most = level;
        }
      }
      out[i] = most - least;
    }
  }
  return out;
}

/**
 * Colours of pixels by their area, white paper left out and like ones joined.
 * @param {Uint8Array} pixels RGB
 * @returns {Palette}
 */
export function paletteOf(pixels) {
  const { colours, areas } = binned(pixels);
  const lab = toLab(colours);
  const away = (/** @type {number} */ n, /** @type {ArrayLike<number>} */ other, at = 0) =>
    Math.hypot(...[0, 1, 2].map((c) => lab[3 * n + c] - other[at + c]));
  let rest = [...areas.keys()].filter((n) => away(n, [100, 0, 0]) > PAPER);
  rest.sort((one, other) => areas[other] - areas[one] || one - other);
  const total = (/** @type {number[]} */ some) => some.reduce((sum, n) => sum + areas[n], 0);
  const least = LEAST * total(rest);
  const found = [];
  while (rest.length) {
    const [first] = rest;
    const near = rest.filter((n) => away(n, lab, 3 * first) < ALIKE);
    found.push({ colour: colours.subarray(3 * first, 3 * first + 3), area: total(near) });
    rest = rest.filter((n) => away(n, lab, 3 * first) >= ALIKE);
  }
  const entries = found.filter(({ area }) => area >= least);
  entries.sort((one, other) => other.area - one.area);
  const taken = entries.slice(0, MOST);
  const all = taken.reduce((sum, { area }) => sum + area, 0);
  return {
    colours: Uint8Array.from(taken.flatMap(({ colour }) => [...colour])),
    portions: Float32Array.from(taken, ({ area }) => area / all),
  };
}

/** Colours that stand for pixels, and their areas: means of 32^3 bins. @param {Uint8Array} pixels */
function binned(pixels) {
  const sums = new Float64Array(4 * 32 ** 3);
  for (let at = 0; at < pixels.length; at += 3) {
    const [red, green, blue] = pixels.subarray(at, at + 3);
    const bin = 4 * (((red >> 3) << 10) | ((green >> 3) << 5) | (blue >> 3));
    sums[bin] += red;
    sums[bin + 1] += green;
    sums[bin + 2] += blue;
    sums[bin + 3]++;
  }
  const bins = Array.from({ length: 32 ** 3 }, (_, bin) => 4 * bin).filter((at) => sums[at + 3]);
  const colours = bins.flatMap((at) => [0, 1, 2].map((n) => rint(sums[at + n] / sums[at + 3])));
  return { colours: Uint8Array.from(colours), areas: bins.map((at) => sums[at + 3]) };
}
