// What pressed and released keys do.

import { byId } from "./dom.js";
import { entryOf, isTyping } from "./keys.js";
import { attempt } from "./status.js";

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * Listen to the keyboard.
 * @param {Record<string, (place?: number) => void>} actions by the names in keys.js
 * @param {import("./hand.js").Hand} hand
 */
export function listenToKeys(actions, hand) {
  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]") || isTyping(event)) return;
    const isHandled = onStage(event, hand) || onPage(event, actions, hand);
    if (isHandled) event.preventDefault();
  });
  document.addEventListener("keyup", (event) => release(event, hand));
  addEventListener("blur", () => release({ key: " " }, hand));
}

/** Keys of the drawing itself, when it has the focus, or nothing has. */
function onStage(event, hand) {
  if (![byId("stage"), document.body].includes(event.target) || !hand.studio.open) return false;
  if (event.key === " ") {
    hand.space(true);
    return true;
  }
  if (event.target === document.body || event.ctrlKey || event.metaKey) return false;
  if (event.key === "Enter") hand.press();
  else if (ARROWS[event.key]) hand.step(...ARROWS[event.key], event.shiftKey);
  else return false;
  return true;
}

function onPage(event, actions, hand) {
  const entry = entryOf(event);
  if (!entry) return false;
  if (entry.action === "compare") {
    if (!event.repeat) attempt(actions.compare);
    hand.isComparing = true;
  } else attempt(actions[entry.action], entry.place);
  return true;
}

function release(event, hand) {
  if (event.key === " ") hand.space(false);
  if (hand.isComparing && (event.key === " " || event.key.toLowerCase() === "c")) {
    hand.isComparing = false;
    hand.studio.painting.before(false);
  }
}
