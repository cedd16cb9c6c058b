// A stroke's geometry: points thinned while it is drawn, and whether it is under the pen.

import { CUT, MERGE } from "./engine/format.js";

const NEAR = 1; // px of the drawing: a point nearer to the last one is left out

/** Add a point, rounded to tenths of a pixel and kept inside, where it says something new. */
export function lengthen(points, [x, y], { width, height }) {
  const point = [tenths(x, width - 1), tenths(y, height - 1)];
  const last = points.at(-1);
  if (last && Math.hypot(point[0] - last[0], point[1] - last[1]) < NEAR) return;
  points.push(point);
}

/** The same stroke elsewhere; what would leave the drawing stays at its edge. */
export function moved(stroke, [across, down], { width, height }) {
  const points = stroke.points.map(([x, y]) => [
    tenths(x + across, width - 1),
    tenths(y + down, height - 1),
  ]);
  return { ...stroke, points };
}

/** Points that lie a pixel apart on the way along others. */
export function along(points) {
  return points.flatMap((point, at) => {
    const [across, down] = less(points[at + 1] ?? point, point);
    const steps = Math.max(1, Math.ceil(Math.hypot(across, down)));
    const parts = Array.from({ length: steps }, (_, step) => step / steps);
    return parts.map((part) => [point[0] + part * across, point[1] + part * down]);
  });
}

/** Whether a stroke is a colour, and no line at which regions are cut or merged. */
export function isColour({ color }) {
  return color !== CUT && color !== MERGE;
}

/** Whether a stroke comes within `reach` of a point. */
export function touches({ points, width }, point, reach) {
  const most = width / 2 + reach;
  if (points.length === 1) return Math.hypot(...less(point, points[0])) <= most;
  return points.some((end, at) => at > 0 && distance(point, points[at - 1], end) <= most);
}

function distance(point, one, other) {
  const along = less(other, one);
  const from = less(point, one);
  const square = along[0] ** 2 + along[1] ** 2;
  const share = square ? clamp((from[0] * along[0] + from[1] * along[1]) / square, 0, 1) : 0;
  return Math.hypot(from[0] - share * along[0], from[1] - share * along[1]);
}

function less(one, other) {
  return [one[0] - other[0], one[1] - other[1]];
}

function tenths(value, most) {
  return Math.round(10 * clamp(value, 0, most)) / 10;
}

/** A number moved into a range. */
export function clamp(value, least, most) {
  return Math.min(Math.max(value, least), most);
}
