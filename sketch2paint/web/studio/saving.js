// Each way to save the drawing, as a file that the browser downloads.

import { make } from "./dom.js";
import { writeHints } from "./engine/format.js";
import { breath } from "./files/bytes.js";
import { codes, layersOf } from "./files/layers.js";
import { openraster } from "./files/openraster.js";
import { png, withoutAlpha } from "./files/png.js";
import { LONGEST, psd } from "./files/psd.js";
import { texts } from "./texts.js";

const PIXELS = 1 << 19; // that are looked at without a break

/**
 * What there is to save.
 * @typedef {object} Work
 * @property {import("./painting.js").Painted} painted
 * @property {Uint8Array} sketch
 * @property {object} hints as in the file
 * @property {(hints: object) => Promise<{width: number, height: number, rgba: Uint8ClampedArray}>} overlay
 */

/** The ends of the names of what can be saved. */
export const ENDS = {
  png: ".coloured.png",
  colours: ".colours.png",
  ora: ".ora",
  psd: ".psd",
  hints: ".hints.json",
  overlay: ".hints.png",
};

/** @type {Record<keyof typeof ENDS, (work: Work) => Promise<Blob | Uint8Array | string>>} */
const MAKERS = {
  png: ({ painted }) => opaque(painted),
  colours: async ({ painted }) => png(await coloursOf(painted), painted.width, painted.height, 3),
  ora: ({ painted, sketch }) => openraster(layers(painted, sketch), merged(painted)),
  psd: async ({ painted, sketch }) => {
    if (Math.max(painted.width, painted.height) > LONGEST) {
      throw new Error(texts.tooLongForPsd(painted.width, painted.height));
    }
    return psd(layers(painted, sketch), merged(painted));
  },
  hints: async ({ hints }) => writeHints(hints),
  overlay: async ({ hints, overlay }) => {
    const { width, height, rgba } = await overlay(hints);
    return png(rgba, width, height, 4);
  },
};

/**
 * The file of one kind.
 * @param {keyof typeof ENDS} kind
 * @param {Work} work
 */
export async function made(kind, work) {
  return new Blob([/** @type {BlobPart} */ (await MAKERS[kind](work))]);
}

/** Let the browser save a file. */
export function download(blob, name) {
  const href = URL.createObjectURL(blob);
  make("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}

/** The colours without lines, RGB. */
async function coloursOf({ index, table }) {
  const rgb = new Uint8Array(3 * index.length);
  for (let at = 0; at < index.length; at++) {
    if (at % PIXELS === 0) await breath();
    const row = 3 * index[at];
    rgb[3 * at] = table[row];
    rgb[3 * at + 1] = table[row + 1];
    rgb[3 * at + 2] = table[row + 2];
  }
  return rgb;
}

function opaque({ rgba, width, height }) {
  return png(withoutAlpha(rgba), width, height, 3);
}

function layers({ index, table, width, height }, sketch) {
  return layersOf(index, codes(table), sketch, width, height);
}

function merged({ rgba, width, height }) {
  return new ImageData(rgba, width, height);
}
