// Rounding and order as numpy has them.

/** Nearest whole number; halves go to the even one. @param {number} value */
export function rint(value) {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/** @param {number} value @param {number} least @param {number} most */
export function clamp(value, least, most) {
  return Math.min(Math.max(value, least), most);
}

/**
 * How often each number from 0 to count - 1 occurs, of the places that count.
 * @param {ArrayLike<number>} numbers
 * @param {number} count
 * @param {ArrayLike<number> | null} [leftOut] not 0 where a place does not count
 */
export function bincount(numbers, count, leftOut = null) {
  const counts = new Int32Array(count);
  for (let i = 0; i < numbers.length; i++) {
    if (leftOut === null || !leftOut[i]) counts[numbers[i]]++;
  }
  return counts;
}

/**
 * First place in an ascending list whose value is at least this.
 * @param {ArrayLike<number>} ascending
 * @param {number} value
 */
export function searchSorted(ascending, value) {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Running sums. @param {ArrayLike<number>} values */
export function cumulated(values) {
  const sums = new Float64Array(values.length);
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    sum += values[i];
    sums[i] = sum;
  }
  return sums;
}

/**
 * Value below which a share of the values lie, between two of them where it falls there.
 * @param {ArrayLike<number>} counts how often each level occurs
 * @param {number} share 0 to 1
 */
export function percentile(counts, share) {
  const total = cumulated(counts);
  const place = share * (total[total.length - 1] - 1);
  const below = Math.floor(place);
  const one = searchSorted(total, below + 1);
  const other = searchSorted(total, Math.min(below + 2, total[total.length - 1]));
  const part = place - below;
  return part < 0.5 ? one + (other - one) * part : other - (other - one) * (1 - part);
}

/** Middle of float32 values, which get sorted. @param {Float32Array} values */
export function median(values) {
  values.sort();
  const half = values.length >> 1;
  if (values.length % 2) return values[half];
  return Math.fround(Math.fround(values[half - 1] + values[half]) / 2);
}

/**
 * An order sorted by one more key, which leaves the order of equal ones as it is.
 * @param {Uint32Array} order
 * @param {Uint32Array} keys
 */
export function sortedBy(order, keys) {
  let from = order;
  for (const shift of [0, 16]) {
    const starts = new Uint32Array(65537);
    for (let i = 0; i < from.length; i++) starts[((keys[from[i]] >>> shift) & 65535) + 1]++;
    if (starts.includes(from.length)) continue; // all are the same
    for (let i = 0; i < 65536; i++) starts[i + 1] += starts[i];
    const to = new Uint32Array(from.length);
    for (let i = 0; i < from.length; i++) {
      to[starts[(keys[from[i]] >>> shift) & 65535]++] = from[i];
    }
    from = to;
  }
  return from;
}

/** Keys that sort float32 values from the largest to the least. @param {Float32Array} values */
export function descending(values) {
  const bits = new Uint32Array(values.length);
  const raw = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) {
    const value = values[i] === 0 ? 0 : raw[i]; // -0 is 0
    bits[i] = value >>> 31 ? value : ~(value | 0x80000000);
  }
  return bits;
}

/** Whole numbers from 0. @param {number} count */
export function upTo(count) {
  const numbers = new Uint32Array(count);
  for (let i = 0; i < count; i++) numbers[i] = i;
  return numbers;
}
