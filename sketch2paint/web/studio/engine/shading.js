// The generator that is given a drawing and its flats, and shades them;
// sketch2paint/inference/painter.py again.

import { channelOf } from "./composition.js";
import { opened } from "./network.js";
import { rint } from "./numbers.js";
import { resized } from "./resize.js";

const ENLARGED = 65536; // pixels of a thin strip up to which it is enlarged
const TILE = 4; // training sizes of a side that the generator sees in one piece at more detail
const LONGEST = 16; // shorter sides of a strip, up to which the generator sees it in one piece

/**
 * @typedef {{ size: number, multiple: number }} About
 * @typedef {import("./composition.js").Picture} Picture
 */

/** A generator, ready to run. */
export class Shading {
  /**
   * @param {any} runtime onnxruntime-web
   * @param {About} about
   * @param {any} session
   */
  constructor(runtime, about, session) {
    this.runtime = runtime;
    this.about = about;
    this.session = session;
  }

  /**
   * @param {any} runtime
   * @param {About} about
   * @param {ArrayBuffer} graph
   */
  static async load(runtime, about, graph) {
    return new Shading(runtime, about, await opened(runtime, graph));
  }

  /** Whether a drawing of this size is shaded: a long strip is not, it would take the memory. */
  static takes(/** @type {number} */ width, /** @type {number} */ height) {
    return Math.max(width, height) <= LONGEST * Math.min(width, height);
  }

  /**
   * What the generator makes of a drawing, small, and the drawing at that size.
   * @param {Uint8Array} sketch
   * @param {Picture} flats
   * @param {number} detail times as large as in training
   */
  async paint(sketch, { width, height, rgb }, detail) {
    const { size, multiple } = this.about;
    const [w, h] = seenSize(width, height, size, detail);
    const paper = resized(sketch, width, height, w, h);
    const planes = [0, 1, 2].map((n) => resized(channelOf(rgb, n), width, height, w, h));
    const [across, down] = [w, h].map((side) => Math.ceil(side / multiple) * multiple);
    const tensor = (/** @type {Uint8Array[]} */ channels) =>
      new this.runtime.Tensor("float32", padded(channels, w, h, across, down), [
        ...[1, channels.length, down, across],
      ]);
    const { picture } = await this.session.run({ sketch: tensor([paper]), flats: tensor(planes) });
    return {
      fake: { width: w, height: h, rgb: levelsOf(picture.data, w, h, across, down) },
      paper,
    };
  }
}

/**
 * The size at which the generator sees a drawing: the shorter side is that of its training, or some
 * times as large, as far as the drawing has the pixels and no tiles are needed.
 * @param {number} width
 * @param {number} height
 * @param {number} size
 * @param {number} detail
 */
export function seenSize(width, height, size, detail) {
  const [shorter, longer] = [Math.min(width, height), Math.max(width, height)];
  const whole = Math.min(size / shorter, Math.max(1, ENLARGED / longer));
  const finer = Math.min((detail * size) / shorter, (TILE * size) / longer, 1);
  const scale = Math.max(whole, finer);
  return [width, height].map((side) => Math.max(1, rint(side * scale)));
}

/**
 * Channels one after the other, -1 to 1, in the middle of white paper.
 * @param {Uint8Array[]} channels
 * @param {number} width
 * @param {number} height
 * @param {number} across
 * @param {number} down
 */
function padded(channels, width, height, across, down) {
  const out = new Float32Array(channels.length * across * down).fill(1);
  const start = ((down - height) >> 1) * across + ((across - width) >> 1);
  channels.forEach((levels, n) => {
    for (let y = 0; y < height; y++) {
      const to = n * across * down + start + y * across;
      for (let x = 0; x < width; x++) out[to + x] = Math.fround(levels[y * width + x] / 127.5) - 1;
    }
  });
  return out;
}

/**
 * The middle of what the generator gave, as levels, RGB.
 * @param {Float32Array} picture
 * @param {number} width
 * @param {number} height
 * @param {number} across
 * @param {number} down
 */
function levelsOf(picture, width, height, across, down) {
  const out = new Uint8ClampedArray(3 * width * height);
  const start = ((down - height) >> 1) * across + ((across - width) >> 1);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = start + y * across + x;
      for (let n = 0; n < 3; n++, at++) {
        out[at] = rint((picture[n * across * down + from] + 1) * 127.5);
      }
    }
  }
  return new Uint8Array(out.buffer);
}
