// The sliders that move what the network colours along named directions.

import { byId, make } from "./dom.js";
import { DIRECTIONS, MOST } from "./engine/styles.js";
import { texts } from "./texts.js";

export class Style {
  /**
   * @param {(style: Record<string, number> | null) => void} onTry while a slider moves
   * @param {(style: Record<string, number> | null) => void} onSet when it stands, or all are reset
   */
  constructor(onTry, onSet) {
    this.sliders = DIRECTIONS.map((name) => {
      const slider = make("input", { type: "range", min: -MOST, max: MOST, step: 0.5, id: name });
      slider.oninput = () => {
        this.#say(slider);
        onTry(this.#style);
      };
      slider.onchange = () => onSet(this.#style);
      const words = make("span", { textContent: texts.directions[name] });
      const about = { className: "slider", title: texts.directionsTip[name], htmlFor: name };
      byId("style").append(make("label", about, words, make("output"), slider));
      return slider;
    });
    this.show(null);
  }

  /** Show steps by the directions' names; null: none. */
  show(style) {
    for (const slider of this.sliders) {
      slider.value = style?.[slider.id] ?? 0;
      this.#say(slider);
    }
    byId("styleReset").disabled = !style;
  }

  /** What the sliders say, or null where that is nothing. */
  get #style() {
    const steps = this.sliders.map((slider) => [slider.id, +slider.value]);
    return steps.some(([, step]) => step) ? Object.fromEntries(steps) : null;
  }

  #say(slider) {
    slider.previousSibling.textContent = texts.step(+slider.value);
  }
}
