// The panel that says what one can do, and the keys.

import { byId, make } from "./dom.js";
import { KEYS } from "./keys.js";
import { texts } from "./texts.js";

/** What stands for many keys, or for those of the drawing itself. */
const SHOWN = {
  swatch: ["1", "…", "8"],
  suggestion: ["Shift+1", "…", "6"],
  zoomIn: ["+"],
  cursor: ["←", "↑", "→", "↓"],
};

/** Fill the help in, from the same table that the keys are read from. */
export function fillHelp() {
  byId("helpSteps").replaceChildren(
    ...texts.helpSteps.map((textContent) => make("li", { textContent })),
  );
  byId("helpKeys").replaceChildren(
    ...Object.entries({ ...KEYS, ...SHOWN }).flatMap(([action, keys]) => [
      make("dt", {}, ...keys.flatMap((key) => [make("kbd", { textContent: named(key) }), " "])),
      make("dd", { textContent: texts.keys[action] }),
    ]),
  );
}

function named(key) {
  return key.replace(/(^|\+)([a-z])$/, (_, before, letter) => before + letter.toUpperCase());
}
