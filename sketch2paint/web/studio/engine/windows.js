// Windows in which a long drawing is read, so that a network sees it as large as others;
// sketch2paint/inference/windows.py again.

import { read, reply } from "./answer.js";
import { LONG, panels, windowOf } from "./panels.js";
import { taken } from "./regions.js";

/**
 * A part of a drawing that the network reads at once; `numbers` has the numbers of the drawing's
 * regions there, -1 for those it does not hold.
 * @typedef {{ numbers: Int32Array, reading: import("./answer.js").Reading,
 *   said: import("./answer.js").Said | null }} Window
 */

/**
 * Windows in which a network reads a drawing: all of it, or the panels of a strip. A panel that is
 * long itself is read in squares, which overlap by half, so that what is no longer than half of one
 * lies in one as a whole.
 * @param {Uint8Array} sketch
 * @param {number} width
 * @param {number} height
 */
export function windowsOf(sketch, width, height) {
  return panels(sketch, width, height).flatMap((panel) =>
    squares(panel.top, panel.bottom, Math.min(width, height)).map(({ start, stop }) =>
      windowOf(panel, start, stop, width, height),
    ),
  );
}

/**
 * Where squares along a part of a strip begin and end; one, if it is not long.
 * @param {number} top
 * @param {number} bottom
 * @param {number} side
 */
function squares(top, bottom, side) {
  if (bottom - top <= LONG * side) return [{ start: top, stop: bottom }];
  const starts = [];
  for (let at = top; at < bottom - side; at += Math.max(side >> 1, 1)) starts.push(at);
  starts.push(bottom - side);
  return starts.map((start) => ({ start, stop: start + side }));
}

/**
 * Let a network read a drawing, window by window.
 * @param {import("./network.js").Network} network
 * @param {Uint8Array} sketch
 * @param {import("./regions.js").Regions} regions
 * @returns {Promise<Window[]>}
 */
export async function readWindows(network, sketch, regions) {
  const windows = [];
  for (const window of windowsOf(sketch, regions.width, regions.height)) {
    const { columns, rows } = window;
    if (columns.length === regions.width && rows.length === regions.height) {
      const numbers = Int32Array.from({ length: regions.count }, (_, n) => n);
      windows.push({ numbers, reading: await read(network, sketch, regions), said: null });
      continue;
    }
    const { part, numbers: old } = regions.part(window);
    const numbers = new Int32Array(regions.count).fill(-1);
    old.forEach((region, n) => {
      numbers[region] = n;
    });
    const here = taken(sketch, regions.width, columns, rows);
    windows.push({ numbers, reading: await read(network, here, part), said: null });
  }
  return windows;
}

/** Pixels of a region that a window holds. @param {Window} window @param {number} region */
export function areaIn({ numbers, reading }, region) {
  return numbers[region] < 0 ? 0 : reading.regions.areas[numbers[region]];
}

/**
 * Colours of all regions, each by the window that holds most of it.
 * @param {import("./network.js").Network} network
 * @param {Window[]} windows
 * @param {Map<number, import("./answer.js").Color>} known
 * @param {import("./answer.js").Wish} wish
 */
export async function answered(network, windows, known, wish) {
  const count = windows[0].numbers.length;
  const table = new Uint8Array(3 * count).fill(255);
  const most = new Int32Array(count);
  for (const window of windows) {
    /** @type {Map<number, import("./answer.js").Color>} */
    const here = new Map();
    for (const [region, color] of known) {
      if (window.numbers[region] >= 0) here.set(window.numbers[region], color);
    }
    window.said = await reply(network, window.reading, here, wish);
    if (windows.length === 1) return window.said.colours;
    for (let region = 0; region < count; region++) {
      const area = areaIn(window, region);
      if (area <= most[region]) continue;
      most[region] = area;
      const from = 3 * window.numbers[region];
      table.set(window.said.colours.subarray(from, from + 3), 3 * region);
    }
  }
  return table;
}
