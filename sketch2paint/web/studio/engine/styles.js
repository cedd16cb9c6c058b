// Named directions of a painting's look, in which the network's answers are moved;
// sketch2paint/models/styles.py again.

import { fromLab, isWhite, toLab } from "./colours.js";
import { clamp } from "./numbers.js";

export const DIRECTIONS = ["warmth", "lightness", "vividness", "contrast"];
export const MOST = 3; // steps either way
const WARMEST = (50 / 180) * Math.PI; // CIELAB hue
const STEP = [14, 9, 12, 0.33]; // what a step of each direction wishes
const CONDITIONAL = [
  [1, 0, -0.65, 0],
  [0, 1, -0.1, 0.6],
  [-0.4, -0.1, 1, 0],
  [0, 0, 0, 1],
]; // a step of each direction (row) in steps of the wishes
const GREY = 10; // chroma below which a hue means less and less
const WIDTH = 12; // units of Lab: how far a colour may be from what is wished
const WIDTH_OF_CHOICE = 30; // the same where one of a few colours is chosen
const SOFTER = 2.5; // temperature of the shares: what is unlikely is looked at as well
const LIGHTEST = 98; // L of a colour: paper alone is white

/** @typedef {Record<string, number>} Style steps by the names of directions, -3 to 3 */

/**
 * Steps along DIRECTIONS, or null where nothing is to change.
 * @param {Style | null | undefined} style
 */
export function stepsOf(style) {
  for (const [name, step] of Object.entries(style ?? {})) {
    if (!DIRECTIONS.includes(name)) {
      throw new Error(
        `Expected \`style\` to name directions that the model knows (${DIRECTIONS.join(", ")}), ` +
          `got '${name}'. Pass {warmth: 1}, for instance.`,
      );
    }
    if (!(Math.abs(step) <= MOST)) {
      throw new Error(
        `Expected a step of \`style\` to be a number from -${MOST} to ${MOST}, got ${name}: ${step}.` +
          ` Pass 1 for a little, ${MOST} for much; 0 changes nothing.`,
      );
    }
  }
  const steps = DIRECTIONS.map((name) => style?.[name] ?? 0);
  return steps.some((step) => step) ? steps : null;
}

/**
 * Move colours along the directions, as far as the network finds others likely; white stays, and
 * nothing becomes white.
 * @param {Uint8Array} colours of the regions, RGB
 * @param {Float32Array} shares of the named colours for each region
 * @param {Uint8Array} named RGB
 * @param {ArrayLike<number>} areas of the regions
 * @param {number[]} steps
 */
export function styled(colours, shares, named, areas, steps) {
  const across = named.length / 3;
  const columns = Array.from({ length: across }, (_, n) => n).filter((n) => !isWhite(named, n));
  const every = toLab(named);
  const lab = columns.map((n) => [...every.subarray(3 * n, 3 * n + 3)]);
  const own = toLab(colours);
  const mean = meanLightness(own, areas, (n) => !isWhite(colours, n));
  const moved = new Float32Array(colours.length);
  for (let n = 0; n < colours.length / 3; n++) {
    const likely = columns.map((c) => Math.log(Math.max(shares[n * across + c], 1e-12)) / SOFTER);
    const here = [...own.subarray(3 * n, 3 * n + 3)];
    const to = expected(likely, lab, wished(here, steps, mean));
    const from = expected(likely, lab, here);
    moved.set(
      here.map((value, c) => value + to[c] - from[c]),
      3 * n,
    );
    moved[3 * n] = clamp(moved[3 * n], 0, Math.max(here[0], LIGHTEST));
  }
  const after = fromLab(moved);
  return colours.map((level, at) => {
    const n = Math.floor(at / 3);
    return isWhite(colours, n) || isWhite(after, n) ? level : after[at];
  });
}

/**
 * A Lab colour after some steps, whatever a network finds likely.
 * @param {number[]} lab
 * @param {number[]} steps
 * @param {number} mean of L
 */
function wished([l, a, b], steps, mean) {
  const [warmth, lightness, vividness, contrast] = STEP.map(
    (size, to) => size * steps.reduce((sum, step, from) => sum + step * CONDITIONAL[from][to], 0),
  );
  const chroma = Math.hypot(a, b);
  const wider = Math.max(chroma + vividness * Math.min(chroma / GREY, 1), 0);
  const factor = wider / Math.max(chroma, 1e-6);
  const light = mean + (l - mean) * Math.max(1 + contrast, 0) + lightness;
  return [
    clamp(light, 0, 100),
    a * factor + warmth * Math.cos(WARMEST),
    b * factor + warmth * Math.sin(WARMEST),
  ];
}

/**
 * Mean of colours, by log shares and a normal density around a wish.
 * @param {number[]} likely
 * @param {number[][]} lab
 * @param {number[]} wish
 */
function expected(likely, lab, wish) {
  const scores = lab.map(
    (one, n) => likely[n] + (dot(wish, one) - dot(one, one) / 2) / (WIDTH * WIDTH),
  );
  const most = Math.max(...scores);
  const sums = [0, 0, 0];
  let all = 0;
  scores.forEach((score, n) => {
    const weight = Math.exp(score - most);
    all += weight;
    for (let c = 0; c < 3; c++) sums[c] += weight * lab[n][c];
  });
  return sums.map((sum) => sum / all);
}

/** @param {number[]} one @param {number[]} other */
function dot(one, other) {
  return one[0] * other[0] + one[1] * other[1] + one[2] * other[2];
}

/**
 * Shares of colours that are chosen from, tilted towards what lies along the directions; what is
 * paper stays so, and nothing else becomes paper.
 * @param {Float32Array} shares of each colour for each object, the first one's being paper
 * @param {Int32Array} chosen number of the colour of each object without a style
 * @param {Uint8Array} colours RGB
 * @param {ArrayLike<number>} areas of the objects
 * @param {number[]} steps
 */
export function leaning(shares, chosen, colours, areas, steps) {
  const across = colours.length / 3;
  const all = toLab(colours);
  const lab = Array.from({ length: across }, (_, n) => [...all.subarray(3 * n, 3 * n + 3)]);
  const own = Float32Array.from([...chosen].flatMap((n) => lab[n]));
  const mean = meanLightness(own, areas, (n) => chosen[n] > 0);
  const out = shares.slice();
  chosen.forEach((number, n) => {
    if (!number) return;
    const wish = wished(lab[number], steps, mean);
    const apart = wish.map((value, c) => value - lab[number][c]);
    const scores = lab.map((one, k) => {
      const likely = Math.log(Math.max(shares[n * across + k], 1e-12));
      return k ? likely + dot(apart, one) / (WIDTH_OF_CHOICE * WIDTH_OF_CHOICE) : -Infinity;
    });
    const most = Math.max(...scores);
    const weights = scores.map((score) => Math.exp(score - most));
    const sum = weights.reduce((before, weight) => before + weight, 0);
    out.set(
      weights.map((weight) => weight / sum),
      n * across,
    );
  });
  return out;
}

/**
 * Mean L of the Lab colours that count, by their areas.
 * @param {Float32Array} lab
 * @param {ArrayLike<number>} areas
 * @param {(n: number) => boolean} counts
 */
function meanLightness(lab, areas, counts) {
  let [sum, all] = [0, 0];
  for (let n = 0; n < areas.length; n++) {
    if (!counts(n)) continue;
    sum += areas[n] * lab[3 * n];
    all += areas[n];
  }
  return sum / Math.max(all, 1);
}
