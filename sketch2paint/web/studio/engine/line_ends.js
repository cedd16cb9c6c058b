// Openings between the ends of lines: two ends that look at each other are joined.

import { exactDistance, isRidge } from "./distance.js";
import { clamp, rint } from "./numbers.js";

const WIDEST = 0.099; // of the shorter side: no wider does an opening between two line ends count
const LONGEST = 0.65; // of the shorter side: no closure is longer
const MOST_ENDS = 500; // with more line ends the drawing is hatched, and to join them means nothing
const DIRECTIONS = 32; // in which an end of a line is looked for

/**
 * @typedef {{ x: number, y: number, aheadX: number, aheadY: number, radius: number }} End
 * @typedef {{ data: Uint8Array, width: number, height: number }} Mask
 */

/**
 * Ends of lines, with the direction in which each would go on.
 * @param {Mask} ink
 * @returns {End[]}
 */
function lineEnds(ink) {
  const { data, width, height } = ink;
  const half = exactDistance(data, width, height, true);
  /** @type {End[]} */
  const found = [];
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      if (!data[i] || !isRidge(half, width, height, x, y)) continue;
      const end = endAt(ink, x, y, half[i]);
      if (end) found.push(end);
    }
  }
  return outermost(found);
}

const ANGLES = Array.from({ length: DIRECTIONS }, (_, n) => (n * 2 * Math.PI) / DIRECTIONS);
const SINES = ANGLES.map(Math.sin);
const COSINES = ANGLES.map(Math.cos);

/**
 * The end of a line, if a ring about a pixel of its middle crosses ink once.
 * @param {Mask} ink
 * @param {number} x
 * @param {number} y
 * @param {number} radius
 * @returns {End | null}
 */
function endAt(ink, x, y, radius) {
  const around = radius + 3;
  let count = 0;
  let crossings = 0;
  let before = isInk(ink, x, y, around, DIRECTIONS - 1);
  let [aheadX, aheadY] = [0, 0];
  for (let n = 0; n < DIRECTIONS; n++) {
    const on = isInk(ink, x, y, around, n);
    if (on < 0) return null; // the ring leaves the drawing
    if (on) {
      count++;
      aheadX -= COSINES[n];
      aheadY -= SINES[n];
      if (!before) crossings++;
    }
    before = on;
  }
  const arc = ((count * 2 * Math.PI) / DIRECTIONS) * around;
  if (crossings !== 1 || !(arc < 3 * radius + 2)) return null;
  const length = Math.max(Math.sqrt(aheadX * aheadX + aheadY * aheadY), 1e-6);
  return { x, y, aheadX: aheadX / length, aheadY: aheadY / length, radius };
}

/**
 * Whether there is ink on a ring in one direction; -1 outside of the drawing.
 * @param {Mask} ink
 * @param {number} x
 * @param {number} y
 * @param {number} around
 * @param {number} n
 */
function isInk(ink, x, y, around, n) {
  const row = rint(y + around * SINES[n]);
  const column = rint(x + around * COSINES[n]);
  if (row < 0 || row >= ink.height || column < 0 || column >= ink.width) return -1;
  return ink.data[row * ink.width + column];
}

/**
 * One end of each cluster, the furthest out in the direction of the thickest.
 * @param {End[]} ends
 */
function outermost(ends) {
  const kept = [];
  let left = ends.slice().sort((one, other) => other.radius - one.radius);
  while (left.length) {
    const { x, y, aheadX, aheadY, radius } = left[0];
    const rest = [];
    let best = null;
    let furthest = -Infinity;
    for (const end of left) {
      if (Math.sqrt((end.x - x) ** 2 + (end.y - y) ** 2) > radius + 4) rest.push(end);
      else if (end.x * aheadX + end.y * aheadY > furthest) {
        furthest = end.x * aheadX + end.y * aheadY;
        best = end;
      }
    }
    kept.push(/** @type {End} */ (best));
    left = rest;
    if (kept.length > MOST_ENDS) return [];
  }
  return kept;
}

/**
 * Pairs of line ends that close an opening, and its width in px; each end once.
 * @param {Mask} ink
 * @param {End[]} ends
 * @param {number} longest
 */
