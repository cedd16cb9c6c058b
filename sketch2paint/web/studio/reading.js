// Files that a person gives: pictures, strokes, palettes.

import { texts } from "./texts.js";

export const MOST = 4096; // px: more than its square is refused before memory is taken

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
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return context.getImageData(0, 0, width, height);
}

/** A file's name without what says its kind. */
export function stemOf(name) {
  return name.replace(/(\.hints)?\.[^.]*$/, "") || name;
}
