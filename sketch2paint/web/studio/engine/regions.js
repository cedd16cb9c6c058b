// The regions of a drawing and the tree of their merges, found without a network; each step is that
// of sketch2paint/hints/regions.py.

import { exactDistance } from "./distance.js";
import { smooth } from "./filters.js";
import { inkOf, thickness } from "./ink.js";
import { withClosures } from "./line_ends.js";
import { bincount, descending, sortedBy, upTo } from "./numbers.js";
import { PairTable } from "./pairs.js";
import { numbered, root, roots, singles, unite } from "./sets.js";

const WORK = 1600; // shorter side at which regions are found; those of larger drawings are refined
const AREA = 4096 ** 2; // pixels at most of what they are found in
export const DEFAULT_GAP = 0.1; // of the shorter side
export const MOST_SMALL = 65_536; // regions whose numbers take two bytes
const CRUMB = 4; // of a line's thickness squared: smaller cells are noise

/** @typedef {Uint16Array | Int32Array} Labels the finest region of each pixel, or another number */

/** A drawing's finest regions and the tree of their merges. */
export class Regions {
  /**
   * @param {number} width
   * @param {number} height
   * @param {Labels} labels 0 to count - 1 at each pixel
   * @param {Uint8Array} ink 1 where the lines are
   * @param {Int32Array} joins two regions that an opening joins, one pair after the other
   * @param {Float32Array} openings the widths in px, widest first
   */
  constructor(width, height, labels, ink, joins, openings) {
    this.width = width;
    this.height = height;
    this.ink = ink;
    this.joins = joins;
    this.openings = openings;
    let most = 0;
    for (let i = 0; i < labels.length; i++) if (labels[i] > most) most = labels[i];
    for (const region of joins) if (region > most) most = region;
    this.count = most + 1;
    /** @type {Labels} */
    this.labels = this.count > MOST_SMALL ? labels : new Uint16Array(labels);
    this.areas = bincount(labels, this.count);
    this.freeAreas = bincount(labels, this.count, ink);
    /**
     * What was found for regions with several strokes, by their strokes; see `fill`.
     * @type {Map<number, { key: string, mixed: import("./fill.js").Mixed }>}
     */
    this.found = new Map();
    /** @type {Int32Array | null} */
    this.allBounds = null;
  }

  /** What just holds each region: left, top, right and bottom, for one after the other. */
  bounds() {
    this.allBounds ??= boundsOf(this.labels, this.width, this.height, this.count);
    return this.allBounds;
  }

  get side() {
    return Math.min(this.width, this.height);
  }

  /**
   * The number of the region in which each finest one lies at a gap; null: a tenth of the side.
   * @param {number | null} [gap]
   */
  groups(gap = null) {
    const limit = gap ?? DEFAULT_GAP * this.side;
    const parents = singles(this.count);
    for (let j = 0; j < this.openings.length && this.openings[j] > limit; j++) {
      unite(parents, this.joins[2 * j], this.joins[2 * j + 1]);
    }
    return numbered(parents).numbers;
  }

  /**
   * Regions of which some have become one, numbered anew.
   * @param {Int32Array} parents of the finest ones, in a forest as sets.js has it
   */
  merged(parents) {
    const { numbers, count } = numbered(parents);
    const low = this.joins.filter((_, place) => place % 2 === 0);
    const high = this.joins.filter((_, place) => place % 2 === 1);
    const { joins, openings } = tree(numbers, count, { low, high, openings: this.openings });
    const labels = this.labels.map((label) => numbers[label]);
    return new Regions(this.width, this.height, labels, this.ink, joins, openings);
  }

  /** Which groups at the default gap are open to the drawing's edge, as the paper is. */
  outside() {
    const groups = this.groups();
    const counts = new Int32Array(this.count);
    const { width, height } = this;
    for (let y = 0; y < height; y++) {
      const step = y === 0 || y === height - 1 ? 1 : Math.max(width - 1, 1);
      for (let x = 0; x < width; x += step) {
        const i = y * width + x;
        if (!this.ink[i]) counts[groups[this.labels[i]]]++;
      }
    }
    return Uint8Array.from(counts, (count) => (count > this.side / 8 ? 1 : 0));
  }

