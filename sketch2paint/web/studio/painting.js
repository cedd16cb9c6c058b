// The drawing on the canvas: as the engine colours it, or as it was.

import { breath } from "./files/bytes.js";
import { along } from "./strokes.js";

const DARK = 128; // of 255: a line

/**
 * @typedef {object} Painted what the engine's `paint` gives, see engine/README.md
 * @property {"filler" | "network" | "shaded"} source
 * @property {number} width
 * @property {number} height
 * @property {Uint8ClampedArray} rgba
 * @property {Uint16Array | Int32Array} index
 * @property {Uint8Array} table
 * @property {Uint8Array} flats
 * @property {number} said
 * @property {Uint8Array | null} colours
 * @property {Uint16Array | Int32Array} labels
 * @property {Int32Array} groups
 * @property {string[]} notes
 */

export class Painting {
  /**
   * @param {import("./engine/client.js").Engine} engine
   * @param {HTMLCanvasElement} canvas
   * @param {HTMLCanvasElement} cover over it, that shows the drawing as it was
   * @param {(isBusy: boolean) => void} onBusy
   */
  constructor(engine, canvas, cover, onBusy) {
    this.engine = engine;
    this.canvas = canvas;
    this.cover = cover;
    this.onBusy = onBusy;
    this.requests = 0;
    /** @type {Promise<unknown>} */
    this.last = Promise.resolve(); // what is being painted
  }

  /** Take up a picture, and show it without colours. */
  async open({ width, height, data }) {
    this.painted = null;
    this.requests++;
    const { labels, groups, ...drawing } = await this.engine.open(width, height, data);
    await breath(); // the answer is large, and so is what comes next
    this.drawing = drawing;
    this.labels = labels;
    this.groups = groups;
    this.before(false);
    this.#put(this.canvas, grey(drawing.sketch));
    return drawing;
  }

  /**
   * Colour it, and show that unless something newer is asked for meanwhile.
   * @param {object} request as the engine takes it
   * @returns {Promise<Painted | null>}
   */
  async paint(request) {
    const number = ++this.requests;
    this.onBusy(true);
    const painting = this.engine.paint(request, (painted) => {
      if (number === this.requests) this.#show(painted);
    });
    this.last = painting.catch(() => {});
    try {
      return await painting;
    } finally {
      if (number === this.requests) this.onBusy(false);
    }
  }

  /** Flats without showing them, as for a small picture; null where something newer comes. */
  sample(request) {
    return this.engine.paint({ ...request, shaded: false });
  }

  /** Show the drawing as it was, or as it is coloured. */
  before(isBefore) {
    this.isBefore = isBefore;
    if (isBefore) this.#put(this.cover, grey(this.drawing.sketch));
    else this.cover.width = this.cover.height = 0; // its memory is free again
  }

  /** The colour at a point, without the line that may lie over it: [r, g, b]. */
  colourAt(point) {
    const row = 3 * this.painted.index[this.#place(point)];
    return [...this.painted.table.subarray(row, row + 3)];
  }

  /** The number of the finest region at a point. */
  regionAt(point) {
    return this.labels[this.#place(point)];
  }

  /** The region in which most points of a stroke lie. */
  regionOf({ points }) {
    const counts = new Map();
    for (const point of points) {
      const region = this.groups[this.regionAt(point)];
      counts.set(region, (counts.get(region) ?? 0) + 1);
    }
    return [...counts].reduce((best, each) => (each[1] > best[1] ? each : best))[0];
  }

  /** The regions that a line runs over, in its order; what lies under the drawing's lines is none. */
  regionsUnder({ points }) {
    const free = along(points).filter((point) => this.drawing.sketch[this.#place(point)] > DARK);
    return [...new Set(free.map((point) => this.groups[this.regionAt(point)]))];
  }

  #place([x, y]) {
    const { width, height } = this.drawing;
    const column = Math.min(Math.max(Math.round(x), 0), width - 1);
    return Math.min(Math.max(Math.round(y), 0), height - 1) * width + column;
  }

  #show(painted) {
    const { rgba, labels, groups, ...kept } = painted; // the canvas has the pixels
    this.painted = kept;
    this.labels = labels;
    this.groups = groups;
    this.#put(this.canvas, rgba);
  }

  #put(canvas, rgba) {
    const { width, height } = this.drawing;
    if (canvas.width !== width || canvas.height !== height)
      Object.assign(canvas, { width, height });
    canvas.getContext("2d").putImageData(new ImageData(rgba, width, height), 0, 0);
  }
}

function grey(sketch) {
  const rgba = new Uint32Array(sketch.length);
  for (let at = 0; at < sketch.length; at++) rgba[at] = 0xff000000 | (sketch[at] * 0x010101);
  return new Uint8ClampedArray(rgba.buffer);
}
