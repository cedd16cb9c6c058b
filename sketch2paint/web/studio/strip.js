// The open drawings, small, to go from one to the other.

import { byId, icon, make } from "./dom.js";
import { texts } from "./texts.js";

/**
 * Show the drawings.
 * @param {import("./session.js").Open[]} drawings
 * @param {import("./session.js").Open | null} current
 * @param {{show: (drawing: object) => void, close: (drawing: object) => void}} on
 */
export function showStrip(drawings, current, on) {
  const items = drawings.map((drawing) => {
    const label = texts.drawing(drawing.name);
    const picture = make("img", { src: drawing.thumb || "data:,", alt: "" });
    const name = make("span", { textContent: drawing.name });
    const open = make("button", { type: "button", title: label }, picture, name);
    open.setAttribute("aria-label", label);
    if (drawing === current) open.setAttribute("aria-current", "true");
    open.onclick = () => on.show(drawing);
    return make("span", { className: "item" }, open, closer(drawing, on));
  });
  byId("strip").replaceChildren(...items);
}

function closer(drawing, on) {
  const label = texts.drawingClose(drawing.name);
  const close = make("button", { type: "button", className: "close", title: label }, icon("close"));
  close.setAttribute("aria-label", label);
  close.onclick = () => on.close(drawing);
  return close;
}
