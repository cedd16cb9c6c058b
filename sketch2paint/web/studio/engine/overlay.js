// Hints as a painted overlay, and back.

import { areasOf } from "./areas.js";
import { strokeOver } from "./cover.js";
import { MOST, strokesOf } from "./format.js";
import { marksOf } from "./strokes.js";

/** @typedef {import("./format.js").HintsFile} HintsFile */

/** Paint the strokes: opaque, hard edges, paper is white. @param {HintsFile} hints */
export function overlayOf(hints) {
  const [width, height] = hints.size;
  const strokes = strokesOf(hints);
  const colours = new Uint32Array(strokes.length + 1);
  strokes.forEach(({ color }, n) => {
    const [red, green, blue] = color ?? [255, 255, 255];
    colours[n + 1] = (red | (green << 8) | (blue << 16) | 0xff000000) >>> 0;
  });
  const marks = marksOf(strokes, width, height);
  const pixels = Uint32Array.from(marks, (number) => colours[number]);
  return { width, height, rgba: new Uint8ClampedArray(pixels.buffer) };
}

/**
 * Read strokes from a painted overlay, as predict.py does: pixels of one colour that touch are a
 * stroke, whatever noise and soft edges it has; white is paper.
 * @param {Uint8ClampedArray} rgba
 * @param {number} width
 * @param {number} height
 * @returns {{ hints: HintsFile, notes: string[] }}
 */
export function hintsOfOverlay(rgba, width, height) {
  let isOpaque = true;
  for (let p = 3; p < rgba.length && isOpaque; p += 4) isOpaque = rgba[p] === 255;
  if (isOpaque) {
    throw new Error(
      "Expected an overlay that is transparent where no stroke is, got an opaque picture. Paint " +
        "the strokes on an empty layer and save that layer alone as PNG.",
    );
  }
  const areas = areasOf(rgba, width, height);
  if (areas.length > MOST) {
    throw new Error(
      `Expected at most ${MOST.toLocaleString("en")} strokes, got more areas of one colour. ` +
        "Paint with a brush of one plain colour, without texture.",
    );
  }
  const hints = areas.map((area) => ({ ...strokeOver(area), color: colourOf(rgba, width, area) }));
  const notes = hints.length ? [] : ["wholly transparent: no hints"];
  return { hints: { version: 1, size: [width, height], gap: null, palette: null, hints }, notes };
}

/**
 * Median colour of an area.
 * @param {Uint8ClampedArray} rgba
 * @param {number} across
 * @param {import("./areas.js").Area} area
 */
function colourOf(rgba, across, { mask, width, x, y }) {
  /** @type {number[][]} */
  const levels = [[], [], []];
  mask.forEach((on, i) => {
    if (!on) return;
    const row = Math.floor(i / width);
    const at = 4 * ((y + row) * across + x + i - row * width);
    for (let n = 0; n < 3; n++) levels[n].push(rgba[at + n]);
  });
  const middle = levels.map((values) => {
    values.sort((one, other) => one - other);
    const half = values.length >> 1;
    const exact = values.length % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
    const rounded = Math.round(exact);
    return rounded - exact === 0.5 && rounded % 2 ? rounded - 1 : rounded;
  });
  const color = `#${middle.map((level) => level.toString(16).padStart(2, "0")).join("")}`;
  return color === "#ffffff" ? "paper" : color;
}
