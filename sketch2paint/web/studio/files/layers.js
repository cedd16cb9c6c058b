// A coloured drawing as layers: paper, one for each flat colour, the lines multiplied above.
// As sketch2paint/images/layer.py has them.

import { breath } from "./bytes.js";

/**
 * @typedef {object} Layer
 * @property {string} name
 * @property {number} x column in which the pixels begin
 * @property {number} y row in which the pixels begin
 * @property {number} width
 * @property {number} height
 * @property {"normal" | "multiply"} blend
 * @property {Uint8Array} pixels RGBA, row by row
 */

const WHITE = 0xffffff;
const ROWS = 32; // that are looked at without a break

/**
 * The layers from the bottom to the top, made one at a time.
 * @param {Uint16Array | Int32Array} index place in `colours` of each pixel's
 * @param {Int32Array} colours 0xrrggbb; the same one may stand there twice
 * @param {Uint8Array} sketch lines, dark on white
 * @param {number} width
 * @param {number} height
 * @returns {AsyncGenerator<Layer>}
 */
export async function* layersOf(index, colours, sketch, width, height) {
  yield await filled("Paper", whole(width, height), () => WHITE);
  for (const { code, box } of await found(index, colours, width)) {
    yield await filled(hexadecimal(code), box, (x, y) =>
      colours[index[y * width + x]] === code ? code : -1,
    );
  }
  const lines = (x, y) => sketch[y * width + x] * 0x010101;
  yield {
    ...(await filled("Lines", await inked(sketch, width, height), lines)),
    blend: "multiply",
  };
}

/** The colours of a table of RGB as 0xrrggbb. */
export function codes(table) {
  return Int32Array.from({ length: table.length / 3 }, (_, row) => {
    return (table[3 * row] << 16) | (table[3 * row + 1] << 8) | table[3 * row + 2];
  });
}

/** 0xrrggbb as "#rrggbb". */
function hexadecimal(code) {
  return `#${code.toString(16).padStart(6, "0")}`;
}

/** The colours beside white that are there, largest area first, with the boxes they fill. */
async function found(index, colours, width) {
  const boxes = await boxesOfRows(index, colours.length, width);
  const byColour = new Map();
  for (const [row, box] of boxes.entries()) {
    const code = colours[row];
    if (!box || code === WHITE) continue;
    byColour.set(code, byColour.has(code) ? united(byColour.get(code), box) : box);
  }
  const all = [...byColour].map(([code, box]) => ({ code, box }));
  return all.sort((one, other) => other.box.area - one.box.area || one.code - other.code);
}

async function boxesOfRows(index, count, width) {
  const boxes = new Array(count).fill(null);
  const height = index.length / width;
  for (let y = 0; y < height; y++) {
    if (y % ROWS === 0) await breath();
    for (let x = 0; x < width; x++) {
      const row = index[y * width + x];
      const box = boxes[row];
      if (!box) {
        boxes[row] = { left: x, top: y, right: x + 1, bottom: y + 1, area: 1 };
        continue;
      }
      if (x < box.left) box.left = x;
      else if (x >= box.right) box.right = x + 1;
      box.bottom = y + 1;
      box.area++;
    }
  }
  return boxes;
}

function united(one, other) {
  return {
    left: Math.min(one.left, other.left),
    top: Math.min(one.top, other.top),
    right: Math.max(one.right, other.right),
    bottom: Math.max(one.bottom, other.bottom),
    area: one.area + other.area,
  };
}

function whole(width, height) {
  return { left: 0, top: 0, right: width, bottom: height };
}

/** The box that holds all that is not white, at least a pixel of it. */
async function inked(sketch, width, height) {
  const box = { left: width, top: height, right: 0, bottom: 0 };
  for (let y = 0; y < height; y++) {
    if (y % ROWS === 0) await breath();
    for (let x = 0; x < width; x++) {
      if (sketch[y * width + x] === 255) continue;
      if (x < box.left) box.left = x;
      if (x >= box.right) box.right = x + 1;
      if (y < box.top) box.top = y;
      box.bottom = y + 1;
    }
  }
  return box.bottom ? box : whole(1, 1);
}

/**
 * A layer of one box.
 * @param {string} name
 * @param {{left: number, top: number, right: number, bottom: number}} box
 * @param {(x: number, y: number) => number} colour 0xrrggbb of a pixel, or -1: transparent
 * @returns {Promise<Layer>}
 */
async function filled(name, { left, top, right, bottom }, colour) {
  const width = right - left;
  const pixels = new Uint8Array(4 * width * (bottom - top));
  let to = 0;
  for (let y = top; y < bottom; y++) {
    if (y % ROWS === 0) await breath();
    for (let x = left; x < right; x++, to += 4) {
      const code = colour(x, y);
      if (code < 0) continue;
      pixels[to] = code >> 16;
      pixels[to + 1] = (code >> 8) & 255;
      pixels[to + 2] = code & 255;
      pixels[to + 3] = 255;
    }
  }
  return { name, x: left, y: top, width, height: bottom - top, blend: "normal", pixels };
}
