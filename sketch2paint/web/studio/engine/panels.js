// The panels of a strip, which blank rows part, and its regions, found in each panel by itself;
// sketch2paint/hints/panels.py again.

import { GRAIN } from "./ink.js";
import { searchSorted } from "./numbers.js";
import { findRegions, Regions, taken } from "./regions.js";

export const LONG = 1.5; // times the shorter side; a longer drawing is a strip
const SHORTEST = 0.5; // of the shorter side: what is shorter stays with its neighbour
const RIM = 16; // of them are the shorter side: so much blank is read around lines longer than it
const FITS = 1.25; // of the shorter side: lines that reach no further are not parted

/**
 * Where a panel lies along a strip, from `start` to `stop`, and its sheet, from `top` to `bottom`:
 * a square with the lines in its middle, if they fit. It may reach beyond the panel, and is blank
 * there.
 * @typedef {{ start: number, stop: number, top: number, bottom: number }} Panel
 */

/**
 * A strip's panels, parted at its blank rows, or columns if it is wide; another drawing is one.
 * @param {Uint8Array} sketch
 * @param {number} width
 * @param {number} height
 * @returns {Panel[]}
 */
export function panels(sketch, width, height) {
  const [side, length] = [Math.min(width, height), Math.max(width, height)];
  const whole = { start: 0, stop: length, top: 0, bottom: length };
  if (length <= LONG * side) return [whole];
  const bands = bandsOf(sketch, width, height);
  if (!bands.starts.length) return [whole];
  const cuts = cutsOf(bands, side, length);
  return cuts.slice(1).map((stop, n) => {
    return { start: cuts[n], stop, ...sheetOf(bands, cuts[n], stop, side) };
  });
}

/**
 * The regions of a drawing, those of a strip in each panel as if that were the drawing; what is
 * blank between two panels opens one's ground to the other's.
 * @param {Uint8Array} sketch dark lines on lighter paper
 * @param {number} width
 * @param {number} height
 * @param {Uint8Array | null} [cuts] 1 where something else counts as a line, too
 */
export function findRegionsByPanel(sketch, width, height, cuts = null) {
  const all = panels(sketch, width, height);
  const length = Math.max(width, height);
  if (all.length === 1 && all[0].bottom - all[0].top === length) {
    return findRegions(sketch, width, height, cuts);
  }
  const strip = new Strip(width, height);
  for (const panel of all) {
    const { columns, rows } = windowOf(panel, panel.top, panel.bottom, width, height);
    const sheet = taken(sketch, width, columns, rows);
    const drawn = cuts && taken(cuts, width, columns, rows);
    strip.add(panel, findRegions(sheet, columns.length, rows.length, drawn));
  }
  return strip.regions();
}

/**
 * The columns and rows of a panel from one place along the strip to another, those beyond the panel
 * as its rim.
 * @param {Panel} panel
 * @param {number} from
 * @param {number} to
 * @param {number} width
 * @param {number} height
 */
export function windowOf({ start, stop }, from, to, width, height) {
  const places = clipped(from, to, start, stop);
  return height >= width
    ? { columns: clipped(0, width, 0, width), rows: places }
    : { columns: places, rows: clipped(0, height, 0, height) };
}

