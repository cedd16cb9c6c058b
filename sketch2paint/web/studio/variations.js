// Other colourings of the drawing, small, to choose from.

import { byId, make } from "./dom.js";
import { texts } from "./texts.js";
import { thumbnail } from "./thumbnail.js";

const AT_ONCE = 4;
const SIDE = 96; // px of a small picture

export class Variations {
  /** @param {(seed: number | null) => void} onChoose */
  constructor(onChoose) {
    this.row = byId("variations");
    this.row.onclick = ({ target }) => {
      const button = target.closest("button");
      if (button) onChoose(button.value ? Number(button.value) : null);
    };
    this.clear();
  }

  /** Show none, as of another drawing. */
  clear() {
    this.next = 1;
    this.row.replaceChildren();
    byId("variationsTry").textContent = texts.variationsTry;
  }

  /**
   * Show the next ones, behind the first colouring.
   * @param {(seed: number | null) => Promise<import("./painting.js").Painted | null>} paint
   * @param {(painted: import("./painting.js").Painted) => void} release told when one was looked at
   */
  async show(paint, release) {
    const seeds = [null, ...Array.from({ length: AT_ONCE }, (_, place) => this.next + place)];
    this.row.replaceChildren();
    for (const seed of seeds) {
      const painted = await paint(seed);
      if (!painted) return; // something newer is being painted
      this.row.append(button(seed, thumbnail(painted, SIDE)));
      release(painted);
    }
    this.next += AT_ONCE;
    byId("variationsTry").textContent = texts.variationsMore;
  }

  /** Mark the one that is shown large. */
  mark(seed) {
    for (const each of this.row.children) {
      each.setAttribute("aria-pressed", each.value === String(seed ?? ""));
    }
  }
}

function button(seed, picture) {
  const number = (seed ?? 0) + 1; // the first colouring is the first
  const label = seed === null ? texts.variationFirst : texts.variation(number);
  const shown = make("span", { textContent: number });
  const made = make("button", { type: "button", value: seed ?? "", title: label }, picture, shown);
  made.setAttribute("aria-label", label);
  return made;
}
