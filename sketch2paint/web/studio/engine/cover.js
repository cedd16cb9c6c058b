// Pixels to the stroke that covers just these: a dot or a straight line where there is one that
// does, else a path of width 1 through all of them.

import { runsOf, touching } from "./runs.js";
import { draw } from "./strokes.js";

/**
 * @typedef {import("./strokes.js").Point} Point
 * @typedef {import("./areas.js").Area} Area
 */

/**
 * Points and width of a stroke over an area, in pixels of the drawing.
 * @param {Area} area
 * @returns {{ points: Point[], width: number }}
 */
export function strokeOver(area) {
  const found = simple(area) ?? { points: pathThrough(area), width: 1 };
  const points = found.points.map(([x, y]) => /** @type {Point} */ ([x + area.x, y + area.y]));
  return { points, width: found.width };
}

/** A dot or a straight line that covers just these pixels. @param {Area} area */
function simple(area) {
  const rims = rimOf(area);
  const count = area.mask.reduce((sum, on) => sum + on, 0);
  for (const [a, b] of guesses(area, rims)) {
    const width = Math.max(1, 2 * Math.max(...rims.map((pixel) => distance(pixel, a, b))));
    const length = Math.sqrt((b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2);
    const drawn = width * length + (Math.PI / 4) * width ** 2;
    if (!(count / 3 < drawn && drawn < count * 3)) continue; // no need to draw it
    const points = sorted(a, b);
    for (const tried of [Math.ceil(width), width]) {
      if (isDrawnBy(points, tried, area)) return { points, width: tried };
    }
  }
  return null;
}

/**
 * Both points, or one where they are equal, from left to right.
 * @param {Point} a
 * @param {Point} b
 */
function sorted(a, b) {
  if (a[0] === b[0] && a[1] === b[1]) return [a];
  return a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]) ? [a, b] : [b, a];
}

/** The ends of all rows: what is farthest out. @param {Area} area @returns {Point[]} */
function rimOf({ mask, width, height }) {
  const { y, start, stop } = runsOf(mask, width, height);
  return [...y].flatMap((row, run) => {
    return /** @type {Point[]} */ ([
      [start[run], row],
      [stop[run] - 1, row],
    ]);
  });
}

/** @param {Point[]} points @param {number} width @param {Area} area */
function isDrawnBy(points, width, area) {
  const across = area.width + 4; // framed, or what is too much would not be seen
  const data = new Uint8Array(across * (area.height + 4));
  const framed = points.map(([x, y]) => /** @type {Point} */ ([x + 2, y + 2]));
  const map = { data, width: across, height: area.height + 4 };
  draw({ points: framed, width, color: null }, 1, map);
  for (let y = 0, i = 0; y < map.height; y++) {
    for (let x = 0; x < across; x++, i++) {
      const inside = x >= 2 && y >= 2 && x < across - 2 && y < map.height - 2;
      const wanted = inside ? area.mask[(y - 2) * area.width + x - 2] : 0;
      if (data[i] !== wanted) return false;
    }
  }
  return true;
}

/**
 * Ends of lines that an area might be: of a dot, and along its main axis.
 * @param {Area} area
 * @param {Point[]} rims
 */
function* guesses(area, rims) {
  const bounds = [0, 1].map((axis) => {
    const places = rims.map((pixel) => pixel[axis]);
    return (least(places) + most(places)) / 2;
  });
  const middle = /** @type {Point} */ (bounds);
  yield [middle, middle];
  const round = roundMiddle(rims);
  yield [round, round];
  const { mean, angle } = axisOf(area);
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  const away = rims.map(([x, y]) => [x - mean[0], y - mean[1]]);
  const across = away.map(([x, y]) => -sine * x + cosine * y);
  const along = away.map(([x, y]) => cosine * x + sine * y);
  const [half, side] = [(most(across) - least(across)) / 2, (least(across) + most(across)) / 2];
  for (const short of [half, 0]) {
    // By the round ends, which a thin line has not.
    const ends = [least(along) + short, most(along) - short].map((place) => {
      const x = mean[0] - side * sine + place * cosine;
      const y = mean[1] + side * cosine + place * sine;
      return /** @type {Point} */ ([Math.round(x), Math.round(y)]);
    });
    yield ends;
  }
}

/**
 * Middle of the smallest circle around some pixels (Welzl 1991).
 * @param {Point[]} pixels
 * @returns {Point}
 */
function roundMiddle(pixels) {
  let circle = { x: pixels[0][0], y: pixels[0][1], square: 0 };
  const outside = (/** @type {Point} */ [x, y]) =>
    (x - circle.x) ** 2 + (y - circle.y) ** 2 > circle.square + 1e-7;
  for (let i = 1; i < pixels.length; i++) {
    if (!outside(pixels[i])) continue;
    circle = { x: pixels[i][0], y: pixels[i][1], square: 0 };
    for (let j = 0; j < i; j++) {
      if (!outside(pixels[j])) continue;
      circle = around(pixels[i], pixels[j]);
      for (let k = 0; k < j; k++) {
        if (outside(pixels[k])) circle = around(pixels[i], pixels[j], pixels[k]);
      }
    }
  }
  return [circle.x, circle.y];
}

/**
 * The circle through two pixels, or through three.
 * @param {Point} a
 * @param {Point} b
 * @param {Point} [c]
 */