  /**
   * What lies in a window, numbered anew, and the numbers that these regions had.
   * @param {{ columns: Int32Array, rows: Int32Array }} window
   */
  part({ columns, rows }) {
    const labels = taken(this.labels, this.width, columns, rows);
    const there = new Int32Array(this.count).fill(-1);
    for (const label of labels) there[label] = 0;
    const numbers = [];
    for (let label = 0; label < this.count; label++) {
      if (there[label] === 0) there[label] = numbers.push(label) - 1;
    }
    const joins = [];
    const openings = [];
    for (let j = 0; j < this.openings.length; j++) {
      const [one, other] = [there[this.joins[2 * j]], there[this.joins[2 * j + 1]]];
      if (one < 0 || other < 0) continue;
      joins.push(one, other);
      openings.push(this.openings[j]);
    }
    const part = new Regions(
      columns.length,
      rows.length,
      labels.map((label) => there[label]),
      taken(this.ink, this.width, columns, rows),
      Int32Array.from(joins),
      Float32Array.from(openings),
    );
    return { part, numbers };
  }
}

/**
 * @param {Labels} labels
 * @param {number} width
 * @param {number} height
 * @param {number} count
 */
function boundsOf(labels, width, height, count) {
  const bounds = new Int32Array(4 * count);
  for (let at = 0; at < bounds.length; at += 4) bounds.set([width, height, -1, -1], at);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const at = 4 * labels[i];
      if (x < bounds[at]) bounds[at] = x;
      if (bounds[at + 1] > y) bounds[at + 1] = y;
      if (x > bounds[at + 2]) bounds[at + 2] = x;
      bounds[at + 3] = y;
    }
  }
  return bounds;
}

/**
 * @template {Uint8Array | Uint16Array | Int32Array} T
 * @param {T} values
 * @param {number} across
 * @param {number} left
 * @param {number} top
 * @param {number} width
 * @param {number} height
 * @returns {T}
 */
function cut(values, across, left, top, width, height) {
  const out = new /** @type {any} */ (values.constructor)(width * height);
  for (let y = 0; y < height; y++) {
    const start = (top + y) * across + left;
    out.set(values.subarray(start, start + width), y * width);
  }
  return out;
}

/**
 * Values of a map at columns and rows.
 * @template {Uint8Array | Uint16Array | Int32Array} T
 * @param {T} values
 * @param {number} across
 * @param {Int32Array} columns
 * @param {Int32Array} rows
 * @returns {T}
 */
export function taken(values, across, columns, rows) {
  const out = new /** @type {any} */ (values.constructor)(columns.length * rows.length);
  let to = 0;
  for (const row of rows) for (const column of columns) out[to++] = values[row * across + column];
  return out;
}

/**
 * Find the regions of a drawing; they cover every pixel and meet under the lines.
 * @param {Uint8Array} sketch dark lines on lighter paper
 * @param {number} width
 * @param {number} height
 * @param {Uint8Array | null} [cuts] 1 where something else counts as a line, too
 */
export function findRegions(sketch, width, height, cuts = null) {
  const full = inkOf(sketch, width, height);
  cuts?.forEach((on, i) => {
    if (on) full[i] = 1;
  });
  const side = Math.min(width, height);
  const factor = Math.ceil(Math.max(side / WORK, Math.sqrt(sketch.length / AREA)));
  const ink = darkest({ data: full, width, height }, factor);
  if (!ink.data.includes(1) || !ink.data.includes(0)) {
    const none = new Int32Array(sketch.length);
    return new Regions(width, height, none, full, new Int32Array(0), new Float32Array(0));
  }
  const { labels, joins, openings } = regionsOf(ink);
  const fine = factor > 1 ? refined(labels, ink.width, full, width, height, factor) : labels;
  const wide = openings.map((opening) => factor * opening);
  return new Regions(width, height, fine, full, joins, wide);
}

