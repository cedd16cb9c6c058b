// The sliders and switches beside the drawing.

import { byId } from "./dom.js";
import { clamp } from "./strokes.js";
import { texts } from "./texts.js";

const WIDTH = 1 / 50; // of the shorter side
const WIDEST = 1 / 5;
const GAP = 1 / 10; // what "auto" takes
const GAPS = 1 / 5;
const STEP = 1.25; // of the width, by a key

export class Settings {
  /**
   * @param {object} on
   * @param {(gap: number) => void} on.tryGap while the slider moves
   * @param {(gap: number | null) => void} on.setGap when it stands, or auto is chosen
   * @param {() => void} on.network when the switch was turned
   * @param {() => void} on.shaded the same of flat colours or shaded ones
   * @param {() => void} on.change of anything that is kept
   */
  constructor(on) {
    this.on = on;
    this.share = WIDTH;
    this.side = 512;
    byId("width").oninput = ({ target }) => this.setWidth(+target.value);
    byId("gap").oninput = ({ target }) => {
      this.showGap(+target.value);
      on.tryGap(+target.value);
    };
    byId("gap").onchange = ({ target }) => on.setGap(+target.value);
    byId("gapAuto").onchange = ({ target }) => on.setGap(target.checked ? null : this.#autoGap());
    byId("network").onchange = () => on.network();
    for (const id of ["flat", "shaded"]) {
      byId(id).onchange = () => {
        on.shaded();
        on.change();
      };
    }
    byId("detail").oninput = () => this.#showDetail();
    byId("detail").onchange = () => {
      on.shaded();
      on.change();
    };
    byId("strokes").onchange = () => this.showStrokes(byId("strokes").checked);
  }

  /** Width of the pen in pixels of the drawing. */
  get width() {
    return Math.max(1, Math.round(this.share * this.side));
  }

  /** Whether the network colours what nobody spoke of. */
  get network() {
    return byId("network").checked;
  }

  /** Whether a generator's light and dark are laid over the colours. */
  get shaded() {
    return byId("shaded").checked;
  }

  set shaded(isShaded) {
    byId(isShaded ? "shaded" : "flat").checked = true;
  }

  /** How many times as large as in its training the generator sees the drawing. */
  get detail() {
    return +byId("detail").value;
  }

  set detail(detail) {
    byId("detail").value = detail;
    this.#showDetail();
  }

  /** Whether a stroke takes the place of those of other colours in its region. */
  get replaces() {
    return byId("replaces").checked;
  }

  /** Whether strokes are always shown, not only while they are erased or moved. */
  showStrokes(isShown) {
    byId("strokes").checked = isShown;
    byId("stage").classList.toggle("strokes", isShown);
    this.on.change();
  }

  setWidth(width) {
    this.share = clamp(width / this.side, 1 / this.side, WIDEST);
    this.#showWidth();
    this.on.change();
  }

  /** Thicker, or thinner with -1, by a quarter and at least a pixel. */
  stepWidth(direction) {
    const next = Math.round(this.width * STEP ** direction);
    this.setWidth(next === this.width ? this.width + direction : next);
  }

  /** Sliders for a drawing of another size. */
  resize({ width, height }) {
    this.side = Math.min(width, height);
    byId("width").max = Math.max(2, Math.round(WIDEST * this.side));
    byId("gap").max = Math.max(2, Math.round(GAPS * this.side));
    this.#showWidth();
  }

  /** Show a gap in px, or null: auto. */
  showGap(gap) {
    byId("gapAuto").checked = gap === null;
    byId("gap").value = gap ?? this.#autoGap();
    byId("gapSaid").textContent = gap === null ? "" : texts.pixels(gap);
  }

  #autoGap() {
    return Math.round(GAP * this.side);
  }

  #showDetail() {
    byId("detailSaid").textContent = texts.times(this.detail);
  }

  #showWidth() {
    byId("width").value = this.width;
    byId("widthSaid").textContent = texts.pixels(this.width);
  }
}
