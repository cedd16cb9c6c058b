// Filters of one channel, each as OpenCV has it, to the bit.

import { rint } from "./numbers.js";

/**
 * Place of a pixel beyond the edge, mirrored about the edge's pixels.
 * @param {number} place
 * @param {number} length
 */
function mirrored(place, length) {
  if (length === 1) return 0;
  let at = place;
  while (at < 0 || at >= length) at = at < 0 ? -at : 2 * length - 2 - at;
  return at;
}

/** Mirrored places of -reach to length + reach - 1. @param {number} length @param {number} reach */
function mirroredPlaces(length, reach) {
  return Int32Array.from({ length: length + 2 * reach }, (_, i) => mirrored(i - reach, length));
}

/**
 * Largest value, or least, in the square about each pixel.
 * @template {Uint8Array | Int32Array | Float32Array} T
 * @param {T} values
 * @param {number} width
 * @param {number} height
 * @param {number} reach half of the square's side
 * @param {boolean} [least]
 * @returns {T}
 */
export function extreme(values, width, height, reach, least = false) {
  const Type = /** @type {any} */ (values.constructor);
  const across = new Type(values.length);
  const pick = least ? pickLeast : pickLargest;
  for (let y = 0; y < height; y++) pick(values, across, y * width, 1, width, reach);
  const both = new Type(values.length);
  downExtreme(across, both, width, height, reach, least);
  return both;
}

/**
 * @param {ArrayLike<number>} from
 * @param {any} to
 * @param {number} start
 * @param {number} step
 * @param {number} length
 * @param {number} reach
 */
function pickLargest(from, to, start, step, length, reach) {
  for (let i = 0; i < length; i++) {
    const last = i + reach < length ? i + reach : length - 1;
    let best = from[start + i * step];
    for (let j = i > reach ? i - reach : 0; j <= last; j++) {
      const value = from[start + j * step];
      if (value > best) best = value;
    }
    to[start + i * step] = best;
  }
}

/**
 * @param {ArrayLike<number>} from
 * @param {any} to
 * @param {number} start
 * @param {number} step
 * @param {number} length
 * @param {number} reach
 */
function pickLeast(from, to, start, step, length, reach) {
  for (let i = 0; i < length; i++) {
    const last = i + reach < length ? i + reach : length - 1;
    let best = from[start + i * step];
    for (let j = i > reach ? i - reach : 0; j <= last; j++) {
      const value = from[start + j * step];
      if (value < best) best = value;
    }
    to[start + i * step] = best;
  }
}

/**
 * Extremes of columns, row by row, as memory lies.
 * @param {any} from
 * @param {any} to
 * @param {number} width
 * @param {number} height
 * @param {number} reach
 * @param {boolean} least
 */
function downExtreme(from, to, width, height, reach, least) {
  for (let y = 0; y < height; y++) {
    const here = y * width;
    const last = Math.min(y + reach, height - 1);
    for (let x = 0; x < width; x++) to[here + x] = from[here + x];
    for (let near = Math.max(y - reach, 0); near <= last; near++) {
      const there = near * width;
      if (least) {
        for (let x = 0; x < width; x++) {
          if (from[there + x] < to[here + x]) to[here + x] = from[there + x];
        }
      } else {
        for (let x = 0; x < width; x++) {
          if (from[there + x] > to[here + x]) to[here + x] = from[there + x];
        }
      }
    }
  }
}

/**
 * Means over a square with an odd side.
 * @param {Uint8Array} values
 * @param {number} width
 * @param {number} height
 * @param {number} side
 */
export function boxBlur(values, width, height, side) {
  const reach = side >> 1;
  const columns = mirroredPlaces(width, reach);
  const across = new Int32Array(values.length);
  for (let y = 0; y < height; y++) {
    let sum = 0;
    for (let i = 0; i < side; i++) sum += values[y * width + columns[i]];
    for (let x = 0; x < width; x++) {
      across[y * width + x] = sum;
      sum += values[y * width + columns[x + side]] - values[y * width + columns[x]];
    }
  }
  const rows = mirroredPlaces(height, reach);
  const sums = new Int32Array(width);
  for (let i = 0; i < side; i++) {
    for (let x = 0; x < width; x++) sums[x] += across[rows[i] * width + x];
  }
  const out = new Uint8Array(values.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      out[y * width + x] = rint(sums[x] * (1 / (side * side)));
      sums[x] += across[rows[y + side] * width + x] - across[rows[y] * width + x];
    }
  }
  return out;
}