function around(a, b, c) {
  let [x, y] = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  if (c) {
    const [bx, by, cx, cy] = [b[0] - a[0], b[1] - a[1], c[0] - a[0], c[1] - a[1]];
    const twice = 2 * (bx * cy - by * cx);
    const [bb, cc] = [bx * bx + by * by, cx * cx + cy * cy];
    if (twice) {
      x = a[0] + (cy * bb - by * cc) / twice;
      y = a[1] + (bx * cc - cx * bb) / twice;
    }
  }
  return { x, y, square: (a[0] - x) ** 2 + (a[1] - y) ** 2 };
}

/** @param {number[]} values */
function least(values) {
  return values.reduce((one, other) => Math.min(one, other));
}

/** @param {number[]} values */
function most(values) {
  return values.reduce((one, other) => Math.max(one, other));
}

/** Middle and direction of an area, by its moments. @param {Area} area */
function axisOf({ mask, width, height }) {
  let [count, sumX, sumY, xx, xy, yy] = [0, 0, 0, 0, 0, 0];
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      if (!mask[i]) continue;
      count++;
      sumX += x;
      sumY += y;
      xx += x * x;
      xy += x * y;
      yy += y * y;
    }
  }
  const mean = [sumX / count, sumY / count];
  const [spreadX, spreadY] = [xx - sumX * mean[0], yy - sumY * mean[1]];
  const both = xy - sumX * mean[1];
  return { mean, angle: Math.atan2(2 * both, spreadX - spreadY) / 2 };
}

/** How far a pixel is from a segment. @param {Point} pixel @param {Point} a @param {Point} b */
function distance([x, y], a, b) {
  const along = [b[0] - a[0], b[1] - a[1]];
  const square = Math.max(along[0] ** 2 + along[1] ** 2, 1e-9);
  const share = ((x - a[0]) * along[0] + (y - a[1]) * along[1]) / square;
  const at = Math.min(Math.max(share, 0), 1);
  return Math.sqrt((x - a[0] - at * along[0]) ** 2 + (y - a[1] - at * along[1]) ** 2);
}

/**
 * A line of width 1 through every pixel of an area and no others, by rows or by columns.
 * @param {Area} area
 * @returns {Point[]}
 */
function pathThrough({ mask, width, height }) {
  const rows = runsOf(mask, width, height);
  const turned = new Uint8Array(mask.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) turned[x * height + y] = mask[y * width + x];
  }
  const columns = runsOf(turned, height, width);
  if (rows.y.length <= columns.y.length) return walk(rows);
  return walk(columns).map(([y, x]) => [x, y]);
}

/**
 * Turning points of a walk through all runs, from each to one that touches it.
 * @param {import("./runs.js").Runs} runs
 * @returns {Point[]}
 */
function walk(runs) {
  /** @type {number[][]} */
  const near = Array.from(runs.y, () => []);
  for (const [upper, lower] of touching(runs).reverse()) {
    near[lower].push(upper);
    near[upper].push(lower);
  }
  const fresh = new Set(near.keys());
  fresh.delete(0);
  const trail = [0];
  const way = new Way(runs);
  way.sweep(0);
  while (fresh.size) {
    const run = trail[trail.length - 1];
    let next = near[run].pop();
    while (next !== undefined && !fresh.has(next)) next = near[run].pop();
    if (next === undefined) {
      trail.pop(); // a dead end: back
      way.step(run, trail[trail.length - 1]);
      continue;
    }
    trail.push(next);
    fresh.delete(next);
    way.step(run, next);
    way.sweep(next);
  }
  return way.points;
}

/** Where a walk through runs has turned so far. */
class Way {
  /** @param {import("./runs.js").Runs} runs */
  constructor(runs) {
    this.runs = runs;
    /** @type {Point[]} */
    this.points = [[runs.start[0], runs.y[0]]];
  }

  get last() {
    return this.points[this.points.length - 1];
  }

  /**
   * Go over to a run that touches this one, straight or by a corner.
   * @param {number} run
   * @param {number} other
   */
  step(run, other) {
    const x = this.within(this.within(this.last[0], other), run);
    this.go(x, this.runs.y[run]);
    this.go(this.within(x, other), this.runs.y[other]);
  }

  /** The column of a run that is nearest to one. @param {number} x @param {number} run */
  within(x, run) {
    return Math.min(Math.max(x, this.runs.start[run]), this.runs.stop[run] - 1);
  }

  /** Visit both ends of a run, the nearer one first. @param {number} run */
  sweep(run) {
    const ends = [this.runs.start[run], this.runs.stop[run] - 1];
    const x = this.last[0];
    ends.sort((one, other) => Math.abs(one - x) - Math.abs(other - x));
    for (const end of ends) this.go(end, this.runs.y[run]);
  }

  /** @param {number} x @param {number} y */
  go(x, y) {
    if (this.last[0] === x && this.last[1] === y) return;
    if (this.points.length > 1 && this.isStraightOn(x, y)) this.points.pop();
    this.points.push([x, y]);
  }

  /** @param {number} x @param {number} y */
  isStraightOn(x, y) {
    const [firstX, firstY] = this.points[this.points.length - 2];
    const [lastX, lastY] = this.last;
    const across = firstY === lastY && lastY === y && (lastX - firstX) * (x - lastX) > 0;
    return across || (firstX === lastX && lastX === x && (lastY - firstY) * (y - lastY) > 0);
  }
}
