// From a drawing's regions, and the colours that are known, to a colour for each region;
// sketch2paint/models/answer.py again.

import { rint } from "./numbers.js";
import { byPaint, choose, levelsOf, paintsOf, wantedOf } from "./paints.js";
import { fitWithin, resized } from "./resize.js";
import { numbered, singles, unite } from "./sets.js";
import { leaning, styled } from "./styles.js";
import { ABOUT, labelsOnSquare, PAIR, wordOfAll, wordsOf } from "./words.js";

/**
 * @typedef {import("./regions.js").Regions} Regions
 * @typedef {import("./words.js").Words} AllOfWords
 * @typedef {Omit<AllOfWords, "labels">} Words without their map, which is large
 * @typedef {[number, number, number]} Color
 * @typedef {{ size: number, colours: Color[], temperature: number, one_object: number }} About
 * @typedef {import("./reference.js").Palette} Palette portions are 0 where they are not told
 * @typedef {{ temperature: number | null, seed: number | null, palette: Palette | null,
 *   steps: number[] | null }} Wish `palette`: the only colours besides paper and known ones; `steps`
 *   along the directions of a style
 * @typedef {{ regions: Regions, words: Words, features: unknown, bias: unknown,
 *   wordOf: Int32Array }} Reading
 * @typedef {{ shares: Float32Array, columns: number[][], colours: Uint8Array }} Said
 *   `columns`: the colours, -1 to 1, that the shares of each word are of
 */

const WIDE = Math.fround(0.3); // of a pair's open border: a hundredth of the side
const ONE_PAINT = 0.5; // probability from which regions are one object that chooses a paint

/**
 * A drawing as the network has read it, which serves every set of known colours.
 * @param {import("./network.js").Network} network
 * @param {Uint8Array} sketch
 * @param {Regions} regions
 * @returns {Promise<Reading>}
 */
export async function read(network, sketch, regions) {
  const { labels: map, ...words } = wordsOf(regions);
  const { size } = network.about;
  const labels = labelsOnSquare({ ...words, labels: map }, size >> 1);
  const { features, bias } = await network.run("read", {
    sketch: ["float32", sketchOnSquare(sketch, regions, size), [1, 1, size, size]],
    labels: ["int64", BigInt64Array.from(labels, BigInt), [1, size >> 1, size >> 1]],
    pairs: ["float32", words.pairs, [1, words.regions.length, words.regions.length, PAIR]],
  });
  return { regions, words, features, bias, wordOf: wordOfAll(regions, words) };
}

/**
 * A drawing in the middle of a white square, -1 for black and 1 for white.
 * @param {Uint8Array} sketch
 * @param {Regions} regions
 * @param {number} size
 */
function sketchOnSquare(sketch, { width, height }, size) {
  const [w, h] = fitWithin(width, height, size, true);
  const small = resized(sketch, width, height, w, h);
  const [left, top] = [(size - w) >> 1, (size - h) >> 1];
  const square = new Float32Array(size * size).fill(1);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      square[(top + y) * size + left + x] = Math.fround(small[y * w + x] / 127.5) - 1;
    }
  }
  return square;
}

/** One entry that is none: what a network that can read palettes is told without one. */
const NO_PALETTE = {
  palette: ["float32", new Float32Array(3), [1, 1, 3]],
  portions: ["float32", new Float32Array([-1]), [1, 1]],
};

/**
 * Give each region a colour; known ones are exactly as they were given.
 * @param {import("./network.js").Network} network
 * @param {Reading} reading
 * @param {Map<number, Color>} known colours of regions by their numbers; white is paper
 * @param {Wish} wish
 * @returns {Promise<Said>}
 */
export async function reply(network, reading, known, wish) {
  const { words } = reading;
  const count = words.regions.length;
  const { isKnown, given } = givenTo(words, known);
  const { shares: every, same } = await network.run("reply", {
    features: reading.features,
    about: ["float32", words.about, [1, count, ABOUT]],
    bias: reading.bias,
    known: ["bool", isKnown, [1, count]],
    given: ["float32", given, [1, count, 3]],
    ...(network.takes("palette") ? entriesOf(wish.palette) : {}),
  });
  if (wish.palette) {
    const groups = objectsOf(words, every, same, isKnown, ONE_PAINT);
    const agreed = agreedOn(every, groups, words.areas);
    const { chosen, ...told } = painted(network.about, words, { agreed, groups, given }, wish);
    return { ...told, colours: coloursOfAll(reading, chosen, known) };
  }
  const shares = ofColoursAndWords(every, count, network.about.colours.length + count);
  const groups = objectsOf(words, shares, same, isKnown, network.about.one_object);
  const agreed = agreedOn(shares, groups, words.areas);
  const mixed = inStyle(mix(agreed, groups, network.about, given, wish), agreed, network.about, {
    ...{ words, known, steps: wish.steps },
  });
  const columns = [...network.about.colours, ...triples(given)];
  return { shares: agreed, columns, colours: coloursOfAll(reading, mixed, known) };
}

