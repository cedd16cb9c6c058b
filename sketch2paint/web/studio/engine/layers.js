// Layers of a picture: colours, and the drawing's lines multiplied over them.

const OPAQUE = 0xff << 24;

/**
 * A colour as one number, as a pixel lies in memory.
 * @param {Uint8Array} table
 * @param {number} row
 */
function packed(table, row) {
  return table[3 * row] | (table[3 * row + 1] << 8) | (table[3 * row + 2] << 16) | OPAQUE;
}

/**
 * The colour layer, RGBA.
 * @param {Int32Array} index row of the table that each pixel takes
 * @param {Uint8Array} table RGB
 */
export function coloursOf(index, table) {
  const colours = Int32Array.from({ length: table.length / 3 }, (_, row) => packed(table, row));
  const out = new Int32Array(index.length);
  for (let i = 0; i < out.length; i++) out[i] = colours[index[i]];
  return new Uint8ClampedArray(out.buffer);
}

/**
 * Lines over colours: colours * lines / 255, rounded to the nearest, RGBA.
 * @param {Int32Array} index row of the table that each pixel takes
 * @param {Uint8Array} table RGB
 * @param {Uint8Array} sketch
 */
export function multiplied(index, table, sketch) {
  const colours = Int32Array.from({ length: table.length / 3 }, (_, row) => packed(table, row));
  const out = new Int32Array(index.length);
  for (let i = 0; i < out.length; i++) {
    const grey = sketch[i];
    const color = colours[index[i]];
    if (grey === 255) out[i] = color;
    else if (grey === 0) out[i] = OPAQUE;
    else {
      const red = ((color & 255) * grey + 127) / 255;
      const green = (((color >> 8) & 255) * grey + 127) / 255;
      const blue = (((color >> 16) & 255) * grey + 127) / 255;
      out[i] = red | 0 | ((green | 0) << 8) | ((blue | 0) << 16) | OPAQUE;
    }
  }
  return new Uint8ClampedArray(out.buffer);
}
