// Sizes of pictures of one channel, as OpenCV changes them.

import { clamp, rint } from "./numbers.js";

/**
 * The size that fits a square, the aspect kept.
 * @param {number} width
 * @param {number} height
 * @param {number} side
 * @param {boolean} [enlarge]
 */
export function fitWithin(width, height, side, enlarge = false) {
  const scale = side / Math.max(width, height);
  const factor = enlarge ? scale : Math.min(1, scale);
  return [Math.max(1, rint(width * factor)), Math.max(1, rint(height * factor))];
}

/**
 * Shrink by area averages, then grow by cubic interpolation.
 * @param {Uint8Array} values
 * @param {number} width
 * @param {number} height
 * @param {number} newWidth
 * @param {number} newHeight
 */
export function resized(values, width, height, newWidth, newHeight) {
  const [w, h] = [Math.min(newWidth, width), Math.min(newHeight, height)];
  const smaller = w === width && h === height ? values : shrunk(values, width, height, w, h);
  if (w === newWidth && h === newHeight) return smaller;
  return cubic(smaller, w, h, newWidth, newHeight);
}

/**
 * Means of the areas that pixels cover.
 * @param {Uint8Array} values
 * @param {number} width
 * @param {number} height
 * @param {number} newWidth
 * @param {number} newHeight
 */
export function shrunk(values, width, height, newWidth, newHeight) {
  const halves = width === 2 * newWidth && height === 2 * newHeight;
  const columns = areas(width, newWidth);
  const rows = areas(height, newHeight);
  const out = new Uint8Array(newWidth * newHeight);
  const sums = new Float32Array(newWidth);
  const whole = width % newWidth === 0 && height % newHeight === 0;
  if (whole) return blocks(values, width, newWidth, newHeight, height / newHeight, halves);
  for (let y = 0; y < newHeight; y++) {
    sums.fill(0);
    for (let j = rows.starts[y]; j < rows.starts[y + 1]; j++) {
      addRow(sums, values, rows.places[j] * width, columns, rows.weights[j]);
    }
    for (let x = 0; x < newWidth; x++) out[y * newWidth + x] = rint(sums[x]);
  }
  return out;
}

/**
 * @param {Float32Array} sums
 * @param {Uint8Array} values
 * @param {number} row
 * @param {ReturnType<typeof areas>} columns
 * @param {number} weight
 */
function addRow(sums, values, row, columns, weight) {
  const { starts, places, weights } = columns;
  const f = Math.fround;
  for (let x = 0; x < sums.length; x++) {
    let sum = 0;
    for (let i = starts[x]; i < starts[x + 1]; i++) {
      sum = f(sum + f(values[row + places[i]] * weights[i]));
    }
    sums[x] = f(sums[x] + f(sum * weight));
  }
}

/**
 * Means of whole blocks of pixels.
 * @param {Uint8Array} values
 * @param {number} width
 * @param {number} newWidth
 * @param {number} newHeight
 * @param {number} down rows of a block
 * @param {boolean} halves whether it is a block of 2x2, where halves are rounded up
 */
function blocks(values, width, newWidth, newHeight, down, halves) {
  const across = width / newWidth;
  const scale = Math.fround(1 / (across * down));
  const out = new Uint8Array(newWidth * newHeight);
  for (let y = 0; y < newHeight; y++) {
    for (let x = 0; x < newWidth; x++) {
      let sum = 0;
      for (let j = 0; j < down; j++) {
        const start = (y * down + j) * width + x * across;
        for (let i = 0; i < across; i++) sum += values[start + i];
      }
      out[y * newWidth + x] = halves ? (sum + 2) >> 2 : rint(Math.fround(sum * scale));
    }
  }
  return out;
}

/**
 * Which pixels a smaller one covers, and with which weights.
 * @param {number} length
 * @param {number} newLength
 */
export function areas(length, newLength) {
  const scale = length / newLength;
  const starts = new Int32Array(newLength + 1);
  /** @type {number[]} */
  const places = [];
  /** @type {number[]} */
  const weights = [];
  for (let n = 0; n < newLength; n++) {
    const begin = n * scale;
    const end = begin + scale;
    const cell = Math.min(scale, length - begin);
    const last = Math.min(Math.floor(end), length - 1);
    const first = Math.min(Math.ceil(begin), last);
    if (first - begin > 1e-3) {
      places.push(first - 1);
      weights.push((first - begin) / cell);
    }
    for (let place = first; place < last; place++) {
      places.push(place);
      weights.push(1 / cell);
    }
    if (end - last > 1e-3) {
      places.push(last);
      weights.push(Math.min(Math.min(end - last, 1), cell) / cell);
    }
    starts[n + 1] = places.length;
  }
  return { starts, places: Int32Array.from(places), weights: Float32Array.from(weights) };
}

