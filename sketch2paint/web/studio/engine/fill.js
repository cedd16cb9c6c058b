// Which stroke each region of a drawing takes, without a network; sketch2paint/hints/fill.py again.

import { nearest } from "./distance.js";
import { root, singles, unite } from "./sets.js";

/** @typedef {import("./regions.js").Regions} Regions */

const SHARE = 0.25; // of a stroke's free pixels that lie in a region for which it is meant
const COVER = 0.5; // of a region's free pixels under a stroke that is meant for it in any case
const ON_INK = 0.5; // of a stroke's pixels that lie on ink when it was set on a line
const LINE = 0.02; // of the shorter side, and 8 px: who is that far from paper is inside a shape
const HOLD = 0.025; // of the shorter side: no narrower opening lets a stroke through, unless told

/**
 * Strokes of the finest regions, 0 for none; of those with several, the nearest at each pixel.
 * @typedef {{ left: number, top: number, width: number, height: number, region: number,
 *   strokes: Int32Array }} Mixed
 * @typedef {{ taken: Int32Array, mixed: Mixed[] }} Filled
 */

/**
 * Say for each region which stroke it takes its colour from.
 * @param {Regions} regions
 * @param {Int32Array} marks number of the stroke at each pixel, 0 where there is none
 * @param {number | null} gap px of the widest opening that is a border
 * @returns {Filled}
 */
export function fill(regions, marks, gap) {
  const groups = regions.groups(gap);
  const seeds = seedsOf(regions, marks, groups);
  const strokes = strokesIn(regions, seeds);
  const taken = new Int32Array(regions.count);
  for (const [region, found] of strokes) taken[region] = Math.min(...found);
  let ofAll = spread(regions, groups, taken);
  if (gap === null) ofAll = spread(regions, enclosed(regions, groups), ofAll);
  const several = [...strokes].filter(([, found]) => found.size > 1);
  const boxes = boxesOf(regions, new Set(several.map(([region]) => region)));
  return { taken: ofAll, mixed: boxes.map((box) => withNearest(box, regions, seeds.map)) };
}

/** The stroke of each pixel, 0 for none. @param {Regions} regions @param {Filled} filled */
export function filledMap(regions, { taken, mixed }) {
  const map = regions.labels.map((label) => taken[label]);
  eachMixed(regions, mixed, (place, stroke) => {
    map[place] = stroke;
  });
  return map;
}

/**
 * Call for each pixel of the regions that hold several strokes.
 * @param {Regions} regions
 * @param {Mixed[]} mixed
 * @param {(place: number, stroke: number, region: number) => void} see
 */
export function eachMixed(regions, mixed, see) {
  for (const { left, top, width, height, region, strokes } of mixed) {
    for (let y = 0, n = 0; y < height; y++) {
      const row = (top + y) * regions.width + left;
      for (let x = 0; x < width; x++, n++) {
        if (regions.labels[row + x] === region) see(row + x, strokes[n], region);
      }
    }
  }
}

/**
 * Wider groups of the finest regions, of which those of the paper outside are left alone.
 * @param {Regions} regions
 * @param {Int32Array} groups
 */
function enclosed(regions, groups) {
  const wider = regions.groups(HOLD * regions.side);
  const outside = regions.outside();
  return wider.map((group, region) => (outside[groups[region]] ? -1 - groups[region] : group));
}

/**
 * The strokes, only where they are in a region for which they are meant.
 * @typedef {{ map: Int32Array, places: number[] }} Seeds
 * @param {Regions} regions
 * @param {Int32Array} marks
 * @param {Int32Array} groups
 * @returns {Seeds}
 */
function seedsOf(regions, marks, groups) {
  const area = new Int32Array(regions.count);
  regions.freeAreas.forEach((free, region) => {
    area[groups[region]] += free;
  });
  const { here, sums } = countsOf(regions, marks, groups);
  const onLine = [...sums].filter(([, sum]) => sum.free < (1 - ON_INK) * sum.all);
  const lines = new Set(onLine.map(([stroke]) => stroke));
  const meant = (/** @type {number} */ stroke, /** @type {number} */ group) => {
    const free = /** @type {Map<number, number>} */ (here.get(stroke)).get(group) ?? 0;
    const all = /** @type {{ free: number }} */ (sums.get(stroke)).free;
    return !lines.has(stroke) && free > 0 && (free >= SHARE * all || free >= COVER * area[group]);
  };
  const seeds = { map: new Int32Array(marks.length), places: /** @type {number[]} */ ([]) };
  eachMark(marks, (i, stroke) => {
    if (meant(stroke, groups[regions.labels[i]])) {
      seeds.map[i] = stroke;
      seeds.places.push(i);
    }
  });
  for (const stroke of [...lines].sort((one, other) => one - other)) {
    besideLine(seeds, regions, groups, area, marks, stroke);
  }
  return seeds;
}

/** @param {Int32Array} marks @param {(place: number, stroke: number) => void} see */
function eachMark(marks, see) {
  for (let i = 0; i < marks.length; i++) if (marks[i]) see(i, marks[i]);
}

/**
 * Free pixels of each stroke in each group, and free and all pixels of each stroke.
 * @param {Regions} regions
 * @param {Int32Array} marks
 * @param {Int32Array} groups
 */