/** @typedef {{ data: Uint8Array, width: number, height: number }} Mask */

/**
 * A smaller map in which a block is ink where any of its pixels is.
 * @param {Mask} ink
 * @param {number} factor
 */
function darkest(ink, factor) {
  if (factor === 1) return ink;
  const width = Math.ceil(ink.width / factor);
  const height = Math.ceil(ink.height / factor);
  const data = new Uint8Array(width * height);
  for (let y = 0, i = 0; y < ink.height; y++) {
    const row = Math.floor(y / factor) * width;
    for (let x = 0; x < ink.width; x++, i++) {
      if (ink.data[i]) data[row + Math.floor(x / factor)] = 1;
    }
  }
  return { data, width, height };
}

/** The finest regions, the joins of their tree and these openings' widths. @param {Mask} ink */
function regionsOf(ink) {
  const side = Math.min(ink.width, ink.height);
  const margin = Math.ceil((DEFAULT_GAP * side) / 2) + 1;
  const wide = framed(ink, margin);
  const { barrier, across } = withClosures(wide, side);
  const { depth, distance } = depthOf(barrier, wide);
  const { basins, summits } = basinsOf(depth, wide);
  const passes = passesOf(basins, depth, distance, across, wide.width);
  const rise = Math.min(Math.max(side / 512, 0.6), 4);
  const parents = withoutKnolls(summits, passes, rise);
  joinCrumbs(parents, basins, wide);
  const inside = cut(basins, wide.width, margin, margin, ink.width, ink.height);
  joinMargin(parents, inside, passes);
  const { numbers, count } = numbered(parents);
  return { labels: inside.map((basin) => numbers[basin]), ...tree(numbers, count, passes) };
}

/**
 * A mask with its edge carried on into a margin.
 * @param {Mask} ink
 * @param {number} margin
 * @returns {Mask}
 */
function framed(ink, margin) {
  const [width, height] = [ink.width + 2 * margin, ink.height + 2 * margin];
  const data = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const from = Math.min(Math.max(y - margin, 0), ink.height - 1) * ink.width;
    const row = y * width;
    data.fill(ink.data[from], row, row + margin);
    data.set(ink.data.subarray(from, from + ink.width), row + margin);
    data.fill(ink.data[from + ink.width - 1], row + margin + ink.width, row + width);
  }
  return { data, width, height };
}

/**
 * Distance to the nearest border, minus that out of it; the bare distance.
 * @param {Uint8Array} barrier
 * @param {Mask} size
 */
function depthOf(barrier, { width, height }) {
  const distance = exactDistance(
    barrier.map((on) => 1 - on),
    width,
    height,
  );
  const depth = smooth(distance, width, height);
  const under = exactDistance(barrier, width, height);
  for (let i = 0; i < depth.length; i++) if (barrier[i]) depth[i] = -under[i];
  return { depth, distance };
}

/**
 * The summit that each pixel climbs to by its highest neighbour.
 * @param {Float32Array} depth
 * @param {Mask} size
 */
function basinsOf(depth, { width, height }) {
  const up = climbs(depth, width, height);
  const basins = new Int32Array(depth.length).fill(-1);
  let count = 0;
  for (let i = 0; i < up.length; i++) if (up[i] === i) basins[i] = count++;
  const summits = new Float32Array(count);
  for (let i = 0; i < up.length; i++) {
    if (up[i] === i) summits[basins[i]] = depth[i];
    let top = i;
    while (basins[top] < 0) top = up[top];
    const basin = basins[top];
    for (let at = i; basins[at] < 0; at = up[at]) basins[at] = basin;
  }
  return { basins, summits };
}