/**
 * Colours of the words moved along a style's directions, the known ones as they are.
 * @param {Uint8Array} mixed
 * @param {Float32Array} shares
 * @param {About} about
 * @param {{ words: Words, known: Map<number, Color>, steps: number[] | null }} told
 */
function inStyle(mixed, shares, about, { words, known, steps }) {
  if (!steps) return mixed;
  const given = new Uint8Array(mixed.length).fill(255);
  words.regions.forEach((region, word) => {
    const color = known.get(region);
    if (!color) return;
    given.set(color, 3 * word);
    mixed.set(color, 3 * word); // they count in what the others contrast with
  });
  const named = Uint8Array.from([...levelsOf(about.colours), ...given]);
  return styled(mixed, shares, named, words.areas, steps);
}

/** A palette as the network is told it. @param {Palette | null} palette */
function entriesOf(palette) {
  if (!palette) return NO_PALETTE;
  const count = palette.portions.length;
  const colours = Float32Array.from(palette.colours, (level) => Math.fround(level / 127.5) - 1);
  return {
    palette: ["float32", colours, [1, count, 3]],
    portions: ["float32", palette.portions, [1, count]],
  };
}

/**
 * Colours of the words, each object's chosen from a palette, and the shares of these colours.
 * @param {About} about
 * @param {Words} words
 * @param {{ agreed: Float32Array, groups: Int32Array, given: Float32Array }} said
 * @param {Wish} wish
 */
function painted(about, words, { agreed, groups, given }, { palette, seed, steps }) {
  const { colours: entries, portions } = /** @type {Palette} */ (palette);
  const count = groups.length;
  const known = Uint8Array.from(given, toLevel);
  const paints = paintsOf(levelsOf(about.colours), known, entries);
  const shares = byPaint(agreed, paints);
  const across = shares.length / count;
  const areas = new Float64Array(Math.max(...groups) + 1);
  const ofGroups = new Float32Array(areas.length * across);
  groups.forEach((group, word) => {
    areas[group] += words.areas[word];
    for (let n = 0; n < across; n++) {
      const lot = seed === null ? 1 : -1 / Math.log(chance(seed, group, n));
      ofGroups[group * across + n] = lot * shares[word * across + n];
    }
  });
  const wanted = wantedOf(portions);
  const first = choose(ofGroups, areas, wanted);
  const numbers = steps
    ? choose(leaning(ofGroups, first, paints.colours, areas, steps), areas, wanted)
    : first;
  const colours = triples(paints.colours);
  const chosen = Uint8Array.from([...groups].flatMap((group) => colours[numbers[group]]));
  const columns = colours.map((colour) => colour.map((level) => level / 127.5 - 1));
  return { shares, columns, chosen };
}

/** @param {ArrayLike<number>} values @returns {number[][]} three each */
function triples(values) {
  return Array.from({ length: values.length / 3 }, (_, n) =>
    [0, 1, 2].map((c) => values[3 * n + c]),
  );
}

/**
 * Shares of named colours and of words, without those of a palette's entries behind them.
 * @param {Float32Array} shares
 * @param {number} count of words
 * @param {number} wanted shares of each
 */
function ofColoursAndWords(shares, count, wanted) {
  const across = shares.length / count;
  if (across === wanted) return shares;
  const kept = new Float32Array(count * wanted);
  for (let word = 0; word < count; word++)
    kept.set(shares.subarray(word * across, word * across + wanted), word * wanted);
  return kept;
}

/** @param {Words} words @param {Map<number, Color>} known */
function givenTo(words, known) {
  const isKnown = new Uint8Array(words.regions.length);
  const given = new Float32Array(3 * words.regions.length);
  words.regions.forEach((region, word) => {
    const color = known.get(region);
    if (!color) return;
    isKnown[word] = 1;
    for (let n = 0; n < 3; n++) given[3 * word + n] = Math.fround(color[n] / 127.5) - 1;
  });
  return { isKnown, given };
}

/**
 * Number of the object of each word: those that open to each other and are likely one, and those
 * that reach the rim of the sheet and lie wide open to each other: the ground around the figure.
 * @param {Words} words
 * @param {Float32Array} shares
 * @param {Float32Array} same logits
 * @param {Uint8Array} isKnown
 * @param {number} oneObject
 */
function objectsOf(words, shares, same, isKnown, oneObject) {
  const count = words.regions.length;
  const across = shares.length / count;
  const paper = isKnown.map((_, word) => (shares[word * across] > 0.5 ? 1 : 0)); // open to many
  const parents = singles(count);
  for (let one = 0; one < count; one++) {
    if (isKnown[one]) continue;
    for (let other = one + 1; other < count; other++) {
      const pair = one * count + other;
      if (isKnown[other]) continue;
      const open = words.pairs[pair * PAIR + 5];
      const isLikely = paper[one] === paper[other] && sigmoid(same[pair]) > oneObject;
      const isGround = oneObject < 1 && isOnRim(words, one) && isOnRim(words, other) && open > WIDE;
      if (open > 0 && (isLikely || isGround)) unite(parents, one, other);
    }
  }
  return numbered(parents).numbers;
}

/** @param {Words} words @param {number} word */
function isOnRim(words, word) {
  return words.about[word * ABOUT + 6] > 0;
}

