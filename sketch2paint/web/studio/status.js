// The line at the foot that says what happened, also to a screen reader.

import { byId } from "./dom.js";

/** Say something. */
export function say(text) {
  const status = byId("status");
  status.textContent = text;
  status.classList.remove("error");
}

/** Say what went wrong, which errors here do in whole sentences. */
export function tell(error) {
  say(error.message);
  byId("status").classList.add("error");
}

/** Call something that may throw; what went wrong is told. */
export function attempt(act, ...given) {
  try {
    act?.(...given);
  } catch (error) {
    tell(error);
  }
}
