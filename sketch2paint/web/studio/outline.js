// The rim of the region under the pen: what a stroke there would colour.

const SIDE = 1024; // px of the map at most; a page's own would take 67 MB
const REST = 40; // ms that the pen stays before a region is looked up
const COLOUR = [45, 140, 255, 255];

export class Outline {
  /** @param {HTMLCanvasElement} canvas over the picture */
  constructor(canvas) {
    this.canvas = canvas;
    this.region = -1;
  }

  /**
   * Show the rim of a region, once the pen rests there.
   * @param {number} region
   * @param {{width: number, height: number}} size of the drawing
   * @param {(place: number) => number} regionAt by a pixel's place, row by row
   */
  show(region, size, regionAt) {
    if (region === this.region) return;
    this.hide();
    this.region = region;
    this.waiting = setTimeout(() => this.#draw(size, regionAt), REST);
  }

  hide() {
    clearTimeout(this.waiting);
    this.region = -1;
    this.canvas.hidden = true;
  }

  #draw({ width, height }, regionAt) {
    const step = Math.ceil(Math.max(width, height) / SIDE);
    const across = Math.ceil(width / step);
    const down = Math.ceil(height / step);
    const inside = new Uint8Array(across * down);
    for (let at = 0; at < inside.length; at++) {
      const place = Math.floor(at / across) * step * width + (at % across) * step;
      inside[at] = Number(regionAt(place) === this.region);
    }
    Object.assign(this.canvas, { width: across, height: down, hidden: false });
    const context = this.canvas.getContext("2d");
    const rim = context.createImageData(across, down);
    for (let at = 0; at < inside.length; at++) {
      const isRim =
        inside[at] &&
        !(inside[at - 1] && inside[at + 1] && inside[at - across] && inside[at + across]);
      if (isRim) rim.data.set(COLOUR, 4 * at);
    }
    context.putImageData(rim, 0, 0);
  }
}