/**
 * Pixels around each place of a larger row, and the second one's share.
 * @param {number} length
 * @param {number} newLength
 */
function between(length, newLength) {
  const scale = 1 / (newLength / length);
  const first = new Int32Array(newLength);
  const share = new Float32Array(newLength);
  for (let n = 0; n < newLength; n++) {
    const place = Math.fround((n + 0.5) * scale - 0.5);
    first[n] = Math.floor(place);
    share[n] = place - first[n];
  }
  return { first, share };
}

/**
 * Linear interpolation of levels, in whole numbers.
 * @param {Uint8Array} values
 * @param {number} width
 * @param {number} height
 * @param {number} newWidth
 * @param {number} newHeight
 */
export function linear(values, width, height, newWidth, newHeight) {
  if (width === newWidth && height === newHeight) return values;
  const columns = between(width, newWidth);
  const rows = between(height, newHeight);
  const out = new Uint8Array(newWidth * newHeight);
  const two = [new Int32Array(newWidth), new Int32Array(newWidth)];
  const held = [-1, -1];
  for (let y = 0; y < newHeight; y++) {
    const wanted = [0, 1].map((n) => clamp(rows.first[y] + n, 0, height - 1));
    if (held[1] === wanted[0] && held[0] !== wanted[0]) {
      two.reverse();
      held.reverse();
    }
    for (const n of [0, 1]) {
      if (held[n] !== wanted[n]) stretch(values, wanted[n] * width, width, columns, two[n]);
      held[n] = wanted[n];
    }
    const more = rint(Math.fround(rows.share[y] * 2048));
    const less = rint(Math.fround(Math.fround(1 - rows.share[y]) * 2048));
    const [one, other] = two;
    for (let x = 0, i = y * newWidth; x < newWidth; x++, i++) {
      const sum = ((less * (one[x] >> 4)) >> 16) + ((more * (other[x] >> 4)) >> 16);
      out[i] = (sum + 2) >> 2;
    }
  }
  return out;
}

/**
 * A row in 2,048ths of a level, stretched.
 * @param {Uint8Array} values
 * @param {number} row
 * @param {number} width
 * @param {ReturnType<typeof between>} columns
 * @param {Int32Array} out
 */
function stretch(values, row, width, columns, out) {
  for (let x = 0; x < out.length; x++) {
    const first = columns.first[x];
    if (first < 0) out[x] = values[row] * 2048;
    else if (first >= width - 1) out[x] = values[row + width - 1] * 2048;
    else {
      const share = columns.share[x];
      const less = rint(Math.fround(Math.fround(1 - share) * 2048));
      out[x] = values[row + first] * less + values[row + first + 1] * rint(share * 2048);
    }
  }
}

/**
 * Weights of four pixels, of which the second lies a share before the place.
 * @param {number} share
 */
function cubicWeights(share) {
  const a = -0.75;
  const x = share + 1;
  const one = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  const two = ((a + 2) * share - (a + 3)) * share * share + 1;
  const rest = 1 - share;
  const three = ((a + 2) * rest - (a + 3)) * rest * rest + 1;
  return [one, two, three, 1 - one - two - three].map((weight) => rint(weight * 2048));
}

/**
 * Cubic interpolation of levels.
 * @param {Uint8Array} values
 * @param {number} width
 * @param {number} height
 * @param {number} newWidth
 * @param {number} newHeight
 */
function cubic(values, width, height, newWidth, newHeight) {
  const columns = between(width, newWidth);
  const rows = between(height, newHeight);
  const across = new Int32Array(newWidth * height);
  for (let x = 0; x < newWidth; x++) {
    const weights = cubicWeights(columns.share[x]);
    const places = weights.map((_, n) => clamp(columns.first[x] + n - 1, 0, width - 1));
    for (let y = 0; y < height; y++) {
      const row = y * width;
      let sum = 0;
      for (let n = 0; n < 4; n++) sum += weights[n] * values[row + places[n]];
      across[y * newWidth + x] = sum;
    }
  }
  const out = new Uint8ClampedArray(newWidth * newHeight);
  for (let y = 0; y < newHeight; y++) {
    const weights = cubicWeights(rows.share[y]);
    const starts = weights.map((_, n) => clamp(rows.first[y] + n - 1, 0, height - 1) * newWidth);
    for (let x = 0; x < newWidth; x++) {
      let sum = 0;
      for (let n = 0; n < 4; n++) sum += weights[n] * across[starts[n] + x];
      out[y * newWidth + x] = rint(sum / 4194304);
    }
  }
  return new Uint8Array(out.buffer);
}
