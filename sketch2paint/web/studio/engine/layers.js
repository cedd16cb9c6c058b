// Layers of a picture: colours, and the drawing's lines multiplied over them.

import { memory } from "./spares.js";

const OPAQUE = 0xff << 24;

/**
 * A colour of a table as one number, as a pixel lies in memory.
 * @param {Uint8Array} table
 * @param {number} row
 */
export function packed(table, row) {
  return table[3 * row] | (table[3 * row + 1] << 8) | (table[3 * row + 2] << 16) | OPAQUE;
}

/**
 * A colour under a line: colour * grey / 255, rounded to the nearest.
 * @param {number} colour a pixel
 * @param {number} grey
 */
export function under(colour, grey) {
  if (grey === 255) return colour;
  if (grey === 0) return OPAQUE;
  const red = ((colour & 255) * grey + 127) / 255;
  const green = (((colour >> 8) & 255) * grey + 127) / 255;
  const blue = (((colour >> 16) & 255) * grey + 127) / 255;
  return red | 0 | ((green | 0) << 8) | ((blue | 0) << 16) | OPAQUE;
}

/**
 * A picture's colours under its lines, RGBA.
 * @param {Uint8Array} colours RGB
 * @param {Uint8Array} lines
 */
export function multiplied(colours, lines) {
  const out = new Int32Array(memory(4 * lines.length));
  for (let i = 0; i < out.length; i++) out[i] = under(packed(colours, i), lines[i]);
  return new Uint8ClampedArray(out.buffer);
}