/** The map of a strip, to which the regions of its panels are added in order. */
class Strip {
  /** @param {number} width @param {number} height */
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.labels = new Int32Array(width * height);
    this.ink = new Uint8Array(width * height);
    /** @type {{ pair: [number, number], opening: number }[]} */
    this.joins = [];
    /** @type {{ pair: [number, number], opening: number }[]} */
    this.across = [];
    this.count = 0;
  }

  /** @param {Panel} panel @param {Regions} part of its sheet */
  add({ start, stop, top, bottom }, part) {
    const { width, height, count } = this;
    const isTall = height >= width;
    const on = clipped(start, stop, top, bottom).map((place) => place - top);
    const step = isTall ? width : 1;
    const rows = isTall ? on : clipped(0, height, 0, height);
    const columns = isTall ? clipped(0, width, 0, width) : on;
    for (let y = 0, to = start * step; y < rows.length; y++, to += width - columns.length) {
      for (let x = 0; x < columns.length; x++, to++) {
        const from = rows[y] * part.width + columns[x];
        this.labels[to] = part.labels[from] + count;
        this.ink[to] = part.ink[from];
      }
    }
    part.openings.forEach((opening, j) => {
      const [one, other] = part.joins.subarray(2 * j, 2 * j + 2);
      this.joins.push({ pair: [one + count, other + count], opening });
    });
    if (start) {
      const pair = /** @type {[number, number]} */ ([
        this.labels[(start - 1) * step],
        this.labels[start * step],
      ]);
      this.across.push({ pair, opening: Math.min(width, height) });
    }
    this.count += part.count;
  }

  regions() {
    const joins = [...this.joins, ...this.across].sort((one, other) => other.opening - one.opening);
    return new Regions(
      this.width,
      this.height,
      this.labels,
      this.ink,
      Int32Array.from(joins.flatMap(({ pair }) => pair)),
      Float32Array.from(joins, ({ opening }) => opening),
    );
  }
}

/**
 * Numbers from one to another, those beyond what there is as its first or last.
 * @param {number} from
 * @param {number} to
 * @param {number} first
 * @param {number} end
 */
function clipped(from, to, first, end) {
  return Int32Array.from({ length: to - from }, (_, n) => {
    return Math.min(Math.max(from + n, first), end - 1);
  });
}

/** @typedef {{ starts: number[], stops: number[] }} Bands */

/**
 * Where lines begin and end along a strip.
 * @param {Uint8Array} sketch
 * @param {number} width
 * @param {number} height
 * @returns {Bands}
 */
function bandsOf(sketch, width, height) {
  const isTall = height >= width;
  const darkest = new Uint8Array(Math.max(width, height)).fill(255);
  let lightest = 0;
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const place = isTall ? y : x;
      if (sketch[i] < darkest[place]) darkest[place] = sketch[i];
      if (sketch[i] > lightest) lightest = sketch[i];
    }
  }
  const [starts, stops] = [/** @type {number[]} */ ([]), /** @type {number[]} */ ([])];
  for (let place = 0, before = false; place <= darkest.length; place++) {
    const has = place < darkest.length && lightest - darkest[place] >= GRAIN;
    if (has !== before) (has ? starts : stops).push(place);
    before = has;
  }
  return { starts, stops };
}

/**
 * Where panels begin and end: in the widest blank rows first, until what is left fits.
 * @param {Bands} bands
 * @param {number} side
 * @param {number} length
 */
function cutsOf(bands, side, length) {
  const gaps = bands.stops.slice(0, -1).map((begin, n) => ({ begin, end: bands.starts[n + 1] }));
  gaps.sort((one, other) => other.end - other.begin - (one.end - one.begin));
  const [cuts, shortest] = [[0, length], SHORTEST * side];
  for (const { begin, end } of gaps) {
    const middle = (begin + end) >> 1;
    const place = searchSorted(cuts, middle);
    const [low, high] = [cuts[place - 1], cuts[place]];
    const { top, bottom } = reach(bands, low, high);
    if (bottom - top <= FITS * side) continue;
    if (low + shortest <= middle && middle <= high - shortest) cuts.splice(place, 0, middle);
  }
  return cuts;
}

/**
 * Where the first lines from `start` on begin, and the last ones before `stop` end.
 * @param {Bands} bands
 * @param {number} start
 * @param {number} stop
 */
function reach({ starts, stops }, start, stop) {
  const [first, last] = [searchSorted(starts, start), searchSorted(starts, stop)];
  return { top: starts[first], bottom: stops[last - 1] };
}

/**
 * What is read of a panel: a square with the lines in its middle, or more if they need it.
 * @param {Bands} bands
 * @param {number} start
 * @param {number} stop
 * @param {number} side
 */
function sheetOf(bands, start, stop, side) {
  let { top, bottom } = reach(bands, start, stop);
  const rim = Math.floor(side / RIM);
  if (bottom - top > side) {
    top = Math.max(start, top - rim);
    bottom = Math.min(stop, bottom + rim);
  }
  const size = Math.max(side, bottom - top);
  top = Math.floor((top + bottom - size) / 2);
  return { top, bottom: top + size };
}
