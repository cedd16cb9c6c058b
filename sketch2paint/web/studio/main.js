// Starts the page: makes its parts, and ties buttons, keys and pointers to them.

import { actionsOf } from "./actions.js";
import { listenToFiles } from "./arrivals.js";
import { listenToButtons } from "./buttons.js";
import { byId, icon, make } from "./dom.js";
import { Engine } from "./engine/client.js";
import { drawExample } from "./example.js";
import { Hand } from "./hand.js";
import { fillHelp } from "./help.js";
import { listenToKeys } from "./keyboard.js";
import { Marks } from "./marks.js";
import { options } from "./options.js";
import { Outline } from "./outline.js";
import { Painting } from "./painting.js";
import { Palette } from "./palette.js";
import { listen } from "./pointer.js";
import { Reference } from "./reference.js";
import { Session } from "./session.js";
import { Settings } from "./settings.js";
import { say, tell } from "./status.js";
import { openStore } from "./store.js";
import { Studio } from "./studio.js";
import { Style } from "./style.js";
import { Suggestions } from "./suggestions.js";
import { fillTexts, texts } from "./texts.js";
import { startTheme } from "./theme.js";
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
  const palette = new Palette(
    () => change(),
    () => studio.paint().catch(tell),
  );
  const settings = new Settings({
    tryGap: (gap) => studio.paint({ gap }).catch(tell),
    setGap: (gap) => studio.set("gap", gap),
    network: () => studio.paint().catch(tell),
    shaded: () => studio.paint().catch(tell),
    change: () => change(),
  });
  const studio = new Studio({
    engine,
    palette,
    settings,
    reference: new Reference(
      (colour) => palette.take(colour),
      () => change(),
    ),
    marks: new Marks(byId("marks")),
    outline: new Outline(byId("outline")),
    painting: new Painting(engine, byId("picture"), byId("cover"), busy),
    session: new Session(
      store,
      () => keptOf(studio),
      () => say(texts.notKept),
    ),
    suggestions: new Suggestions((colour) => palette.take(colour)),
    style: new Style(
      (style) => studio.paint({ style }).catch(tell),
      (style) => studio.set("style", style),
    ),
    variations: new Variations((seed) => studio.set("seed", seed)),
    view: new View(stage, byId("sheet"), (scale) => {
      byId("zoom").textContent = `${Math.round(100 * scale)}%`;
    }),
  });
  showAbilities(engine.about);
  return studio;
}

function showAbilities({ network, shading, palettes }) {
  const { classList } = document.body;
  classList.toggle("plain", !network);
  classList.toggle("unshaded", !shading);
  classList.toggle("nopalettes", !palettes);
  if (!network) byId("startHow").textContent = texts.startHowPlain;
}

/** What is kept beside the drawings, and `recover` takes up. */
function keptOf({ open, palette, reference, settings }) {
  const { share, shaded, detail } = settings;
  const { colour } = palette;
  const picture = reference.saved;
  return { current: open?.id, ...palette.saved, colour, picture, share, shaded, detail };
}

async function recover(studio) {
  const { session, palette, settings } = studio;
  const kept = await session.recover();
  if (!kept) return;
  palette.restore(kept);
  palette.take(kept.colour);
  await studio.reference.restore(kept.picture);
  settings.share = kept.share;
  settings.detail = kept.detail ?? 1;
  settings.shaded = kept.shaded ?? true; // before there was shading nothing was kept of it
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
  listenToKeys(actions, hand);
  listenToFiles(studio);
  listen(studio.view, hand);
  await studio.inTurn(() => recover(studio));
  document.body.classList.add("ready");
}

start().catch(tell);