/**
 * The highest neighbour of each pixel, the first in reading order, or itself.
 * @param {Float32Array} depth
 * @param {number} width
 * @param {number} height
 */
function climbs(depth, width, height) {
  const up = new Int32Array(depth.length);
  for (let y = 0, i = 0; y < height; y++) {
    const [first, last] = [y > 0 ? -width : 0, y < height - 1 ? width : 0];
    for (let x = 0; x < width; x++, i++) {
      const [left, right] = [x > 0 ? -1 : 0, x < width - 1 ? 1 : 0];
      let best = depth[i];
      let goal = i;
      for (let row = first; row <= last; row += width) {
        for (let step = left; step <= right; step++) {
          const there = i + row + step;
          if (depth[there] > best) {
            best = depth[there];
            goal = there;
          }
        }
      }
      up[i] = goal;
    }
  }
  return up;
}

/**
 * Pairs of basins, highest pass first, whether that is a closure, and how wide it is in px.
 * @typedef {{ low: Int32Array, high: Int32Array, heights: Float32Array, closed: Uint8Array,
 *   openings: Float32Array, count: number }} Passes
 */

/**
 * @param {Int32Array} basins
 * @param {Float32Array} depth
 * @param {Float32Array} distance
 * @param {Float32Array} across
 * @param {number} width
 * @returns {Passes}
 */
function passesOf(basins, depth, distance, across, width) {
  const pairs = new PairTable();
  const best = { height: [], one: [], other: [] };
  const see = (/** @type {number} */ i, /** @type {number} */ j) => {
    const closing = Math.max(across[i], across[j]);
    const height = closing > 0 ? closing : Math.min(depth[i], depth[j]);
    const pair = pairs.place(basins[i], basins[j]);
    if (pair === best.height.length || height > best.height[pair]) {
      best.height[pair] = height;
      best.one[pair] = i;
      best.other[pair] = j;
    }
  };
  eachBorder(basins, width, see);
  return ranked(pairs, best, distance, across);
}

/**
 * Call for all neighbours that differ, those across first.
 * @param {Int32Array} labels
 * @param {number} width
 * @param {(one: number, other: number) => void} see
 */
function eachBorder(labels, width, see) {
  for (let start = 0; start < labels.length; start += width) {
    for (let i = start; i < start + width - 1; i++) {
      if (labels[i] !== labels[i + 1]) see(i, i + 1);
    }
  }
  for (let i = 0; i < labels.length - width; i++) {
    if (labels[i] !== labels[i + width]) see(i, i + width);
  }
}

/**
 * @param {PairTable} pairs
 * @param {{ height: number[], one: number[], other: number[] }} best
 * @param {Float32Array} distance
 * @param {Float32Array} across
 * @returns {Passes}
 */
function ranked(pairs, best, distance, across) {
  const heights = Float32Array.from(best.height);
  let order = sortedBy(upTo(pairs.count), Uint32Array.from(pairs.highs()));
  order = sortedBy(order, Uint32Array.from(pairs.lows()));
  order = sortedBy(order, descending(heights));
  const closed = new Uint8Array(pairs.count);
  const openings = new Float32Array(pairs.count);
  order.forEach((pair, place) => {
    const [one, other] = [best.one[pair], best.other[pair]];
    const closing = Math.max(across[one], across[other]);
    closed[place] = closing > 0 ? 1 : 0;
    // The pixel in the middle of an opening of n px is (n + 1) / 2 from the lines, or half less.
    const reach = Math.min(distance[one], distance[other]);
    openings[place] = closing > 0 ? 2 * closing : 2 * reach - 1;
  });
  return {
    low: Int32Array.from(order, (pair) => pairs.lows()[pair]),
    high: Int32Array.from(order, (pair) => pairs.highs()[pair]),
    heights: Float32Array.from(order, (pair) => heights[pair]),
    closed,
    openings,
    count: pairs.count,
  };
}

/**
 * Parents of the basins once those are joined whose summit hardly rises above its pass.
 * @param {Float32Array} summits
 * @param {Passes} passes
 * @param {number} rise
 */
