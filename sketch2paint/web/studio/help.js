// The panel that says what one can do, and the keys.

import { byId, make } from "./dom.js";
import { KEYS } from "./keys.js";
import { texts } from "./texts.js";

/** Fill the help in, from the same table that the keys are read from. */
export function fillHelp() {
  byId("helpSteps").replaceChildren(
    ...texts.helpSteps.map((textContent) => make("li", { textContent })),
  );
  const arrows = { action: "cursor", keys: [], shown: ["←", "↑", "→", "↓"] };
  byId("helpKeys").replaceChildren(
    ...[...KEYS, arrows].flatMap(({ action, keys, shown = keys }) => [
      make("dt", {}, ...shown.flatMap((key) => [make("kbd", { textContent: named(key) }), " "])),
      make("dd", { textContent: texts.keys[action] }),
    ]),
  );
}

function named(key) {
  return key.replace(/(^|\+)([a-z])$/, (_, before, letter) => before + letter.toUpperCase());
}
