// The language of the page: what texts stand where.

import { english } from "./texts.en.js";

export const texts = english;

/** Write the texts into the elements that name one: as their words, or as label and tip. */
export function fillTexts() {
  for (const element of named("text")) {
    element.textContent = texts[element.dataset.text];
  }
  for (const element of named("label")) {
    element.setAttribute("aria-label", texts[element.dataset.label]);
    element.title = texts[element.dataset.label];
  }
  for (const element of named("tip")) {
    element.title = texts[element.dataset.tip];
  }
}

/** @returns {NodeListOf<HTMLElement>} the elements that have `data-` of this name */
function named(name) {
  return document.querySelectorAll(`[data-${name}]`);
}