function withoutKnolls(summits, { low, high, heights, closed, count }, rise) {
  const whole = singles(summits.length);
  const finest = singles(summits.length);
  const top = summits.slice();
  for (let pair = 0; pair < count; pair++) {
    const first = root(whole, low[pair]);
    const second = root(whole, high[pair]);
    if (first === second) continue;
    const height = heights[pair];
    if (Math.min(top[first], top[second]) - height < rise && !closed[pair]) {
      unite(finest, low[pair], high[pair]);
    } else if (height <= 0) continue;
    const highest = Math.max(top[first], top[second]);
    unite(whole, first, second);
    top[root(whole, first)] = highest;
  }
  return finest;
}

/**
 * Join each crumb to the neighbour it shares most open border with, in place; crumbs without an
 * open border, as hatching leaves them, join each other.
 * @param {Int32Array} parents
 * @param {Int32Array} basins
 * @param {Mask} ink
 */
function joinCrumbs(parents, basins, ink) {
  const first = roots(parents);
  const labels = basins.map((basin) => first[basin]);
  const areas = bincount(labels, parents.length, ink.data);
  const least = Math.max(12, CRUMB * thickness(ink.data, ink.width, ink.height) ** 2);
  /** @type {Map<number, Map<number, number>>} */
  const borders = new Map();
  const touching = new PairTable();
  eachBorder(labels, ink.width, (i, j) => {
    if (ink.data[i] || ink.data[j]) touching.place(labels[i], labels[j]);
    else addBorder(borders, labels[i], labels[j]);
  });
  const crumbs = [...borders.keys()].filter((number) => areas[number] < least);
  crumbs.sort((one, other) => areas[one] - areas[other] || one - other);
  for (const crumb of crumbs) {
    joinWidest(parents, crumb, /** @type {Map<number, number>} */ (borders.get(crumb)));
  }
  const isClosed = (/** @type {number} */ n) => areas[n] < least && !borders.has(n);
  for (let pair = 0; pair < touching.count; pair++) {
    const [one, other] = [touching.lows()[pair], touching.highs()[pair]];
    if (isClosed(one) && isClosed(other)) unite(parents, one, other);
  }
}

/** @param {Map<number, Map<number, number>>} borders @param {number} one @param {number} other */
function addBorder(borders, one, other) {
  for (const [here, there] of [
    [one, other],
    [other, one],
  ]) {
    let lengths = borders.get(here);
    if (!lengths) {
      lengths = new Map();
      borders.set(here, lengths);
    }
    lengths.set(there, (lengths.get(there) ?? 0) + 1);
  }
}

/** @param {Int32Array} parents @param {number} crumb @param {Map<number, number>} neighbours */
function joinWidest(parents, crumb, neighbours) {
  /** @type {Map<number, number>} */
  const lengths = new Map();
  for (const [neighbour, length] of neighbours) {
    const region = root(parents, neighbour);
    lengths.set(region, (lengths.get(region) ?? 0) + length);
  }
  lengths.delete(root(parents, crumb));
  let [widest, most] = [-1, 0];
  for (const [region, length] of lengths) {
    if (length > most || (length === most && region < widest)) [widest, most] = [region, length];
  }
  if (widest >= 0) unite(parents, crumb, widest);
}

/**
 * Join each region that lies in the margin alone to its most open neighbour, in place.
 * @param {Int32Array} parents
 * @param {Int32Array} inside basins of the drawing without its margin
 * @param {Passes} passes
 */
function joinMargin(parents, inside, { low, high, count }) {
  const number = roots(parents);
  const shown = new Uint8Array(parents.length);
  for (let i = 0; i < inside.length; i++) shown[number[inside[i]]] = 1;
  const before = shown.slice();
  for (let pair = 0; pair < count; pair++) {
    if (before[number[low[pair]]] && before[number[high[pair]]]) continue;
    const one = root(parents, low[pair]);
    const other = root(parents, high[pair]);
    if (one === other || (shown[one] && shown[other])) continue;
    unite(parents, one, other);
    shown[Math.min(one, other)] = shown[one] | shown[other];
  }
}

