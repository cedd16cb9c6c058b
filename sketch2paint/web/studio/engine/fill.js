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
 * A region with several strokes: what just holds it, the nearest stroke at each pixel of that, and
 * how many of the region's pixels each stroke has, and how many of these are free.
 * @typedef {{ left: number, top: number, width: number, height: number, region: number,
 *   strokes: Int32Array, counts: Map<number, { all: number, free: number }> }} Mixed
 * @typedef {{ taken: Int32Array, mixed: Mixed[] }} Filled strokes of the finest regions, 0 for none
 * @typedef {{ map: Uint16Array, places: number[] }} Seeds a map of strokes, and where it is not 0
 */

/**
 * Say for each region which stroke it takes its colour from.
 * @param {Regions} regions
 * @param {Uint16Array} marks number of the stroke at each pixel, 0 where there is none; it is used up
 * @param {number | null} gap px of the widest opening that is a border
 * @returns {Filled}
 */
export function fill(regions, marks, gap) {
  const groups = regions.groups(gap);
  const seeds = seedsOf(regions, marks, groups);
  const strokes = strokesIn(regions, seeds);
  const taken = new Int32Array(regions.count);
  for (const [region, { numbers }] of strokes) taken[region] = Math.min(...numbers);
  let ofAll = spread(regions, groups, taken);
  if (gap === null) ofAll = spread(regions, enclosed(regions, groups), ofAll);
  const mixed = [];
  for (const [region, { numbers, key }] of strokes) {
    if (numbers.size > 1) mixed.push(mixedIn(regions, region, seeds.map, key));
  }
  return { taken: ofAll, mixed };
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
 * @param {Regions} regions
 * @param {Uint16Array} marks
 * @param {Int32Array} groups
 * @returns {Seeds}
 */
function seedsOf(regions, marks, groups) {
  const area = new Int32Array(regions.count);
  regions.freeAreas.forEach((free, region) => {
    area[groups[region]] += free;
  });
  const places = marked(marks);
  const { here, sums } = countsOf(regions, marks, places, groups);
  const onLine = [...sums].filter(([, sum]) => sum.free < (1 - ON_INK) * sum.all);
  const lines = new Set(onLine.map(([stroke]) => stroke));
  const meant = (/** @type {number} */ stroke, /** @type {number} */ group) => {
    const free = /** @type {Map<number, number>} */ (here.get(stroke)).get(group) ?? 0;
    const all = /** @type {{ free: number }} */ (sums.get(stroke)).free;
    return !lines.has(stroke) && free > 0 && (free >= SHARE * all || free >= COVER * area[group]);
  };
  const ordered = [...lines].sort((one, other) => one - other);
  const own = ordered.map((stroke) => places.filter((place) => marks[place] === stroke));
  const seeds = { map: marks, places: /** @type {number[]} */ ([]) };
  for (const i of places) {
    if (meant(marks[i], groups[regions.labels[i]])) seeds.places.push(i);
    else marks[i] = 0;
  }
  ordered.forEach((stroke, n) => {
    besideLine(seeds, regions, groups, area, own[n], stroke);
  });
  return seeds;
}

/** Where there are strokes. @param {Uint16Array} marks */
function marked(marks) {
  const places = [];
  for (let i = 0; i < marks.length; i++) if (marks[i]) places.push(i);
  return places;
}

/**
 * Free pixels of each stroke in each group, and free and all pixels of each stroke.
 * @param {Regions} regions
 * @param {Uint16Array} marks
 * @param {number[]} places
 * @param {Int32Array} groups
 */
function countsOf(regions, marks, places, groups) {
  /** @type {Map<number, Map<number, number>>} */
  const here = new Map();
  /** @type {Map<number, { free: number, all: number }>} */
  const sums = new Map();
  for (const i of places) {
    const stroke = marks[i];
    let sum = sums.get(stroke);
    if (!sum) {
      sum = { free: 0, all: 0 };
      sums.set(stroke, sum);
      here.set(stroke, new Map());
    }
    sum.all++;
    if (regions.ink[i]) continue;
    sum.free++;
    const group = groups[regions.labels[i]];
    const counts = /** @type {Map<number, number>} */ (here.get(stroke));
    counts.set(group, (counts.get(group) ?? 0) + 1);
  }
  return { here, sums };
}

/**
 * Set a stroke that lies on a line into the smaller region beside it, in place; what lies inside a
 * filled shape has no region beside it.
 * @param {Seeds} seeds
 * @param {Regions} regions
 * @param {Int32Array} groups
 * @param {Int32Array} area
 * @param {number[]} own places of the stroke
 * @param {number} stroke
 */
function besideLine(seeds, regions, groups, area, own, stroke) {
  const reach = Math.ceil(LINE * regions.side) + 8;
  const box = boxAround(regions, own, reach);
  const places = placesIn(box, regions.width);
  const mask = new Uint8Array(places.length).fill(1);
  for (const place of own) {
    const row = Math.floor(place / regions.width);
    mask[(row - box.top) * box.width + place - row * regions.width - box.left] = 0;
  }
  const { away } = nearest(mask, box.width, box.height);
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
 * @param {number[]} places
 * @param {number} reach
 */
function boxAround({ width, height }, places, reach) {
  let [left, right, top, bottom] = [width, -1, height, -1];
  for (const place of places) {
    const y = Math.floor(place / width);
    const x = place - y * width;
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
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
  const places = new Int32Array(box.width * box.height);
  for (let y = 0, n = 0; y < box.height; y++) {
    const row = (box.top + y) * across + box.left;
    for (let x = 0; x < box.width; x++) places[n++] = row + x;
  }
  return places;
}

/**
 * The strokes in each finest region that has some, and a key that tells whether they are the same.
 * @param {Regions} regions
 * @param {Seeds} seeds
 */
function strokesIn(regions, { map, places }) {
  /** @type {Map<number, { numbers: Set<number>, count: number, sum: number, mixed: number }>} */
  const found = new Map();
  for (const place of places) {
    const region = regions.labels[place];
    let here = found.get(region);
    if (!here) {
      here = { numbers: new Set(), count: 0, sum: 0, mixed: 0 };
      found.set(region, here);
    }
    here.numbers.add(map[place]);
    here.count++;
    here.sum += place;
    here.mixed = Math.imul(here.mixed ^ place, 0x9e3779b1) + map[place];
  }
  return [...found].map(([region, { numbers, count, sum, mixed }]) => {
    return /** @type {const} */ ([region, { numbers, key: `${[count, sum, mixed]}` }]);
  });
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

/**
 * A region with the nearest of the strokes in it, at each pixel; as it was, if they are the same.
 * @param {Regions} regions
 * @param {number} region
 * @param {Uint16Array} seeds
 * @param {string} key
 */
function mixedIn(regions, region, seeds, key) {
  const before = regions.found.get(region);
  if (before?.key === key) return before.mixed;
  const [left, top, right, bottom] = regions.bounds().subarray(4 * region, 4 * region + 4);
  const box = { left, top, width: right - left + 1, height: bottom - top + 1 };
  const mixed = withNearest(box, regions, region, seeds);
  regions.found.set(region, { key, mixed });
  return mixed;
}

/**
 * @param {{ left: number, top: number, width: number, height: number }} box
 * @param {Regions} regions
 * @param {number} region
 * @param {Uint16Array} seeds
 * @returns {Mixed}
 */
function withNearest(box, regions, region, seeds) {
  const places = placesIn(box, regions.width);
  const mask = new Uint8Array(places.length);
  for (let n = 0; n < mask.length; n++) {
    mask[n] = seeds[places[n]] && regions.labels[places[n]] === region ? 0 : 1;
  }
  const { place: strokes } = nearest(mask, box.width, box.height);
  for (let n = 0; n < strokes.length; n++) strokes[n] = seeds[places[strokes[n]]];
  const mixed = { ...box, region, strokes, counts: new Map() };
  eachMixed(regions, [mixed], (place, stroke) => {
    const counts = mixed.counts.get(stroke) ?? { all: 0, free: 0 };
    if (!counts.all) mixed.counts.set(stroke, counts);
    counts.all++;
    if (!regions.ink[place]) counts.free++;
  });
  return mixed;
}
