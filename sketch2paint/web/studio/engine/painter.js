// From a drawing and hints to flats; sketch2paint/inference/region_painter.py again.

import { likeliest } from "./answer.js";
import { Canvas } from "./canvas.js";
import { clustered, isWhite, nearestTold, toLab } from "./colours.js";
import { composed } from "./composition.js";
import { Corrected } from "./corrected.js";
import { fill } from "./fill.js";
import { fitted, strokesOf } from "./format.js";
import { multiplied } from "./layers.js";
import { color } from "./plain.js";
import { greyOf, normalise } from "./scans.js";
import { laidOver } from "./shade.js";
import { marksOf } from "./strokes.js";
import { stepsOf } from "./styles.js";
import { answered, areaIn, readWindows } from "./windows.js";

/**
 * @typedef {[number, number, number]} Color
 * @typedef {import("./format.js").HintsFile} HintsFile
 * @typedef {import("./regions.js").Regions} Regions
 * @typedef {{ hints: HintsFile, gap?: number | null, temperature?: number | null,
 *   seed?: number | null, network?: boolean,
 *   shaded?: boolean, detail?: number | null, palette?: string[] | null, portions?: number[] | null,
 *   style?: import("./styles.js").Style | null }} Request
 * @typedef {{ source: "filler" | "network" | "shaded", width: number, height: number,
 *   rgba: Uint8ClampedArray, index: Labels, table: Uint8Array, flats: Uint8Array, said: number,
 *   colours: Uint8Array | null, labels: Labels, groups: Int32Array, notes: string[] }} Painted
 * @typedef {import("./regions.js").Labels} Labels
 */

const MEANT = 0.5; // of a region's free pixels: with more of them a stroke tells its colour
const UNSEEN = 3; // units of Lab from white: no eye tells it from paper
const LARGEST = 16384; // pixels of a side
const AREA = 4096 ** 2; // pixels in all: what a page can hold, several times over

/** A drawing that was opened: its regions, and what the network has read and said of it. */
export class Drawing {
  /**
   * @param {number} width
   * @param {number} height
   * @param {ArrayLike<number>} rgba
   */
  constructor(width, height, rgba) {
    checkSize(width, height, rgba.length);
    const { sketch, notes } = normalise(greyOf(rgba), width, height);
    this.width = width;
    this.height = height;
    this.sketch = sketch;
    this.notes = notes;
    this.corrected = new Corrected(sketch, width, height);
    const none = /** @type {HintsFile} */ ({ version: 1, size: [width, height], hints: [] });
    this.regions = this.corrected.said(none);
    this.lastTable = new Uint8Array(3 * this.regions.count).fill(255);
    this.take(this.regions);
  }

  /** Go on with other regions, in the colours that were there. @param {Regions} regions */
  take(regions) {
    const table = new Uint8Array(3 * regions.count);
    for (let i = 0; i < regions.labels.length; i++) {
      const [to, from] = [3 * regions.labels[i], 3 * this.regions.labels[i]];
      for (let n = 0; n < 3; n++) table[to + n] = this.lastTable[from + n];
    }
    this.regions = regions;
    this.canvas = new Canvas(regions, this.sketch);
    /** @type {Promise<import("./windows.js").Window[]> | null} */
    this.windows = null;
    /** @type {Uint8Array} */
    this.lastTable = table;
    this.areLabelsGiven = false; // as they are now
  }

  /** The finest region of each pixel, to give away. */
  labels() {
    this.areLabelsGiven = true;
    return this.regions.labels.slice();
  }

  /**
   * Fill regions with what a person said.
   * @param {Request} request
   */
  fill({ hints, gap = null }) {
    const { hints: own, notes } = fitted(hints, this.width, this.height);
    const regions = this.corrected.said(own);
    if (regions !== this.regions) this.take(regions);
    const strokes = strokesOf(own);
    const width = gap ?? own.gap ?? null;
    const filled = strokes.length
      ? fill(regions, marksOf(strokes, this.width, this.height), width)
      : { taken: new Int32Array(regions.count), mixed: [] };
    const colours = new Uint8Array(3 * strokes.length + 3).fill(255);
    strokes.forEach(({ color }, n) => {
      if (color) colours.set(color, 3 * n + 3);
    });
    const idle = strokes.length && colouring(regions, filled) < strokes.length;
    const more = idle ? ["some strokes colour nothing"] : [];
    if (this.corrected.hasIdleCut(own, regions, width)) more.push("some cuts part nothing");
    return { filled, colours, groups: regions.groups(width), notes: [...notes, ...more] };
  }

