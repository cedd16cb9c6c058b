// Starts the page: makes its parts, and ties buttons, keys and pointers to them.

import { byId, icon, make } from "./dom.js";
import { Engine } from "./engine/client.js";
import { drawExample, exampleFile } from "./example.js";
import { Hand } from "./hand.js";
import { fillHelp } from "./help.js";
import { listenToKeys } from "./keyboard.js";
import { Marks } from "./marks.js";
import { options } from "./options.js";
import { Painting } from "./painting.js";
import { Palette } from "./palette.js";
import { listen } from "./pointer.js";
import { Session } from "./session.js";
import { Settings } from "./settings.js";
import { say, tell } from "./status.js";
import { openStore } from "./store.js";
import { Studio } from "./studio.js";
import { Suggestions } from "./suggestions.js";
import { fillTexts, texts } from "./texts.js";
import { startTheme, turnTheme } from "./theme.js";
import { TOOLS } from "./tools.js";
import { Variations } from "./variations.js";
import { View } from "./view.js";

function showPage() {
  startTheme();
  fillTexts();
  fillHelp();
  document.title = texts.title;
  byId("stage").setAttribute("aria-label", texts.stage);
  byId("stalled").hidden = true;
  byId("welcome").hidden = false;
  const example = byId("example");
  example.width *= devicePixelRatio;
  example.height *= devicePixelRatio;
  drawExample(example);
  const buttons = Object.keys(TOOLS).map((name) => {
    const words = make("span", { textContent: texts[name] });
    const title = texts[`${name}Tip`];
    return make("button", { type: "button", title, dataset: { action: name } }, icon(name), words);
  });
  byId("tools").append(...buttons);
}

async function makeStudio() {
  const engine = await Engine.start(options);
  const store = await openStore();
  const change = () => studio.session.keep(); // of what is kept beside the drawings
  const stage = byId("stage");
  const busy = (isBusy) => stage.setAttribute("aria-busy", isBusy);
  const palette = new Palette(() => change());
  const settings = new Settings({
    tryGap: (gap) => studio.paint({ gap }).catch(tell),
    setGap: (gap) => studio.set("gap", gap),
    network: () => studio.paint().catch(tell),
    change: () => change(),
  });
  const kept = () => ({
    current: studio.open?.id,
    colours: palette.colours,
    colour: palette.colour,
    share: settings.share,
  });
  const studio = new Studio({
    engine,
    palette,
    settings,
    marks: new Marks(byId("marks")),
    painting: new Painting(engine, byId("picture"), busy),
    session: new Session(store, kept, () => say(texts.notKept)),
    suggestions: new Suggestions((colour) => palette.take(colour)),
    variations: new Variations((seed) => studio.set("seed", seed)),
    view: new View(stage, byId("sheet"), (scale) => {
      byId("zoom").textContent = `${Math.round(100 * scale)}%`;
    }),
  });
  document.body.classList.toggle("plain", !engine.about.network);
  return studio;
}

/** What buttons and keys do, by the names that index.html and keys.js use. */
function actionsOf(studio, hand) {
  const { view, settings, palette } = studio;
  const drawn = (act) => (place) => studio.open && act(place);
  const tools = Object.keys(TOOLS).map((name) => [name, drawn(() => hand.take(name))]);
  return {
    ...Object.fromEntries(tools),
    open: () => byId("files").click(),
    photo: () => byId("camera").click(),
    paletteOpen: () => byId("files").click(),
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

function listenToButtons(studio, actions) {
  document.addEventListener("click", ({ target, detail }) => {
    const button = target instanceof Element ? target.closest("button") : null;
    if (button?.dataset.action) attempt(actions[button.dataset.action]);
    if (button?.dataset.save) studio.inTurn(() => studio.save(button.dataset.save));
    if (button && ("close" in button.dataset || button.dataset.save))
      button.closest("dialog").close();
    // so that Space moves the drawing after a click on a tool, and does not press it again
    if (button && detail && !document.querySelector("dialog[open]")) {
      byId("stage").dataset.by = "pointer";
      byId("stage").focus();
    }
  });
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
  }
  const compare = byId("compare");
  const turn = (isBefore) => {
    compare.setAttribute("aria-pressed", isBefore);
    studio.painting.before(isBefore);
  };
  compare.addEventListener("pointerdown", () => turn(true));
  for (const name of ["pointerup", "pointerleave", "pointercancel"]) {
    compare.addEventListener(name, () => turn(false));
  }
  compare.addEventListener("click", ({ detail }) => detail || turn(!studio.painting.isBefore));
}

/** Files come by a button, are dropped or pasted. */
function listenToFiles(studio) {
  const add = (files) => files.length && studio.inTurn(() => studio.addFiles(files));
  for (const id of ["files", "camera"]) {
    byId(id).onchange = ({ target }) => {
      add([...target.files]);
      target.value = ""; // so that the same file can be chosen again
    };
  }
  const { classList } = document.body;
  addEventListener("dragover", (event) => {
    event.preventDefault();
    classList.add("dropping");
  });
  addEventListener("dragleave", (event) => event.relatedTarget || classList.remove("dropping"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    classList.remove("dropping");
    add([...event.dataTransfer.files]);
  });
  addEventListener("paste", (event) => add([...event.clipboardData.files]));
}

/** Call something that may throw; what went wrong is told. */
function attempt(act, ...given) {
  try {
    act?.(...given);
  } catch (error) {
    tell(error);
  }
}

async function recover(studio) {
  const { session, palette, settings } = studio;
  const kept = await session.recover();
  if (!kept) return;
  palette.load(kept.colours);
  palette.take(kept.colour);
  settings.share = kept.share;
  const open = session.drawings.find(({ id }) => id === kept.current) ?? session.drawings[0];
  if (!open) return;
  await studio.show(open);
  say(texts.recovered(session.drawings.length));
}

async function start() {
  showPage();
  const studio = await makeStudio();
  const hand = new Hand(studio);
  const actions = actionsOf(studio, hand);
  listenToButtons(studio, actions);
  listenToKeys(actions, hand, attempt);
  listenToFiles(studio);
  listen(studio.view, hand);
  byId("hex").onchange = ({ target }) => attempt(() => studio.palette.typed(target.value));
  await studio.inTurn(() => recover(studio));
  document.body.classList.add("ready");
}

start().catch(tell);
