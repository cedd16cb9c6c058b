// Where the drawing lies on the stage and how large it is shown.

import { clamp } from "./strokes.js";

const LEAST = 0.02;
const MOST = 40;
const AROUND = 0.94; // of the stage that a fitted drawing fills

export class View {
  /**
   * @param {HTMLElement} stage what is looked through
   * @param {HTMLElement} sheet the drawing, in its own pixels
   * @param {(scale: number) => void} onScale
   */
  constructor(stage, sheet, onScale) {
    this.stage = stage;
    this.sheet = sheet;
    this.onScale = onScale;
    this.fitted = true;
    this.width = this.height = this.scale = 1;
    this.x = this.y = 0;
    this.show({ width: 1, height: 1 });
    new ResizeObserver(() => this.fitted && this.fit()).observe(stage);
  }

  /** Show a drawing of another size, as a whole. */
  show({ width, height }) {
    Object.assign(this, { width, height });
    this.sheet.style.width = `${width}px`;
    this.sheet.style.height = `${height}px`;
    this.fit();
  }

  fit() {
    const { clientWidth, clientHeight } = this.stage;
    const room = Math.min(clientWidth / this.width, clientHeight / this.height);
    const scale = clamp(AROUND * room, LEAST, MOST);
    const x = (clientWidth - scale * this.width) / 2;
    const y = (clientHeight - scale * this.height) / 2;
    this.#place(scale, x, y);
    this.fitted = true;
  }

  /** Show a pixel of the drawing as one of the screen, around the middle. */
  actual() {
    this.zoom(1 / this.scale);
  }

  /**
   * Larger or smaller by a factor; what is at the place (CSS px in the window) stays there.
   * @param {number} factor
   * @param {[number, number]} [place] by default the middle of the stage
   */
  zoom(factor, place) {
    const { left, top, width, height } = this.stage.getBoundingClientRect();
    const [x, y] = place ? [place[0] - left, place[1] - top] : [width / 2, height / 2];
    const scale = clamp(this.scale * factor, LEAST, MOST);
    const real = scale / this.scale;
    this.#place(scale, x - (x - this.x) * real, y - (y - this.y) * real);
  }

  pan(across, down) {
    this.#place(this.scale, this.x + across, this.y + down);
  }

  /** A place in the window as a point of the drawing; (0, 0) is its first pixel's middle. */
  point(clientX, clientY) {
    const { left, top } = this.stage.getBoundingClientRect();
    return [
      (clientX - left - this.x) / this.scale - 0.5,
      (clientY - top - this.y) / this.scale - 0.5,
    ];
  }

  /** Move the drawing so far that a point of it is seen. */
  reveal([x, y]) {
    const { clientWidth, clientHeight } = this.stage;
    const place = [this.x + x * this.scale, this.y + y * this.scale];
    const there = [clamp(place[0], 24, clientWidth - 24), clamp(place[1], 24, clientHeight - 24)];
    if (there[0] !== place[0] || there[1] !== place[1]) {
      this.pan(there[0] - place[0], there[1] - place[1]);
    }
  }

  /** Whether a point lies on the drawing. */
  holds([x, y]) {
    return x >= -0.5 && y >= -0.5 && x < this.width - 0.5 && y < this.height - 0.5;
  }

  #place(scale, x, y) {
    const { clientWidth, clientHeight } = this.stage;
    const seen = Math.min(48, clientWidth / 4); // CSS px of the drawing that stay on the stage
    this.fitted = false;
    this.scale = scale;
    this.x = clamp(x, seen - scale * this.width, clientWidth - seen);
    this.y = clamp(y, seen - scale * this.height, clientHeight - seen);
    this.sheet.style.transform = `translate(${this.x}px, ${this.y}px) scale(${scale})`;
    this.sheet.style.setProperty("--scale", scale);
    this.sheet.classList.toggle("near", scale >= 3);
    this.onScale(scale);
  }
}