  /**
   * The picture with a colour for each region that no stroke fills.
   * @param {"filler" | "network"} source
   * @param {ReturnType<Drawing["fill"]>} told
   * @param {Uint8Array} table (count x 3)
   * @param {Uint8Array} [flats] the same where nothing is shaded
   * @returns {Painted}
   */
  painted(source, { filled, colours, groups, notes }, table, flats = table) {
    const every = Uint8Array.from([...table, ...colours.subarray(3)]);
    const plainly = flats === table ? every : Uint8Array.from([...flats, ...colours.subarray(3)]);
    this.canvas.show(filled, every);
    const { width, height } = this;
    const about = { source, width, height, said: colours.length / 3 - 1, groups, notes };
    const labels = this.areLabelsGiven ? null : this.labels();
    return {
      ...about,
      ...this.canvas.shown(),
      labels,
      table: every,
      flats: plainly,
      colours: null,
    };
  }

  /**
   * What was painted last with a generator's light and dark; null where it is not wanted any more.
   * @param {import("./shading.js").Shading} shading
   * @param {Painted} painted
   * @param {number} detail
   * @param {() => Promise<boolean>} isWanted
   */
  async shaded(shading, painted, detail, isWanted) {
    const { width, height, sketch, regions } = this;
    const { index } = this.canvas;
    const { table } = painted;
    const { fake, paper } = await shading.paint(
      sketch,
      { width, height, rgb: plain(index, table) },
      detail,
    );
    if (!(await isWanted())) return null;
    const base = composed(fake, paper, this, sketch);
    if (!(await isWanted())) return null;
    const colours = laidOver(regions, index, table, base);
    const rgba = multiplied(colours, sketch);
    return { ...painted, source: "shaded", rgba, index: null, labels: null, colours };
  }

  /**
   * What the network says of all regions, like ones equal, a person's as they were; and the same
   * for flats alone, where what is nearly white is paper.
   * @param {import("./network.js").Network} network
   * @param {ReturnType<Drawing["fill"]>} told
   * @param {Request} request
   */
  async ask(network, told, request) {
    const { temperature = null, seed = null, palette: names, portions } = request;
    checkWish(request);
    const steps = stepsOf(request.style);
    const palette = names ? paletteOf(names, portions ?? names.map(() => 0)) : null;
    const known = knownRegions(this.regions, told.filled, told.colours);
    this.windows ??= readWindows(network, this.sketch, this.regions);
    const table = await answered(network, await this.windows, known, {
      ...{ temperature, seed, palette, steps },
    });
    this.lastTable = table;
    return { table, flats: palette ? table : madeAlike(table, known, this.regions) };
  }

  /**
   * The likeliest colours of the region at a pixel.
   * @param {number} x
   * @param {number} y
   */
  async suggest(x, y) {
    const [column, row] = [Math.floor(x + 0.5), Math.floor(y + 0.5)];
    const inside = column >= 0 && row >= 0 && column < this.width && row < this.height;
    if (!this.windows || !inside) return [];
    const region = this.regions.labels[row * this.width + column];
    const windows = (await this.windows).filter(
      ({ said, numbers }) => said && numbers[region] >= 0,
    );
    const [best] = windows.sort((a, b) => areaIn(b, region) - areaIn(a, region));
    if (!best?.said) return [];
    return likeliest(best.reading, best.said, best.numbers[region], 6);
  }
}

/** Flats, RGB. @param {Labels} index @param {Uint8Array} table */
function plain(index, table) {
  const rgb = new Uint8Array(3 * index.length);
  for (let i = 0, at = 0; i < index.length; i++) {
    for (let from = 3 * index[i], n = 0; n < 3; n++) rgb[at++] = table[from + n];
  }
  return rgb;
}

/** @param {number} width @param {number} height @param {number} length */
function checkSize(width, height, length) {
  const isWhole = [width, height].every((side) => Number.isInteger(side) && side > 0);
  if (!isWhole || length !== 4 * width * height) {
    throw new Error(
      `Expected the RGBA pixels of a picture of ${width} x ${height}, got ${length} numbers. ` +
        "Pass the data of an ImageData.",
    );
  }
  if (Math.max(width, height) > LARGEST || width * height > AREA) {
    throw new Error(
      `Expected a drawing of at most ${LARGEST.toLocaleString("en")} pixels a side and ` +
        `4,096 x 4,096 in all, got ${width} x ${height}. Make it smaller, or use predict.py.`,
    );
  }
}

/**
 * A palette as levels, each colour once, without white, which paper is.
 * @param {string[]} names
 * @param {number[]} portions
 */
