// What buttons and keys do.

import { byId } from "./dom.js";
import { exampleFile } from "./example.js";
import { tell } from "./status.js";
import { texts } from "./texts.js";
import { turnTheme } from "./theme.js";
import { TOOLS } from "./tools.js";

/**
 * The actions, by the names that index.html and keys.js use.
 * @param {import("./studio.js").Studio} studio
 * @param {import("./hand.js").Hand} hand
 * @returns {Record<string, (place?: number) => unknown>}
 */
export function actionsOf(studio, hand) {
  const { view, settings, palette } = studio;
  const drawn = (act) => (place) => studio.open && act(place);
  const tools = Object.keys(TOOLS).map((name) => [name, drawn(() => hand.take(name))]);
  return {
    ...Object.fromEntries(tools),
    open: () => byId("files").click(),
    photo: () => byId("camera").click(),
    paletteOpen: () => byId("files").click(),
    reference: () => byId("referenceFile").click(),
    referenceClose: () => studio.reference.clear(),
    paletteSave: () => studio.savePalette(),
    example: () =>
      studio.inTurn(async () => studio.addFiles([await exampleFile(`${texts.example}.png`)])),
    save: drawn(() => byId("saveDialog").showModal()),
    undo: drawn(() => studio.undo()),
    redo: drawn(() => studio.redo()),
    zoomIn: drawn(() => view.zoom(1.25)),
    zoomOut: drawn(() => view.zoom(0.8)),
    fit: drawn(() => view.fit()),
    actual: drawn(() => view.actual()),
    compare: drawn(() => studio.painting.before(true)),
    thinner: drawn(() => settings.stepWidth(-1)),
    thicker: drawn(() => settings.stepWidth(1)),
    strokes: drawn(() => settings.showStrokes(!byId("strokes").checked)),
    swatch: drawn((place) => palette.choose(place)),
    suggestion: (place) => studio.suggestions.take(place),
    keep: () => palette.keep(),
    variations: drawn(() => studio.vary().catch(tell)),
    styleReset: drawn(() => studio.set("style", null)),
    more: () => showMore(),
    theme: () => turnTheme(),
    help: () => byId("helpDialog").showModal(),
  };
}

function showMore() {
  const isOpen = byId("panel").classList.toggle("open");
  byId("more").setAttribute("aria-expanded", isOpen);
  byId("more").setAttribute("aria-label", isOpen ? texts.fewer : texts.more);
}
