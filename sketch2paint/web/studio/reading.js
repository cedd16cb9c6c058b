// Files that a person gives: pictures, strokes, palettes.

import { breath } from "./files/bytes.js";
import { texts } from "./texts.js";

const MOST = 4096; // px: more than its square is refused before memory is taken
const ROWS = 256; // of a strip

/**
 * What a file is, by its name and type.
 * @param {File} file
 * @returns {"hints" | "overlay" | "palette" | "picture"}
 */
export function kindOf(file) {
  const name = file.name.toLowerCase();
  if (name.endsWith(".json")) return "hints";
  if (name.endsWith(".gpl")) return "palette";
  return /\.hints\.\w+$/.test(name) ? "overlay" : "picture";
}

/**
 * A picture's pixels, upright and in sRGB.
 * @param {Blob} blob
 * @param {string} name for what an error says
 * @returns {Promise<ImageData>}
 */
export async function pixelsOf(blob, name) {
  const bitmap = await createImageBitmap(blob, { premultiplyAlpha: "none" }).catch(() => {
    throw new Error(texts.notAPicture(name));
  });
  const { width, height } = bitmap;
  if (width * height > MOST ** 2) {
    bitmap.close();
    throw new Error(texts.tooLarge(width, height, MOST));
  }
  const data = await dataOf(bitmap);
  bitmap.close();
  return new ImageData(data, width, height);
}

/** A bitmap's pixels, taken strip by strip: a large one all at once would hold up the page. */
async function dataOf(bitmap) {
  const { width, height } = bitmap;
  const data = new Uint8ClampedArray(4 * width * height);
  const strip = new OffscreenCanvas(width, Math.min(ROWS, height));
  const context = strip.getContext("2d", { willReadFrequently: true });
  for (let top = 0; top < height; top += ROWS) {
    await breath();
    context.clearRect(0, 0, width, ROWS);
    context.drawImage(bitmap, 0, -top);
    const rows = Math.min(ROWS, height - top);
    data.set(context.getImageData(0, 0, width, rows).data, 4 * width * top);
  }
  return data;
}

/** A file's name without what says its kind. */
export function stemOf(name) {
  return name.replace(/(\.hints)?\.[^.]*$/, "") || name;
}
