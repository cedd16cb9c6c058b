// The drawing on the canvas: as the engine colours it, or as it was.

import { breath } from "./files/bytes.js";

/**
 * @typedef {object} Painted what the engine's `paint` gives, see engine/README.md
 * @property {"filler" | "network"} source
 * @property {number} width
 * @property {number} height
 * @property {Uint8ClampedArray} rgba
 * @property {Int32Array} index
 * @property {Uint8Array} table
 * @property {number} said
 * @property {string[]} notes
 */

export class Painting {
  /**
   * @param {object} engine
   * @param {HTMLCanvasElement} canvas
   * @param {(isBusy: boolean) => void} onBusy
   */
  constructor(engine, canvas, onBusy) {
    this.engine = engine;
    this.canvas = canvas;
    this.onBusy = onBusy;
    this.requests = 0;
    this.gap = null; // at which the regions were grouped
  }

  /** Take up a picture, and show it without colours. */
  async open({ width, height, data }) {
    this.painted = this.groups = null;
    this.requests++;
    this.drawing = await this.engine.open(width, height, data);
    await breath(); // the answer is large, and so is what comes next
    this.canvas.width = this.drawing.width;
    this.canvas.height = this.drawing.height;
    this.before(true);
    return this.drawing;
  }

  /**
   * Colour it, and show that unless something newer is asked for meanwhile.
   * @param {object} request as the engine takes it
   * @returns {Promise<Painted | null>}
   */
  async paint(request) {
    const number = ++this.requests;
    this.onBusy(true);
    try {
      return await this.engine.paint(request, (painted) => {
        if (number === this.requests) this.#show(painted);
      });
    } finally {
      if (number === this.requests) this.onBusy(false);
    }
  }

  /** Colour it without showing it, as for a small picture; null where something newer comes. */
  sample(request) {
    return this.engine.paint(request, () => {});
  }

  /** Show the drawing as it was, or as it is coloured. */
  before(isBefore) {
    this.isBefore = isBefore;
    if (!this.drawing) return;
    const { width, height, sketch } = this.drawing;
    if (isBefore || !this.painted) this.#put(grey(sketch), width, height);
    else this.#put(this.painted.rgba, width, height);
  }

  /** The colour at a point, without the line that may lie over it: [r, g, b]. */
  colourAt(point) {
    const row = 3 * this.painted.index[this.#place(point)];
    return [...this.painted.table.subarray(row, row + 3)];
  }

  /** The number of the finest region at a point. */
  regionAt(point) {
    return this.drawing.labels[this.#place(point)];
  }

  /** Regions as a gap in px makes them of the finest ones; null: the engine's own. */
  async group(gap) {
    if (this.groups && gap === this.gap) return;
    const groups = await this.engine.groups(gap);
    Object.assign(this, { groups, gap });
  }

  /** The region in which most points of a stroke lie, at the gap that was told last. */
  regionOf({ points }) {
    const counts = new Map();
    for (const point of points) {
      const region = this.groups[this.regionAt(point)];
      counts.set(region, (counts.get(region) ?? 0) + 1);
    }
    return [...counts].reduce((best, each) => (each[1] > best[1] ? each : best))[0];
  }

  #place([x, y]) {
    const { width, height } = this.drawing;
    const column = Math.min(Math.max(Math.round(x), 0), width - 1);
    return Math.min(Math.max(Math.round(y), 0), height - 1) * width + column;
  }

  #show(painted) {
    this.painted = painted;
    this.before(false);
  }

  #put(rgba, width, height) {
    this.canvas.getContext("2d").putImageData(new ImageData(rgba, width, height), 0, 0);
  }
}

function grey(sketch) {
  const rgba = new Uint32Array(sketch.length);
  for (let at = 0; at < sketch.length; at++) rgba[at] = 0xff000000 | (sketch[at] * 0x010101);
  return new Uint8ClampedArray(rgba.buffer);
}
