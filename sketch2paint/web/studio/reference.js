// A picture beside the palette, from which colours are taken.

import { byId } from "./dom.js";
import { hexOf } from "./files/gpl.js";
import { thumbnail } from "./thumbnail.js";

const SIDE = 320; // px of the picture that is kept

export class Reference {
  /**
   * @param {(colour: string) => void} onTake
   * @param {() => void} onChange told when there is another one, or none any more
   */
  constructor(onTake, onChange) {
    this.onChange = onChange;
    this.saved = ""; // data: of the picture, or none
    this.canvas = byId("reference");
    const take = ({ offsetX, offsetY, buttons }) => buttons && onTake(this.#at(offsetX, offsetY));
    this.canvas.onpointerdown = take;
    this.canvas.onpointermove = take;
  }

  /** Show a picture, small. */
  show({ width, height, data }) {
    this.#put(thumbnail({ width, height, rgba: data }, SIDE));
    this.onChange();
  }

  /** Show what was kept. */
  async restore(saved = "") {
    if (!saved) return;
    const picture = new Image();
    picture.src = saved;
    await picture.decode();
    this.#put(picture);
  }

  /** Put the picture away. */
  clear() {
    this.saved = "";
    byId("referenceRow").hidden = true;
    this.onChange();
  }

  #put(picture) {
    const { width, height } = picture;
    Object.assign(this.canvas, { width, height });
    this.canvas.getContext("2d", { willReadFrequently: true }).drawImage(picture, 0, 0);
    this.saved = this.canvas.toDataURL();
    byId("referenceRow").hidden = false;
  }

  /** The colour at a place of the element. */
  #at(x, y) {
    const { width, height, clientWidth, clientHeight } = this.canvas;
    const column = Math.min(Math.floor((x / clientWidth) * width), width - 1);
    const row = Math.min(Math.floor((y / clientHeight) * height), height - 1);
    const place = [Math.max(column, 0), Math.max(row, 0)];
    return hexOf(
      this.canvas
        .getContext("2d")
        .getImageData(...place, 1, 1)
        .data.subarray(0, 3),
    );
  }
}
