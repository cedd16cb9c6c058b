// The likeliest colours of the region under the pen.

import { byId, make } from "./dom.js";
import { hexOf } from "./files/gpl.js";
import { texts } from "./texts.js";

const REST = 150; // ms that the pen stays before the engine is asked

export class Suggestions {
  /** @param {(colour: string) => void} onTake */
  constructor(onTake) {
    this.onTake = onTake;
    this.row = byId("suggested");
    this.row.onclick = ({ target }) => target.value && onTake(target.value);
    this.clear();
  }

  /**
   * Show those of a region, once the pen rests there.
   * @param {unknown} region anything that tells one from another
   * @param {() => Promise<[number, number, number, number][]>} ask colours and their shares
   */
  look(region, ask) {
    if (region === this.region) return;
    this.region = region;
    clearTimeout(this.waiting);
    this.waiting = setTimeout(async () => {
      const found = await ask();
      if (region === this.region && found.length) this.#show(found);
    }, REST);
  }

  /** Show none, as of a drawing that has changed. */
  clear() {
    clearTimeout(this.waiting);
    this.region = null;
    this.row.replaceChildren(make("p", { className: "quiet", textContent: texts.suggestedNone }));
  }

  /** Forget which region these are for, as something was said meanwhile. */
  stale() {
    this.region = null;
  }

  /** Take one by its place, as a key says. */
  take(place) {
    const { value } = this.row.children[place] ?? {};
    if (value) this.onTake(value);
  }

  #show(found) {
    const chips = found.map(([red, green, blue, share]) => {
      const value = hexOf([red, green, blue]);
      const label = texts.suggestion(value, share);
      const chip = make("button", { type: "button", value, title: label });
      chip.setAttribute("aria-label", label);
      chip.style.background = value;
      return chip;
    });
    this.row.replaceChildren(...chips);
  }
}