/**
 * The joins between finest regions that connect them, and their openings, widest first.
 * @param {Int32Array} numbers
 * @param {number} count
 * @param {Pick<Passes, "low" | "high" | "openings">} passes
 */
function tree(numbers, count, { low, high, openings }) {
  const parents = singles(count);
  const joins = [];
  const widths = [];
  for (const pair of sortedBy(upTo(openings.length), descending(openings))) {
    if (!(openings[pair] > 0)) break;
    const [one, other] = [numbers[low[pair]], numbers[high[pair]]];
    if (root(parents, one) === root(parents, other)) continue;
    unite(parents, one, other);
    joins.push(one, other);
    widths.push(openings[pair]);
  }
  return { joins: Int32Array.from(joins), openings: Float32Array.from(widths) };
}

/**
 * Labels of a smaller map at full size, their borders found again between the lines.
 * @param {Int32Array} labels
 * @param {number} across width of the smaller map
 * @param {Uint8Array} ink
 * @param {number} width
 * @param {number} height
 * @param {number} factor
 */
function refined(labels, across, ink, width, height, factor) {
  const border = borderOf(labels, across);
  const large = new Int32Array(width * height);
  const near = new Uint8Array(width * height);
  for (let y = 0, i = 0; y < height; y++) {
    const row = Math.floor(y / factor) * across;
    for (let x = 0; x < width; x++, i++) {
      const from = row + Math.floor(x / factor);
      large[i] = labels[from];
      near[i] = border[from];
    }
  }
  let most = 0;
  for (let i = 0; i < labels.length; i++) if (labels[i] > most) most = labels[i];
  const stays = bincount(large, most + 1, near);
  for (let i = 0; i < large.length; i++) if (near[i] && stays[large[i]]) large[i] = -1;
  grow(large, ink, width, height);
  grow(large, null, width, height);
  return large;
}

/**
 * Where one of the eight neighbours has another label: 1.
 * @param {Int32Array} labels
 * @param {number} width
 */
function borderOf(labels, width) {
  const height = labels.length / width;
  const border = new Uint8Array(labels.length);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      for (let row = Math.max(y - 1, 0); row <= y + 1 && row < height; row++) {
        for (let column = Math.max(x - 1, 0); column <= x + 1 && column < width; column++) {
          if (labels[row * width + column] !== labels[i]) border[i] = 1;
        }
      }
    }
  }
  return border;
}

/**
 * Let labels spread to those of -1 where there is no ink, a pixel at a time, in place.
 * @param {Int32Array} labels
 * @param {Uint8Array | null} ink null: everywhere
 * @param {number} width
 * @param {number} height
 */
function grow(labels, ink, width, height) {
  let left = [];
  for (let i = 0; i < labels.length; i++) if (labels[i] < 0 && !ink?.[i]) left.push(i);
  while (left.length) {
    const places = [];
    const found = [];
    const rest = [];
    for (const i of left) {
      const label = neighbourOf(labels, i, width, height);
      if (label < 0) rest.push(i);
      else {
        places.push(i);
        found.push(label);
      }
    }
    if (!places.length) return;
    for (let n = 0; n < places.length; n++) labels[places[n]] = found[n];
    left = rest;
  }
}

/** @param {Int32Array} labels @param {number} i @param {number} width @param {number} height */
function neighbourOf(labels, i, width, height) {
  const column = i % width;
  if (i >= width && labels[i - width] >= 0) return labels[i - width];
  if (column > 0 && labels[i - 1] >= 0) return labels[i - 1];
  if (column < width - 1 && labels[i + 1] >= 0) return labels[i + 1];
  return i < width * (height - 1) ? labels[i + width] : -1;
}
