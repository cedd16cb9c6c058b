// Pressed buttons.

import { byId } from "./dom.js";
import { attempt } from "./status.js";

/**
 * Listen to all buttons that name an action, a way to save, or that they close a dialog.
 * @param {import("./studio.js").Studio} studio
 * @param {Record<string, () => unknown>} actions
 */
export function listenToButtons(studio, actions) {
  document.addEventListener("click", ({ target, detail }) => {
    const button = target instanceof Element ? target.closest("button") : null;
    if (button?.dataset.action) attempt(actions[button.dataset.action]);
    if (button?.dataset.save) studio.inTurn(() => studio.save(button.dataset.save));
    if (button?.closest("dialog")) button.closest("dialog").close();
    // so that Space moves the drawing after a click on a tool, and does not press it again
    if (button && detail && !document.querySelector("dialog[open]")) {
      byId("stage").dataset.by = "pointer";
      byId("stage").focus();
    }
  });
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
  }
  listenToCompare(studio.painting);
}

/** Before while it is held; by the keyboard, until it is pressed again. */
function listenToCompare(painting) {
  const compare = byId("compare");
  const turn = (isBefore) => {
    if (painting.isBefore === isBefore) return;
    compare.setAttribute("aria-pressed", isBefore);
    painting.before(isBefore);
  };
  compare.addEventListener("pointerdown", () => turn(true));
  for (const name of ["pointerup", "pointerleave", "pointercancel"]) {
    compare.addEventListener(name, () => turn(false));
  }
  compare.addEventListener("click", ({ detail }) => detail || turn(!painting.isBefore));
}
