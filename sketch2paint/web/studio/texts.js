// The language of the page: what texts stand where.

import { english } from "./texts.en.js";

export const texts = english;

/** Write the texts into the elements that name one: as their words, or as label and tip. */
export function fillTexts(root = document) {
  for (const element of root.querySelectorAll("[data-text]")) {
    element.textContent = texts[element.dataset.text];
  }
  for (const element of root.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", texts[element.dataset.label]);
    element.title = texts[element.dataset.label];
  }
  for (const element of root.querySelectorAll("[data-tip]")) {
    element.title = texts[element.dataset.tip];
  }
}
