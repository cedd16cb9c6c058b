// The colour in hand, and the 32 others beside it.

import { byId, make } from "./dom.js";
import { attempt } from "./status.js";
import { texts } from "./texts.js";

const COUNT = 32;
const COLUMNS = 8;
const COLOURS = [
  ..."#1f1a1c #54504f #8c8884 #c4bfb8 #fff6e5 #f6d7b8 #e3ae86 #b87d5a".split(" "),
  ..."#7a4a32 #4b2d22 #8f2230 #d23c3c #ef6f6c #f7b2ad #e2711d #f6a945".split(" "),
  ..."#f7d154 #fbeaa0 #8a9a3b #bdd36c #4f8f46 #2d5f3f #8ccfa5 #2c8c8c".split(" "),
  ..."#8fd3dc #3b82c4 #24457e #9db8e8 #6a4fa3 #b79be0 #a83d7f #eda2c8".split(" "),
];

export class Palette {
  /**
   * @param {() => void} onChange told when the colour in hand or a swatch is another
   * @param {() => void} onOnly told when the only colours are others, or all are allowed again
   */
  constructor(onChange, onOnly) {
    this.onChange = onChange;
    this.onOnly = onOnly;
    this.colours = COLOURS;
    this.count = COUNT; // of those that were loaded; the others are left from before
    /** @type {number[] | null} */
    this.portions = null; // shares of a picture that these are to have, where they are a picture's
    byId("only").onchange = () => this.#told(true);
    this.place = 11;
    this.colour = this.colours[this.place];
    this.swatches = byId("swatches");
    byId("hex").onchange = ({ target }) => attempt(() => this.typed(target.value));
    byId("mix").oninput = ({ target }) => this.take(target.value);
    this.swatches.onclick = ({ target }) =>
      target.dataset.place && this.choose(+target.dataset.place);
    this.swatches.onkeydown = (event) => this.#step(event);
    this.#show();
  }

  /** The only colours that the drawing may have, or null. */
  get only() {
    return byId("only").checked ? this.colours.slice(0, this.count) : null;
  }

  /** What is to be kept of it. */
  get saved() {
    const { colours, count, portions } = this;
    return { colours, count, portions, only: byId("only").checked };
  }

  /** Take up what was kept. */
  restore({ colours, count = COUNT, portions = null, only = false }) {
    byId("only").checked = only;
    this.load(colours);
    Object.assign(this, { count, portions });
    this.#show();
  }

  /** Take a colour in hand, wherever it comes from. */
  take(colour) {
    this.colour = colour;
    const place = this.colours.indexOf(colour);
    if (place >= 0) this.place = place;
    this.#mark();
    this.onChange();
  }

  /** Take a colour of the palette in hand. */
  choose(place) {
    this.place = place;
    this.take(this.colours[place]);
  }

  /** Take what was typed, with or without #, also in three digits. */
  typed(text) {
    const digits = text.trim().replace(/^#/, "").toLowerCase();
    const long = digits.length === 3 ? digits.replace(/./g, "$&$&") : digits;
    if (!/^[0-9a-f]{6}$/.test(long)) {
      byId("hex").value = this.colour;
      throw new Error(texts.hexWrong(text));
    }
    this.take(`#${long}`);
  }

  /** Put the colour in hand into the palette, in the place chosen last. */
  keep() {
    this.colours = this.colours.with(this.place, this.colour);
    this.portions = null;
    this.#told();
  }

  /** Other colours; where there are fewer than 32 the last places keep theirs. */
  load(colours, portions = null) {
    this.portions = portions;
    this.colours = [...colours.slice(0, COUNT), ...this.colours.slice(colours.length)];
    this.count = Math.min(colours.length, COUNT);
    this.#told();
  }

  /** Colours of a picture, which are the only ones from then on where that can be. */
  loadOnly(colours, portions, canBe) {
    byId("only").checked = canBe;
    this.load(colours, portions);
  }

  #told(isOther = byId("only").checked) {
    this.#show();
    this.onChange();
    if (isOther) this.onOnly();
  }

  #show() {
    const swatches = this.colours.map((colour, place) => {
      const label = texts.swatch(colour, place + 1);
      const attributes = { role: "radio", "aria-label": label };
      const swatch = make("button", {
        type: "button",
        title: label,
        attributes,
        dataset: { place },
        hidden: byId("only").checked && place >= this.count,
      });
      swatch.style.background = colour;
      return swatch;
    });
    this.swatches.replaceChildren(...swatches);
    this.#mark();
  }

  /** Arrow keys go from swatch to swatch, as in a group of radio buttons. */
  #step(event) {
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: COLUMNS, ArrowUp: -COLUMNS };
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    this.choose((this.place + step + this.colours.length) % this.colours.length);
    this.swatches.children[this.place].focus();
  }

  #mark() {
    byId("hex").value = this.colour;
    byId("mix").value = this.colour;
    for (const [place, swatch] of [...this.swatches.children].entries()) {
      swatch.setAttribute("aria-checked", this.colours[place] === this.colour);
      swatch.tabIndex = place === this.place ? 0 : -1;
    }
  }
}
