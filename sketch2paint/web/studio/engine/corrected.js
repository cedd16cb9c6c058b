// The regions of a drawing as a person wants them: cut along lines, and merged;
// sketch2paint/hints/corrected.py again.

import { CUT, linesOf, MERGE } from "./format.js";
import { findRegionsByPanel } from "./panels.js";
import { singles, unite } from "./sets.js";
import { draw } from "./strokes.js";

/**
 * @typedef {import("./regions.js").Regions} Regions
 * @typedef {import("./strokes.js").Stroke} Stroke
 */

const BESIDE = 6; // pixels by which a cut is widened to see what lies on its sides

/** The regions of a drawing, which are found again only where a cut or a merge is another. */
export class Corrected {
  /**
   * @param {Uint8Array} sketch
   * @param {number} width
   * @param {number} height
   */
  constructor(sketch, width, height) {
    this.sketch = sketch;
    this.width = width;
    this.height = height;
    /** @type {{ key: string, regions: Regions } | null} */
    this.cut = null;
    /** @type {{ key: string, regions: Regions } | null} */
    this.last = null;
    /** @type {{ regions: Regions, gap: number | null, is: boolean } | null} */
    this.idle = null;
  }

  /**
   * The regions with the cuts and merges of hints on a drawing of this size.
   * @param {import("./format.js").HintsFile} hints
   */
  said(hints) {
    const cuts = linesOf(hints, CUT);
    const merges = linesOf(hints, MERGE);
    const key = JSON.stringify([cuts, merges]);
    if (this.last?.key === key) return this.last.regions;
    this.last = { key, regions: this.merged(this.withCuts(cuts), merges) };
    return this.last.regions;
  }

  /** @param {Stroke[]} cuts */
  withCuts(cuts) {
    const { sketch, width, height } = this;
    const key = JSON.stringify(cuts);
    if (this.cut?.key === key) return this.cut.regions;
    const drawn = cuts.length ? this.covered(cuts) : null;
    this.cut = { key, regions: findRegionsByPanel(sketch, width, height, drawn) };
    return this.cut.regions;
  }

  /** @param {Regions} regions @param {Stroke[]} merges */
  merged(regions, merges) {
    if (!merges.length) return regions;
    const parents = singles(regions.count);
    for (const merge of merges) {
      const under = new Set();
      this.covered([merge]).forEach((on, i) => {
        if (on && !regions.ink[i]) under.add(regions.labels[i]);
      });
      const [first, ...others] = under;
      for (const other of others) unite(parents, first, other);
    }
    return regions.merged(parents);
  }

  /**
   * Whether some cut parts nothing: one region lies on both its sides. It is looked for again only
   * where the regions or the gap are others.
   * @param {import("./format.js").HintsFile} hints
   * @param {Regions} regions with these cuts
   * @param {number | null} gap
   */
  hasIdleCut(hints, regions, gap) {
    const cuts = linesOf(hints, CUT);
    if (!cuts.length) return false;
    if (this.idle?.regions === regions && this.idle.gap === gap) return this.idle.is;
    const groups = regions.groups(gap);
    const is = cuts.some((cut) => {
      const beside = new Set();
      this.covered([{ ...cut, width: cut.width + BESIDE }]).forEach((on, i) => {
        if (on && !regions.ink[i]) beside.add(groups[regions.labels[i]]);
      });
      return beside.size < 2;
    });
    this.idle = { regions, gap, is };
    return is;
  }

  /** Where strokes lie: 1. @param {Stroke[]} strokes */
  covered(strokes) {
    const { width, height } = this;
    const data = new Uint8Array(width * height);
    for (const stroke of strokes) draw(stroke, 1, { data, width, height });
    return data;
  }
}
