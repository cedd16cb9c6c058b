// Colour hints as predict.py reads and writes them: the object that the page edits is the file.

import * as plain from "./plain.js";

/**
 * @typedef {import("./strokes.js").Stroke} Stroke
 * @typedef {{ points: [number, number][], width: number, color: string }} Hint
 * @typedef {{ version: 1, size: [number, number], gap?: number | null, palette?: string[] | null,
 *   hints: Hint[] }} HintsFile
 */

const VERSION = 1;
export const MOST = 10_000; // strokes
const LONGEST = 1_000_000; // pixels of a side
const PAPER = "paper";
export const CUT = "cut"; // a line at which regions end
export const MERGE = "merge"; // one that makes regions one
const WHITE = "#ffffff";

/**
 * Read the text of a hints file; points outside of the drawing are moved to its edge.
 * @param {string} text
 * @returns {{ hints: HintsFile, notes: string[] }}
 */
export function readHints(text) {
  return checkedHints(plain.parsed(text));
}

/**
 * Look at hints value by value.
 * @param {any} about
 * @returns {{ hints: HintsFile, notes: string[] }}
 */
export function checkedHints(about) {
  checkVersion(about);
  plain.checked(about, ["version", "size", "hints"], ["gap", "palette"]);
  const size = sizeOf(plain.listed(about.size, "`size`"));
  const gap = gapOf(about.gap);
  const palette = about.palette === undefined || about.palette === null ? [] : about.palette;
  const colours = plain.saidOf("`palette`", () =>
    plain.listed(palette, "`palette`").map(plain.color),
  );
  let moved = 0;
  const hints = plain.listed(about.hints, "`hints`").map((hint, n) => {
    const read = plain.saidOf(`hint ${n + 1}`, () => hintOf(hint, size));
    moved += read.moved;
    return read.hint;
  });
  checkCount(hints);
  const notes = moved ? [`points outside of the drawing moved to its edge: ${moved}`] : [];
  const read = { version: VERSION, size, gap, palette: colours.length ? colours : null, hints };
  return { hints: /** @type {HintsFile} */ (read), notes };
}

/** @param {any} about */
function checkVersion(about) {
  const isObject = typeof about === "object" && about !== null && !Array.isArray(about);
  const version = isObject && "version" in about ? about.version : VERSION;
  if (version !== VERSION) {
    throw new Error(
      `Expected hints of version ${VERSION}, got version ${plain.shortened(version)}. Read them ` +
        "with the release that wrote them.",
    );
  }
}

/** @param {any[]} size @returns {[number, number]} */
function sizeOf(size) {
  const isSide = (/** @type {any} */ side) => Number.isInteger(side) && side >= 1;
  if (size.length === 2 && size.every((side) => isSide(side) && side <= LONGEST)) {
    return [size[0], size[1]];
  }
  const told = `(${size.map(plain.shortened).join(", ")}${size.length === 1 ? "," : ""})`;
  throw new Error(
    "Expected `size` to be the drawing's width and height in pixels, got " +
      `${told}. Pass two whole numbers from 1 to ${LONGEST.toLocaleString("en")}.`,
  );
}

/** @param {unknown} gap */
function gapOf(gap) {
  if (gap === undefined || gap === null) return null;
  const width = plain.number(gap, "`gap`");
  if (width >= 0) return width;
  throw new Error(
    `Expected \`gap\` to be a number of pixels from 0 on, got ${width}. Leave it out where the ` +
      "lines have no gaps.",
  );
}

/** @param {Hint[]} hints */
function checkCount(hints) {
  if (hints.length <= MOST) return;
  const [most, count] = [MOST, hints.length].map((value) => value.toLocaleString("en"));
  throw new Error(
    `Expected at most ${most} strokes, got ${count}. Leave some out; in a painted overlay use a ` +
      "brush of one plain colour.",
  );
}

