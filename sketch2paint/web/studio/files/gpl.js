// Palettes as GIMP, Krita and Inkscape keep them: .gpl

import { texts } from "../texts.js";

/**
 * The colours of a palette file, in its order.
 * @param {string} text
 * @returns {string[]} as "#rrggbb"
 */
export function readPalette(text) {
  const colours = [];
  if (!/^\s*GIMP Palette/.test(text)) throw new Error(texts.paletteWrong);
  for (const line of text.split(/\r?\n/)) {
    const levels = line
      .match(/^\s*(\d{1,3})\s+(\d{1,3})\s+(\d{1,3})(\s|$)/)
      ?.slice(1, 4)
      .map(Number);
    if (levels?.every((level) => level < 256)) colours.push(hexOf(levels));
  }
  if (!colours.length) throw new Error(texts.paletteWrong);
  return colours;
}

/**
 * A palette file.
 * @param {string[]} colours as "#rrggbb"
 */
export function writePalette(colours) {
  const lines = colours.map((colour) => `${levelsOf(colour).join(" ")}\t${colour}`);
  return `GIMP Palette\nName: sketch2paint\nColumns: 8\n#\n${lines.join("\n")}\n`;
}

/** [r, g, b] as "#rrggbb". */
export function hexOf(levels) {
  return `#${[...levels].map((level) => level.toString(16).padStart(2, "0")).join("")}`;
}

/** "#rrggbb" as [r, g, b]. */
function levelsOf(colour) {
  return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
}
