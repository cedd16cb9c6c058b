// What is shown of a drawing, painted again only where its regions changed.

import { eachMixed } from "./fill.js";
import { MOST } from "./format.js";
import { packed, under } from "./layers.js";
import { MOST_SMALL } from "./regions.js";
import { memory } from "./spares.js";

/**
 * @typedef {import("./regions.js").Regions} Regions
 * @typedef {import("./fill.js").Filled} Filled
 * @typedef {import("./fill.js").Mixed} Mixed
 */

/** A drawing's pixels, and the row of a table that each of them has its colour from. */
export class Canvas {
  /**
   * @param {Regions} regions
   * @param {Uint8Array} sketch
   */
  constructor(regions, sketch) {
    this.regions = regions;
    this.sketch = sketch;
    const isSmall = regions.count + MOST <= MOST_SMALL;
    this.index = new (isSmall ? Uint16Array : Int32Array)(sketch.length);
    this.pixels = new Int32Array(sketch.length);
    this.rows = new Int32Array(regions.count).fill(-1);
    this.colours = new Int32Array(regions.count);
    /** @type {Map<number, { mixed: Mixed, colours: string }>} */
    this.mixed = new Map();
    this.isIndexGiven = false; // as it is now
  }

  /**
   * Show regions in their colours.
   * @param {Filled} filled
   * @param {Uint8Array} table RGB of the regions, and after them of the strokes
   */
  show(filled, table) {
    const before = this.mixed;
    this.mixed = this.mixedNow(filled, table);
    const changed = this.changedNow(filled, table, before);
    this.paintPlain(changed);
    for (const [region, { mixed, colours }] of this.mixed) {
      const old = before.get(region);
      if (old?.mixed !== mixed) this.isIndexGiven = false;
      if (old?.mixed !== mixed || old.colours !== colours) this.paintMixed(mixed, table);
    }
  }

  /** What is shown, to give away; no `index` where the one that was given before still holds. */
  shown() {
    const rgba = memory(this.pixels.byteLength);
    new Int32Array(rgba).set(this.pixels);
    const index = this.isIndexGiven ? null : this.index.slice();
    this.isIndexGiven = true;
    return { rgba: new Uint8ClampedArray(rgba), index };
  }

  /** @param {Filled} filled @param {Uint8Array} table */
  mixedNow(filled, table) {
    const { count } = this.regions;
    return new Map(
      filled.mixed.map((mixed) => {
        const rows = [...mixed.counts.keys()].map((stroke) => count - 1 + stroke);
        return [mixed.region, { mixed, colours: `${rows.map((row) => packed(table, row))}` }];
      }),
    );
  }

  /**
   * The regions of one colour that are to be painted again, 1 for each of them.
   * @param {Filled} filled
   * @param {Uint8Array} table
   * @param {Canvas["mixed"]} before
   */
  changedNow({ taken }, table, before) {
    const { count } = this.regions;
    const changed = new Uint8Array(count);
    for (let region = 0; region < count; region++) {
      const row = taken[region] ? count - 1 + taken[region] : region;
      const colour = packed(table, row);
      const isOther = row !== this.rows[region] || colour !== this.colours[region];
      const isPlain = !this.mixed.has(region);
      if (isPlain && (isOther || before.has(region))) changed[region] = 1;
      if (isPlain && (row !== this.rows[region] || before.has(region))) this.isIndexGiven = false;
      this.rows[region] = row;
      this.colours[region] = colour;
    }
    return changed;
  }

  /** @param {Uint8Array} changed */
  paintPlain(changed) {
    const { regions, index, pixels, sketch, rows, colours } = this;
    const { left, top, right, bottom } = boundsOf(regions, changed);
    for (let y = top; y <= bottom; y++) {
      const end = y * regions.width + right;
      for (let i = y * regions.width + left; i <= end; i++) {
        const region = regions.labels[i];
        if (!changed[region]) continue;
        index[i] = rows[region];
        pixels[i] = under(colours[region], sketch[i]);
      }
    }
  }

  /** @param {Mixed} mixed @param {Uint8Array} table */
  paintMixed(mixed, table) {
    const { regions, index, pixels, sketch } = this;
    eachMixed(regions, [mixed], (place, stroke) => {
      index[place] = regions.count - 1 + stroke;
      pixels[place] = under(packed(table, index[place]), sketch[place]);
    });
  }
}

/** What just holds some regions. @param {Regions} regions @param {Uint8Array} chosen */
function boundsOf(regions, chosen) {
  const bounds = regions.bounds();
  let [left, top, right, bottom] = [regions.width, regions.height, -1, -1];
  for (let region = 0; region < chosen.length; region++) {
    if (!chosen[region]) continue;
    left = Math.min(left, bounds[4 * region]);
    top = Math.min(top, bounds[4 * region + 1]);
    right = Math.max(right, bounds[4 * region + 2]);
    bottom = Math.max(bottom, bounds[4 * region + 3]);
  }
  return { left, top, right, bottom };
}