function countsOf(regions, marks, groups) {
  /** @type {Map<number, Map<number, number>>} */
  const here = new Map();
  /** @type {Map<number, { free: number, all: number }>} */
  const sums = new Map();
  eachMark(marks, (i, stroke) => {
    let sum = sums.get(stroke);
    if (!sum) {
      sum = { free: 0, all: 0 };
      sums.set(stroke, sum);
      here.set(stroke, new Map());
    }
    sum.all++;
    if (regions.ink[i]) return;
    sum.free++;
    const group = groups[regions.labels[i]];
    const counts = /** @type {Map<number, number>} */ (here.get(stroke));
    counts.set(group, (counts.get(group) ?? 0) + 1);
  });
  return { here, sums };
}

/**
 * Set a stroke that lies on a line into the smaller region beside it, in place; what lies inside a
 * filled shape has no region beside it.
 * @param {Seeds} seeds
 * @param {Regions} regions
 * @param {Int32Array} groups
 * @param {Int32Array} area
 * @param {Int32Array} marks
 * @param {number} stroke
 */
function besideLine(seeds, regions, groups, area, marks, stroke) {
  const reach = Math.ceil(LINE * regions.side) + 8;
  const box = boxAround(regions, marks, stroke, reach);
  const places = placesIn(box, regions.width);
  const { away } = nearest(
    Uint8Array.from(places, (place) => (marks[place] === stroke ? 0 : 1)),
    box.width,
    box.height,
  );
  let least = Infinity;
  places.forEach((place, n) => {
    if (!regions.ink[place] && away[n] < least) least = away[n];
  });
  if (!(least <= reach * 65536)) return;
  const limit = 2 * least + 2 * 65536; // a line has two sides
  const near = places.filter((place, n) => !regions.ink[place] && away[n] <= limit);
  let chosen = -1;
  for (const place of near) {
    const group = groups[regions.labels[place]];
    const less = chosen < 0 || area[group] < area[chosen];
    if (less || (area[group] === area[chosen] && group < chosen)) chosen = group;
  }
  for (const place of near) {
    if (groups[regions.labels[place]] !== chosen) continue;
    seeds.map[place] = stroke;
    seeds.places.push(place);
  }
}

/**
 * @param {Regions} regions
 * @param {Int32Array} marks
 * @param {number} stroke
 * @param {number} reach
 */
function boxAround({ width, height }, marks, stroke, reach) {
  let [left, right, top, bottom] = [width, -1, height, -1];
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      if (marks[i] !== stroke) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = y;
    }
  }
  left = Math.max(left - reach, 0);
  top = Math.max(top - reach, 0);
  right = Math.min(right + reach, width - 1);
  bottom = Math.min(bottom + reach, height - 1);
  return { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/**
 * @param {{ left: number, top: number, width: number, height: number }} box
 * @param {number} across
 */
function placesIn(box, across) {
  return Int32Array.from({ length: box.width * box.height }, (_, n) => {
    const y = Math.floor(n / box.width);
    return (box.top + y) * across + box.left + n - y * box.width;
  });
}

/**
 * The strokes in each finest region that has some.
 * @param {Regions} regions
 * @param {Seeds} seeds
 */
function strokesIn(regions, { map, places }) {
  /** @type {Map<number, Set<number>>} */
  const found = new Map();
  for (const place of places) {
    const region = regions.labels[place];
    const strokes = found.get(region);
    if (strokes) strokes.add(map[place]);
    else found.set(region, new Set([map[place]]));
  }
  return found;
}

/**
 * Let finest regions without a stroke take one by the widest openings, within their group.
 * @param {Regions} regions
 * @param {Int32Array} groups
 * @param {Int32Array} taken stroke of each region, 0 for none
 */
export function spread(regions, groups, taken) {
  const parents = singles(regions.count);
  const strokes = taken.slice();
  const { joins } = regions;
  for (let j = 0; j < joins.length; j += 2) {
    if (groups[joins[j]] !== groups[joins[j + 1]]) continue; // widest first
    const one = root(parents, joins[j]);
    const other = root(parents, joins[j + 1]);
    if (one === other || (strokes[one] && strokes[other])) continue;
    const stroke = strokes[one] || strokes[other];
    unite(parents, one, other);
    strokes[root(parents, one)] = stroke;
  }
  return strokes.map((_, region) => strokes[root(parents, region)]);
}

/** What just holds each of some regions. @param {Regions} regions @param {Set<number>} wanted */
function boxesOf(regions, wanted) {
  /** @type {Map<number, Record<"region" | "left" | "right" | "top" | "bottom", number>>} */
  const found = new Map();
  if (!wanted.size) return [];
  for (let y = 0, i = 0; y < regions.height; y++) {
    for (let x = 0; x < regions.width; x++, i++) {
      const region = regions.labels[i];
      if (!wanted.has(region)) continue;
      const box = found.get(region);
      if (!box) found.set(region, { region, left: x, right: x, top: y, bottom: y });
      else {
        if (x < box.left) box.left = x;
        if (x > box.right) box.right = x;
        box.bottom = y;
      }
    }
  }
  return [...found.values()].map(({ region, left, right, top, bottom }) => {
    return { region, left, top, width: right - left + 1, height: bottom - top + 1 };
  });
}

/**
 * A region with the nearest of the strokes in it, at each pixel.
 * @param {{ region: number, left: number, top: number, width: number, height: number }} box
 * @param {Regions} regions
 * @param {Int32Array} seeds
 * @returns {Mixed}
 */
function withNearest(box, regions, seeds) {
  const places = placesIn(box, regions.width);
  const inside = places.map((place) => (regions.labels[place] === box.region ? seeds[place] : 0));
  const { place } = nearest(
    Uint8Array.from(inside, (stroke) => (stroke ? 0 : 1)),
    box.width,
    box.height,
  );
  return { ...box, strokes: place.map((from) => inside[from]) };
}
