// A stroke to pixels, by one exact rule: those whose centres are within half its width of the line,
// and those in which its points lie.

const TIE = 1e-9; // pixels: a centre that lies on a stroke's very edge is in it

/**
 * @typedef {[number, number]} Point
 * @typedef {[number, number, number]} Color
 * @typedef {{ points: Point[], width: number, color: Color | null }} Stroke
 * @typedef {{ data: { [place: number]: number }, width: number, height: number }} Map
 */

/**
 * Write a number into a map at all pixels that a stroke covers.
 * @param {Stroke} stroke
 * @param {number} number
 * @param {Map} map
 */
export function draw({ points, width }, number, map) {
  for (const [px, py] of points) {
    const [x, y] = [Math.floor(px + 0.5), Math.floor(py + 0.5)];
    if (x >= 0 && x < map.width && y >= 0 && y < map.height) map.data[y * map.width + x] = number;
  }
  const half = Math.max(width, 1) / 2 + TIE;
  if (points.length === 1) drawSegment(points[0], points[0], half, number, map);
  for (let n = 1; n < points.length; n++) {
    drawSegment(points[n - 1], points[n], half, number, map);
  }
}

/**
 * @param {Point} a
 * @param {Point} b
 * @param {number} half
 * @param {number} number
 * @param {Map} map
 */
function drawSegment(a, b, half, number, map) {
  const top = Math.max(Math.ceil(Math.min(a[1], b[1]) - half), 0);
  const below = Math.min(Math.floor(Math.max(a[1], b[1]) + half + 1), map.height);
  for (let y = top; y < below; y++) {
    const [left, right] = across(a, b, y, half);
    const first = Math.max(Math.ceil(left), 0);
    const stop = Math.min(Math.floor(right) + 1, map.width);
    for (let x = first; x < stop; x++) map.data[y * map.width + x] = number;
  }
}

/**
 * Where row y enters and leaves a segment with round ends: from the first to the last of what the
 * two ends and the straight part give.
 * @param {Point} a
 * @param {Point} b
 * @param {number} y
 * @param {number} half
 */
function across(a, b, y, half) {
  const parts = [disc(a, y, half), disc(b, y, half), band(a, b, y, half)];
  return [Math.min(...parts.map(([left]) => left)), Math.max(...parts.map(([, right]) => right))];
}

/** @param {Point} centre @param {number} y @param {number} half */
function disc(centre, y, half) {
  const square = half ** 2 - (y - centre[1]) ** 2;
  const reach = square >= 0 ? Math.sqrt(square) : -Infinity;
  return [centre[0] - reach, centre[0] + reach];
}

/** @param {Point} a @param {Point} b @param {number} y @param {number} half */
function band(a, b, y, half) {
  const [x, down] = [b[0] - a[0], b[1] - a[1]];
  const length = Math.sqrt(x * x + down * down);
  const [xPart, yPart] = [x / Math.max(length, TIE), down / Math.max(length, TIE)];
  const sides = between(-yPart, xPart * (y - a[1]), -half, half); // as far from the line as this
  const ends = between(xPart, yPart * (y - a[1]), 0, length);
  const [left, right] = [Math.max(sides[0], ends[0]), Math.min(sides[1], ends[1])];
  if (length === 0 || left > right) return [Infinity, -Infinity];
  return [a[0] + left, a[0] + right];
}

/**
 * The least and the greatest u with low <= slope * u + offset <= high.
 * @param {number} slope
 * @param {number} offset
 * @param {number} low
 * @param {number} high
 */
function between(slope, offset, low, high) {
  if (Math.abs(slope) < TIE) {
    return low <= offset && offset <= high ? [-Infinity, Infinity] : [Infinity, -Infinity];
  }
  const [one, other] = [(low - offset) / slope, (high - offset) / slope];
  return [Math.min(one, other), Math.max(one, other)];
}

/**
 * Number of the stroke that is seen at each pixel, from 1; 0 where none is.
 * @param {Stroke[]} strokes
 * @param {number} width
 * @param {number} height
 */
export function marksOf(strokes, width, height) {
  const marks = new Uint16Array(width * height);
  strokes.forEach((stroke, n) => {
    draw(stroke, n + 1, { data: marks, width, height });
  });
  return marks;
}
