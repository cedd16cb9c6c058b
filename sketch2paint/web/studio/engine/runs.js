// A map's pixels as pieces of rows, which of them touch, and what hangs together.

import { numbered, singles, unite } from "./sets.js";

/**
 * Pieces of rows that have one value, from the top left on; `stop` is the column behind the end.
 * @typedef {{ y: Int32Array, start: Int32Array, stop: Int32Array, value: Int32Array }} Runs
 */

/**
 * Runs of a map of whole numbers, without those of 0.
 * @param {ArrayLike<number>} values
 * @param {number} width
 * @param {number} height
 * @returns {Runs}
 */
export function runsOf(values, width, height) {
  /** @type {number[][]} */
  const found = [[], [], [], []];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; ) {
      const value = values[y * width + x];
      const start = x;
      while (x < width && values[y * width + x] === value) x++;
      if (!value) continue;
      found[0].push(y);
      found[1].push(start);
      found[2].push(x);
      found[3].push(value);
    }
  }
  const [y, start, stop, value] = found.map((numbers) => Int32Array.from(numbers));
  return { y, start, stop, value };
}

/**
 * Pairs of runs in neighbouring rows that touch, corners included, the upper one first.
 * @param {Runs} runs
 * @returns {[number, number][]}
 */
export function touching({ y, start, stop }) {
  /** @type {[number, number][]} */
  const pairs = [];
  let first = 0;
  for (let upper = 0; upper < y.length; upper++) {
    const isBefore = (/** @type {number} */ run) =>
      y[run] <= y[upper] || (y[run] === y[upper] + 1 && stop[run] < start[upper]);
    while (first < y.length && isBefore(first)) first++;
    for (let run = first; run < y.length && y[run] === y[upper] + 1; run++) {
      if (start[run] > stop[upper]) break;
      pairs.push([upper, run]);
    }
  }
  return pairs;
}

/**
 * Runs of a map, and the connected part of one value in which each lies, numbered by first runs.
 * @param {ArrayLike<number>} values
 * @param {number} width
 * @param {number} height
 */
export function partsOf(values, width, height) {
  const runs = runsOf(values, width, height);
  const parents = singles(runs.y.length);
  for (const [upper, lower] of touching(runs)) {
    if (runs.value[upper] === runs.value[lower]) unite(parents, upper, lower);
  }
  return { runs, ...numbered(parents) };
}