/** Weights of a bell curve that sum to 1. @param {number} count @param {number} sigma */
function bell(count, sigma) {
  const weights = Array.from({ length: count }, (_, i) => {
    const away = i - (count - 1) / 2;
    return Math.exp((-0.5 / (sigma * sigma)) * away * away);
  });
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/**
 * Blur of float32 values with sigma 1; products are added without rounding between.
 * @param {Float32Array} values
 * @param {number} width
 * @param {number} height
 */
export function smooth(values, width, height) {
  const k = Float32Array.from(bell(9, 1));
  const across = acrossBell(values, width, height, k);
  const rows = mirroredPlaces(height, 4);
  const out = new Float32Array(values.length);
  const [k0, k1, k2, k3, k4] = [k[4], k[5], k[6], k[7], k[8]];
  const f = Math.fround;
  for (let y = 0; y < height; y++) {
    const r = Array.from({ length: 9 }, (_, i) => rows[y + i] * width);
    const [a, b, c, d, e, g, h, i, j] = r;
    for (let x = 0; x < width; x++) {
      let sum = f(across[e + x] * k0);
      sum = f(f(across[d + x] + across[g + x]) * k1 + sum);
      sum = f(f(across[c + x] + across[h + x]) * k2 + sum);
      sum = f(f(across[b + x] + across[i + x]) * k3 + sum);
      out[y * width + x] = f(f(across[a + x] + across[j + x]) * k4 + sum);
    }
  }
  return out;
}

/**
 * @param {Float32Array} values
 * @param {number} width
 * @param {number} height
 * @param {Float32Array} k
 */
function acrossBell(values, width, height, k) {
  const out = new Float32Array(values.length);
  const places = mirroredPlaces(width, 4);
  const row = new Float32Array(width + 8);
  const [k0, k1, k2, k3, k4, k5, k6, k7, k8] = k;
  const f = Math.fround;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < row.length; x++) row[x] = values[y * width + places[x]];
    for (let x = 0; x < width; x++) {
      let sum = f(row[x] * k0);
      sum = f(row[x + 1] * k1 + sum);
      sum = f(row[x + 2] * k2 + sum);
      sum = f(row[x + 3] * k3 + sum);
      sum = f(row[x + 4] * k4 + sum);
      sum = f(row[x + 5] * k5 + sum);
      sum = f(row[x + 6] * k6 + sum);
      sum = f(row[x + 7] * k7 + sum);
      out[y * width + x] = f(row[x + 8] * k8 + sum);
    }
  }
  return out;
}

/**
 * Blur of levels, in whole numbers.
 * @param {Uint8Array} values
 * @param {number} width
 * @param {number} height
 * @param {number} sigma
 */
export function smoothLevels(values, width, height, sigma) {
  const count = rint(sigma * 6 + 1) | 1;
  const weights = wholeWeights(bell(count, sigma));
  const reach = count >> 1;
  const columns = mirroredPlaces(width, reach);
  const rows = mirroredPlaces(height, reach);
  const across = new Int32Array(values.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let i = 0; i < count; i++) sum += weights[i] * values[y * width + columns[x + i]];
      across[y * width + x] = sum;
    }
  }
  const out = new Uint8Array(values.length);
  const sums = new Int32Array(width);
  for (let y = 0; y < height; y++) {
    sums.fill(1 << 15);
    for (let i = 0; i < count; i++) {
      const there = rows[y + i] * width;
      for (let x = 0; x < width; x++) sums[x] += weights[i] * across[there + x];
    }
    for (let x = 0; x < width; x++) out[y * width + x] = sums[x] >> 16;
  }
  return out;
}

/**
 * Weights in 256ths that sum to 256; what rounding leaves goes on to the next.
 * @param {number[]} weights
 */
function wholeWeights(weights) {
  const whole = new Int32Array(weights.length);
  const half = weights.length >> 1;
  let left = 0;
  let sum = 0;
  for (let i = 0; i < half; i++) {
    const wanted = weights[i] * 256 + left;
    whole[i] = whole[weights.length - 1 - i] = rint(wanted);
    left = wanted - whole[i];
    sum += whole[i];
  }
  whole[half] = 256 - 2 * sum;
  return whole;
}

/**
 * Median of the 3x3 square about each pixel; beyond the edge is as at the edge.
 * @param {Uint8Array} values
 * @param {number} width
 * @param {number} height
 */
export function medianOf9(values, width, height) {
  const out = new Uint8Array(values.length);
  const nine = new Uint8Array(9);
  for (let y = 0; y < height; y++) {
    const rows = [Math.max(y - 1, 0), y, Math.min(y + 1, height - 1)];
    for (let x = 0; x < width; x++) {
      const columns = [x > 0 ? x - 1 : 0, x, x < width - 1 ? x + 1 : x];
      let n = 0;
      for (const row of rows)
        for (const column of columns) nine[n++] = values[row * width + column];
      out[y * width + x] = nine.sort()[4];
    }
  }
  return out;
}

/**
 * Fill what is dark and thinner than a disc.
 * @param {Uint8Array} values
 * @param {number} width
 * @param {number} height
 * @param {number} side odd diameter of the disc
 */
export function closed(values, width, height, side) {
  const wide = overDisc(values, width, height, side, pickLargest, Math.max);
  return overDisc(wide, width, height, side, pickLeast, Math.min);
}

/**
 * @param {Uint8Array} values
 * @param {number} width
 * @param {number} height
 * @param {number} side
 * @param {typeof pickLargest} pick
 * @param {(one: number, other: number) => number} better
 */
function overDisc(values, width, height, side, pick, better) {
  const radius = side >> 1;
  const out = values.slice();
  for (let dy = 0; dy <= radius; dy++) {
    const inverse = radius ? 1 / (radius * radius) : 0;
    const reach = rint(radius * Math.sqrt((radius * radius - dy * dy) * inverse));
    const across = new Uint8Array(values.length);
    for (let y = 0; y < height; y++) pick(values, across, y * width, 1, width, reach);
    for (const shift of dy ? [-dy, dy] : [0]) {
      for (let y = Math.max(-shift, 0); y < Math.min(height, height - shift); y++) {
        for (let x = 0; x < width; x++) {
          const there = across[(y + shift) * width + x];
          out[y * width + x] = better(out[y * width + x], there);
        }
      }
    }
  }
  return out;
}
