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
 * @property {Omit<import("./painting.js").Painted, "rgba">} painted
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
  png: ({ painted, sketch }) => opaque(painted, sketch),
  colours: ({ painted }) => opaque(painted),
  ora: async ({ painted, sketch }) => {
    return openraster(layers(flat(painted), sketch), await pictureOf(flat(painted), sketch));
  },
  psd: async ({ painted, sketch }) => {
    if (Math.max(painted.width, painted.height) > LONGEST) {
      throw new Error(texts.tooLongForPsd(painted.width, painted.height));
    }
    return psd(layers(flat(painted), sketch), await pictureOf(flat(painted), sketch));
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

function layers({ index, table, width, height }, sketch) {
  return layersOf(index, codes(table), sketch, width, height);
}

/** Without shading, as layers of one colour each are. */
function flat(painted) {
  return { ...painted, table: painted.flats, colours: null };
}

/** The colours, and the lines over them if there are any, as the engine lays them. */
async function pictureOf({ index, table, colours, width, height }, lines = null) {
  const picture = new ImageData(width, height);
  const { data } = picture;
  const levels = colours ?? table;
  for (let at = 0; at < index.length; at++) {
    if (at % PIXELS === 0) await breath();
    const row = 3 * (colours ? at : index[at]);
    const share = lines ? lines[at] / 255 : 1;
    data[4 * at] = levels[row] * share; // rounded to the nearest there, and none lies half way
    data[4 * at + 1] = levels[row + 1] * share;
    data[4 * at + 2] = levels[row + 2] * share;
    data[4 * at + 3] = 255;
  }
  return picture;
}

async function opaque(painted, lines) {
  const { data, width, height } = await pictureOf(painted, lines);
  return png(withoutAlpha(data), width, height, 3);
}