/** @param {any} hint @param {[number, number]} size @returns {{ hint: Hint, moved: number }} */
function hintOf(hint, size) {
  plain.checked(hint, ["points", "width", "color"]);
  const color = isWord(hint.color) ? hint.color : plain.color(hint.color);
  const { points, moved } = plain.points(hint.points, size);
  const width = plain.number(hint.width, "`width`");
  if (!(width > 0)) {
    throw new Error(
      `Expected \`width\` to be a number of pixels above 0, got ${width}. Pass 1 for the ` +
        "thinnest stroke.",
    );
  }
  return { hint: { points, width, color: color === WHITE ? PAPER : color }, moved };
}

/** Whether a hint's colour is none. @param {unknown} color */
function isWord(color) {
  return color === PAPER || color === CUT || color === MERGE;
}

/** The text of a hints file, one stroke a line. @param {HintsFile} hints */
export function writeHints({ size, gap, palette, hints }) {
  const colours = palette?.length ? spaced(palette) : "null";
  const about = `"version": ${VERSION}, "size": ${spaced(size)}, "gap": ${gap ?? null}`;
  const lines = hints.map(({ points, width, color }) => {
    const rest = `"width": ${width}, "color": ${JSON.stringify(color)}`;
    return `\n  {"points": ${spaced(points)}, ${rest}}`;
  });
  return `{${about}, "palette": ${colours}, "hints": [${lines.join(",")}\n]}\n`;
}

/** A list as Python writes it. @param {any[]} list @returns {string} */
function spaced(list) {
  const items = list.map((item) => (Array.isArray(item) ? spaced(item) : JSON.stringify(item)));
  return `[${items.join(", ")}]`;
}

/**
 * Scale hints to a drawing of another size; the note says so.
 * @param {HintsFile} hints
 * @param {number} width
 * @param {number} height
 * @returns {{ hints: HintsFile, notes: string[] }}
 */
export function fitted(hints, width, height) {
  const [ownWidth, ownHeight] = hints.size;
  if (width === ownWidth && height === ownHeight) return { hints, notes: [] };
  const most = Math.max(width, height, ownWidth, ownHeight);
  if (Math.abs(width * ownHeight - height * ownWidth) > most) {
    throw new Error(
      `Expected hints for a drawing of ${width} x ${height} pixels, or of that shape, got hints ` +
        `for ${ownWidth} x ${ownHeight}. Pass the hints of this drawing, or draw them anew if it ` +
        "was cropped.",
    );
  }
  const [across, down] = [width / ownWidth, height / ownHeight];
  const both = Math.sqrt(across * down);
  const scaled = hints.hints.map((hint) => ({
    ...hint,
    points: hint.points.map(([x, y]) => [(x + 0.5) * across - 0.5, (y + 0.5) * down - 0.5]),
    width: hint.width * both,
  }));
  const gap = hints.gap === null || hints.gap === undefined ? null : hints.gap * both;
  const note = `hints scaled from ${ownWidth} x ${ownHeight} to ${width} x ${height}`;
  const told = { ...hints, size: [width, height], gap, hints: scaled };
  return { hints: /** @type {HintsFile} */ (told), notes: [note] };
}

/** Strokes with colours as numbers; null is paper. @param {HintsFile} hints @returns {Stroke[]} */
export function strokesOf({ hints }) {
  return hints
    .filter(({ color }) => color !== CUT && color !== MERGE)
    .map(({ points, width, color }) => ({ points, width, color: levelsOf(color) }));
}

/**
 * The cuts of hints, or their merges.
 * @param {HintsFile} hints
 * @param {"cut" | "merge"} kind
 * @returns {Stroke[]}
 */
export function linesOf({ hints }, kind) {
  const lines = hints.filter(({ color }) => color === kind);
  return lines.map(({ points, width }) => ({ points, width, color: null }));
}

/** @param {string} color @returns {[number, number, number] | null} */
function levelsOf(color) {
  if (color === PAPER || color.toLowerCase() === WHITE) return null;
  const code = Number.parseInt(color.slice(1), 16);
  return [code >> 16, (code >> 8) & 255, code & 255];
}