/** @param {number} logit */
function sigmoid(logit) {
  return Math.fround(1 / (1 + Math.exp(-logit)));
}

/**
 * Shares that the words of an object have agreed on: their means by area.
 * @param {Float32Array} shares
 * @param {Int32Array} groups
 * @param {Int32Array} areas
 */
function agreedOn(shares, groups, areas) {
  const count = groups.length;
  const across = shares.length / count;
  const sums = new Float32Array(shares.length);
  for (let word = 0; word < count; word++) {
    const to = groups[word] * across;
    for (let n = 0; n < across; n++) sums[to + n] += areas[word] * shares[word * across + n];
  }
  for (let group = 0; group < count; group++) {
    let sum = 0;
    for (let n = 0; n < across; n++) sum += sums[group * across + n];
    for (let n = 0; n < across; n++) sums[group * across + n] /= sum || 1;
  }
  const agreed = new Float32Array(shares.length);
  groups.forEach((group, word) => {
    agreed.set(sums.subarray(group * across, (group + 1) * across), word * across);
  });
  return agreed;
}

/**
 * Mix colours by their shares, sharpened; with a seed, as chance has it by these shares.
 * @param {Float32Array} shares
 * @param {Int32Array} groups
 * @param {About} about
 * @param {Float32Array} given
 * @param {Wish} wish
 */
function mix(shares, groups, { colours, temperature }, given, wish) {
  const count = groups.length;
  const across = shares.length / count;
  const mixed = new Uint8Array(3 * count).fill(255);
  const weights = new Float64Array(across);
  const every = Float64Array.from([...colours.flat(), ...given]);
  for (let word = 0; word < count; word++) {
    const row = shares.subarray(word * across, (word + 1) * across);
    if (row[0] > 0.5) continue; // paper is white, not nearly so
    sharpen(row, weights, wish.temperature ?? temperature, wish.seed, groups[word]);
    const sums = [0, 0, 0];
    for (let n = 0; n < across; n++) {
      if (weights[n] < 1e-9) continue;
      for (let c = 0; c < 3; c++) sums[c] += weights[n] * every[3 * n + c];
    }
    for (let c = 0; c < 3; c++) mixed[3 * word + c] = toLevel(sums[c]);
  }
  return mixed;
}

/** @param {number} value -1 to 1 */
function toLevel(value) {
  return Math.min(Math.max(rint((value + 1) * 127.5), 0), 255);
}

/**
 * Shares to the power of 1 / temperature, adding up to 1.
 * @param {Float32Array} shares
 * @param {Float64Array} weights
 * @param {number} temperature
 * @param {number | null} seed
 * @param {number} group the words of an object draw the same lot
 */
function sharpen(shares, weights, temperature, seed, group) {
  let most = -Infinity;
  for (let n = 0; n < weights.length; n++) {
    const lot = seed === null ? 0 : -Math.log(-Math.log(chance(seed, group, n)));
    weights[n] = (Math.log(Math.max(shares[n], 1e-12)) + lot) / temperature;
    if (weights[n] > most) most = weights[n];
  }
  let sum = 0;
  for (let n = 0; n < weights.length; n++) {
    weights[n] = Math.exp(weights[n] - most);
    sum += weights[n];
  }
  for (let n = 0; n < weights.length; n++) weights[n] /= sum;
}

/**
 * A number between 0 and 1 that three whole numbers decide on.
 * @param {number} a
 * @param {number} b
 * @param {number} c
 */
function chance(a, b, c) {
  let mixed = 0x9e3779b9;
  for (const number of [a, b, c]) {
    mixed = Math.imul(mixed ^ number, 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    mixed ^= mixed >>> 16;
  }
  return ((mixed >>> 0) + 0.5) / 4294967296;
}

/** @param {Reading} reading @param {Uint8Array} mixed @param {Map<number, Color>} known */
function coloursOfAll({ wordOf }, mixed, known) {
  const colours = new Uint8Array(3 * wordOf.length).fill(255);
  wordOf.forEach((word, region) => {
    if (word >= 0) colours.set(mixed.subarray(3 * word, 3 * word + 3), 3 * region);
  });
  for (const [region, color] of known) colours.set(color, 3 * region);
  return colours;
}

/**
 * The likeliest colours of a region, best first, with their shares.
 * @param {Reading} reading
 * @param {Said} said
 * @param {number} region
 * @param {number} most
 */
export function likeliest({ wordOf }, { shares, columns }, region, most) {
  const word = wordOf[region];
  if (word < 0) return [];
  const across = columns.length;
  /** @type {Map<string, number>} */
  const found = new Map();
  for (let n = 0; n < across; n++) {
    const share = shares[word * across + n];
    const color = n === 0 ? [255, 255, 255] : columns[n].map(toLevel);
    if (share > 0) found.set(`${color}`, (found.get(`${color}`) ?? 0) + share);
  }
  const sorted = [...found].sort((one, other) => other[1] - one[1]).slice(0, most);
  return sorted.map(([color, share]) => [...color.split(",").map(Number), share]);
}