function closures(ink, ends, longest) {
  const found = [];
  const taken = new Set();
  for (const { one, other, length } of candidates(ends, longest)) {
    if (taken.has(one) || taken.has(other)) continue;
    const [start, stop] = [ends[one], ends[other]];
    const way = between(ink, start, stop, start.radius + 2, length - stop.radius - 2);
    if (way.some((on) => on)) continue;
    taken.add(one).add(other);
    const free = between(ink, start, stop, 0, length + 1).filter((on) => !on).length;
    const away = Math.max(Math.abs(stop.x - start.x), Math.abs(stop.y - start.y));
    found.push({ start, stop, opening: (free * length) / (away + 1e-6) });
  }
  return found;
}

/**
 * Pairs of ends that look at each other, the short and straight ones first.
 * @param {End[]} ends
 * @param {number} longest
 */
function candidates(ends, longest) {
  const found = [];
  for (let one = 0; one < ends.length; one++) {
    for (let other = one + 1; other < ends.length; other++) {
      const x = ends[other].x - ends[one].x;
      const y = ends[other].y - ends[one].y;
      const length = Math.sqrt(x * x + y * y);
      if (!(length >= 1 && length <= longest)) continue;
      const [towardX, towardY] = [x / length, y / length];
      const first = ends[one].aheadX * towardX + ends[one].aheadY * towardY;
      const second = -(ends[other].aheadX * towardX + ends[other].aheadY * towardY);
      if (Math.min(first, second) < -0.5) continue;
      found.push({ one, other, length, cost: length * (2 - (first + second) / 2) });
    }
  }
  return found.sort((a, b) => a.cost - b.cost);
}

/**
 * Ink along the line from one end to the other, a step of one row or column at a time.
 * @param {Mask} ink
 * @param {End} start
 * @param {End} stop
 * @param {number} first
 * @param {number} last
 */
function between(ink, start, stop, first, last) {
  const [x, y] = [stop.x - start.x, stop.y - start.y];
  const length = Math.sqrt(x * x + y * y);
  const step = length / Math.max(Math.abs(x), Math.abs(y), 1e-6);
  const exact = first + step - first;
  const on = [];
  for (let n = 0; n < Math.ceil((last - first) / step); n++) {
    const place = (first + n * exact) / Math.max(length, 1e-6);
    const column = clamp(rint(start.x + x * place), 0, ink.width - 1);
    const row = clamp(rint(start.y + y * place), 0, ink.height - 1);
    on.push(ink.data[row * ink.width + column]);
  }
  return on;
}

/**
 * Join the ends of a drawing's lines: lines and closures as one barrier, and half the width in px
 * that each closure counts as an opening, 0 elsewhere.
 * @param {Mask} ink
 * @param {number} side shorter side of the drawing, of which `ink` may have a margin
 */
export function withClosures(ink, side) {
  const across = new Float32Array(ink.data.length);
  const widest = WIDEST * side;
  const found = closures(ink, lineEnds(ink), LONGEST * side);
  for (const { start, stop, opening } of found.sort((a, b) => b.opening - a.opening)) {
    drawLine(across, ink.width, start, stop, Math.max(Math.min(opening, widest) / 2, 0.01));
  }
  const barrier = ink.data.slice();
  for (let i = 0; i < across.length; i++) {
    if (ink.data[i]) across[i] = 0;
    else if (across[i] > 0) barrier[i] = 1;
  }
  return { barrier, across };
}

/**
 * A line of one pixel (Bresenham), from left to right.
 * @param {Float32Array} out
 * @param {number} width
 * @param {End} start
 * @param {End} stop
 * @param {number} value
 */
function drawLine(out, width, start, stop, value) {
  const [from, to] = stop.x < start.x ? [stop, start] : [start, stop];
  const dx = to.x - from.x;
  const dy = Math.abs(to.y - from.y);
  const down = to.y < from.y ? -width : width;
  const isSteep = dy > dx;
  const [long, short] = isSteep ? [dy, dx] : [dx, dy];
  let error = long - 2 * short;
  let place = from.y * width + from.x;
  for (let n = 0; n <= long; n++) {
    out[place] = value;
    const turns = error < 0;
    error += (turns ? 2 * long : 0) - 2 * short;
    place += isSteep ? down + (turns ? 1 : 0) : 1 + (turns ? down : 0);
  }
}