function paletteOf(names, portions) {
  /** @type {Map<string, number>} */
  const shares = new Map();
  names.map(color).forEach((name, n) => {
    shares.set(name, (shares.get(name) ?? 0) + portions[n]);
  });
  shares.delete("#ffffff");
  if (!shares.size) {
    throw new Error("Expected a palette with a colour besides white, got none. Load another one.");
  }
  const levels = [...shares.keys()].flatMap((name) =>
    [1, 3, 5].map((at) => Number(`0x${name.slice(at, at + 2)}`)),
  );
  return { colours: Uint8Array.from(levels), portions: Float32Array.from(shares.values()) };
}

/** @param {Request} request */
function checkWish({ temperature = null, seed = null, detail = null }) {
  if (temperature !== null && !(temperature > 0)) {
    throw new Error(
      `Expected \`temperature\` above 0, got ${temperature}. Pass 0.05 for the likeliest.`,
    );
  }
  if (seed !== null && !Number.isInteger(seed)) {
    throw new Error(`Expected \`seed\` to be a whole number, got ${seed}. Pass 1, 2, 3 or so.`);
  }
  if (detail !== null && !(detail >= 1)) {
    throw new Error(`Expected \`detail\` from 1 on, got ${detail}. Pass 1 for the whole drawing.`);
  }
}

/**
 * How many strokes colour something.
 * @param {Regions} regions
 * @param {import("./fill.js").Filled} filled
 */
function colouring(regions, filled) {
  const some = new Set();
  const isMixed = new Set(filled.mixed.map(({ region }) => region));
  filled.taken.forEach((stroke, region) => {
    if (stroke && regions.areas[region] && !isMixed.has(region)) some.add(stroke);
  });
  for (const { counts } of filled.mixed) for (const stroke of counts.keys()) some.add(stroke);
  return some.size;
}

/**
 * The colours of the regions that strokes were meant for.
 * @param {Regions} regions
 * @param {import("./fill.js").Filled} filled
 * @param {Uint8Array} colours of the strokes, from row 1
 */
export function knownRegions(regions, filled, colours) {
  /** @type {Map<number, Color>} */
  const known = new Map();
  const colourOf = (/** @type {number} */ stroke) =>
    /** @type {Color} */ ([...colours.subarray(3 * stroke, 3 * stroke + 3)]);
  const mixed = new Map(filled.mixed.map(({ region, counts }) => [region, counts]));
  filled.taken.forEach((stroke, region) => {
    const all = regions.freeAreas[region];
    const counts = mixed.get(region) ?? new Map([[stroke, { free: all }]]);
    for (const [one, { free }] of counts) {
      if (one && free > MEANT * all) known.set(region, colourOf(one));
    }
  });
  return known;
}

/**
 * Colours that are like a person's become those; the others become equal where they are alike, in
 * place. The same for flats: of the others what is nearly white is paper.
 * @param {Uint8Array} table
 * @param {Map<number, Color>} known
 * @param {Regions} regions
 */
export function madeAlike(table, known, regions) {
  const row = (/** @type {number} */ region) => table.subarray(3 * region, 3 * region + 3);
  const told = toldColours([...known.values()].filter((color) => !isWhite(color, 0)));
  const free = [];
  for (let region = 0; region < regions.count; region++) {
    if (!known.has(region) && !isWhite(table, region)) free.push(region);
  }
  const like = nearestTold(Uint8Array.from(free.flatMap((region) => [...row(region)])), told);
  const rest = free.filter((region, n) => {
    if (like[n] >= 0) table.set(told.subarray(3 * like[n], 3 * like[n] + 3), 3 * region);
    return like[n] < 0;
  });
  const own = Uint8Array.from(rest.flatMap((region) => [...row(region)]));
  const equal = clustered(
    own,
    rest.map((region) => regions.areas[region]),
  );
  rest.forEach((region, n) => {
    table.set(equal.subarray(3 * n, 3 * n + 3), 3 * region);
  });
  return withoutUnseen(table, rest);
}

/**
 * Colours of which some are paper where no eye tells them from it.
 * @param {Uint8Array} table
 * @param {number[]} regions these
 */
function withoutUnseen(table, regions) {
  const flats = table.slice();
  const lab = toLab(table);
  for (const region of regions) {
    const away = Math.hypot(lab[3 * region] - 100, lab[3 * region + 1], lab[3 * region + 2]);
    if (away < UNSEEN) flats.fill(255, 3 * region, 3 * region + 3);
  }
  return flats;
}

/** Each told colour once, sorted. @param {Color[]} colours */
function toldColours(colours) {
  const codes = new Set(colours.map(([red, green, blue]) => (red << 16) | (green << 8) | blue));
  const sorted = [...codes].sort((one, other) => one - other);
  return Uint8Array.from(sorted.flatMap((code) => [code >> 16, (code >> 8) & 255, code & 255]));
}
