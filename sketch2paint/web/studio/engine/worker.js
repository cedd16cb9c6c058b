// The worker's side: it holds the drawing and the network, and answers the newest wish.

import { checkedHints } from "./format.js";
import { Network, prepared, threads } from "./network.js";
import { hintsOfOverlay, overlayOf } from "./overlay.js";
import { Drawing } from "./painter.js";
import { referenceOf } from "./reference.js";
import { Shading } from "./shading.js";
import { takeBack } from "./spares.js";

/**
 * @typedef {import("./painter.js").Request} Request
 * @typedef {{ module: string | null, wasm: string | ArrayBuffer }} Runtime
 */

/** @type {Drawing | null} */
let drawing = null;
/** @type {Promise<Network> | null} */
let network = null;
/** @type {Promise<Shading | null> | null} */
let shading = null;
/** @type {{ id: number, request: Request } | null} */
let newest = null;
let isPainting = false;

const CALLS = {
  /** @param {{ models: any, runtime: Runtime }} given */
  async start({ models, runtime }) {
    const about = models ? aboutOf(models) : Promise.resolve({});
    if (models) {
      network = loaded(models, about, runtime);
      shading = network.then((own) => loadedShading(models, own));
      for (const part of [network, shading, about]) part.catch(() => {}); // said by `paint`
    }
    const told = await about.catch(() => ({}));
    const [shades, palettes] = [Boolean(told.shading), Boolean(told.palettes)];
    return { network: Boolean(models), shading: shades, palettes, threads: threads() };
  },

  /** @param {{ width: number, height: number, rgba: Uint8ClampedArray }} given */
  open({ width, height, rgba }) {
    drop();
    drawing = new Drawing(width, height, rgba);
    takeBack(/** @type {ArrayBuffer} */ (rgba.buffer));
    const { sketch, notes, regions } = drawing;
    const [labels, groups] = [drawing.labels(), regions.groups()];
    return { width, height, sketch, labels, groups, count: regions.count, notes };
  },

  /** @param {{ x: number, y: number }} given */
  async suggest({ x, y }) {
    const here = opened();
    return network ? here.suggest(x, y) : [];
  },

  /** @param {{ width: number, height: number, rgba: Uint8ClampedArray }} given */
  readOverlay({ width, height, rgba }) {
    return hintsOfOverlay(rgba, width, height);
  },

  /** @param {{ width: number, height: number, rgba: Uint8ClampedArray }} given */
  reference({ width, height, rgba }) {
    return referenceOf(rgba, width, height);
  },

  /** @param {{ hints: any }} given */
  writeOverlay({ hints }) {
    return overlayOf(checkedHints(hints).hints);
  },
};

/** @returns {Drawing} */
function opened() {
  if (drawing) return drawing;
  throw new Error("Expected a drawing to be open, got none. Call `open` first.");
}

/** What a model says of itself. @param {any} models */
async function aboutOf(models) {
  return typeof models === "string" ? (await fetched(`${models}about.json`)).json() : models.about;
}

/**
 * A graph's bytes, which are fetched where a URL was given.
 * @param {any} models
 * @param {"read" | "reply" | "shade"} name
 */
async function graphOf(models, name) {
  return typeof models === "string"
    ? bytesOf(await fetched(`${models}${name}.onnx`))
    : models[name];
}

/** @param {any} models @param {Network} network */
async function loadedShading(models, { runtime, about }) {
  if (!about.shading) return null;
  return Shading.load(runtime, about.shading, await graphOf(models, "shade"));
}

/**
 * @param {any} models
 * @param {Promise<any>} told of the model
 * @param {Runtime} runtime
 */
async function loaded(models, told, runtime) {
  const [about, read, reply, module, wasm] = await Promise.all([
    told,
    graphOf(models, "read"),
    graphOf(models, "reply"),
    runtime.module === null ? /** @type {any} */ (self).ort : import(runtime.module),
    runtime.wasm instanceof ArrayBuffer ? runtime.wasm : fetched(runtime.wasm).then(bytesOf),
  ]);
  return Network.load(prepared(module, { wasm }), { about, read, reply });
}

/** @param {string} url */
async function fetched(url) {
  const answer = await fetch(url).catch((error) => ({ ok: false, status: error.message }));
  if (answer.ok) return /** @type {Response} */ (answer);
  throw new Error(
    `Expected the file ${url.split("/").at(-1)} beside the page, got ${answer.status}. Build the ` +
      "studio again.",
  );
}

/** @param {Response} answer */
function bytesOf(answer) {
  return answer.arrayBuffer();
}

/** Answer the newest wish, until there is none; whoever came in between is told so. */
async function paintNewest() {
  if (isPainting) return;
  isPainting = true;
  while (newest) {
    const { id, request } = newest;
    try {
      await paint(id, request);
    } catch (error) {
      post(id, { error: messageOf(error) });
    }
    if (newest?.id === id) newest = null;
  }
  isPainting = false;
}

/** @param {number} id @param {Request} request */
async function paint(id, request) {
  const here = opened();
  const hints = checkedHints(request.hints).hints;
  const told = here.fill({ ...request, hints });
  const asks = network !== null && request.network !== false;
  const white = new Uint8Array(here.lastTable.length).fill(255);
  const filled = here.painted("filler", told, asks ? here.lastTable : white);
  post(id, asks ? { painted: filled } : { done: filled });
  if (!asks) return;
  const isWanted = () => turn().then(() => newest?.id === id);
  if (!(await isWanted())) return;
  const own = await /** @type {Promise<Network>} */ (network);
  const { table, flats } = await here.ask(own, told, request);
  if (!(await isWanted())) return;
  const isWished = own.about.shading && request.shaded !== false;
  const shades = isWished && Shading.takes(here.width, here.height);
  const flat = here.painted("network", told, shades ? table : flats, flats);
  if (!shades) {
    post(id, { done: flat });
    return;
  }
  post(id, { painted: flat });
  if (!(await isWanted())) return;
  const generator = /** @type {Shading} */ (await shading);
  const done = await here.shaded(generator, flat, request.detail ?? 1, isWanted);
  if (done) post(id, { done });
}

/** Let messages in: whoever waits in the queue may be newer. */
function turn() {
  return new Promise((done) => {
    setTimeout(done, 0);
  });
}

/** Let go of the newest wish; the page is told. */
function drop() {
  if (newest) post(newest.id, { done: null });
  newest = null;
}

/** @param {unknown} error */
function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Send an answer; what is new in it is handed over, not copied.
 * @param {number} id
 * @param {any} answer
 */
function post(id, answer) {
  const painted = answer.painted ?? answer.done;
  const parts = [painted?.rgba, painted?.index, painted?.colours, painted?.labels];
  const handed = parts.flatMap((each) => each?.buffer ?? []);
  self.postMessage({ id, ...answer }, { transfer: handed });
}

self.onmessage = async ({ data: { id, call, given } }) => {
  if (call === "release") {
    takeBack(given);
    return;
  }
  if (call === "paint") {
    drop();
    newest = { id, request: given };
    paintNewest();
    return;
  }
  try {
    const answer = await /** @type {any} */ (CALLS)[call](given);
    post(id, { done: answer });
  } catch (error) {
    post(id, { error: messageOf(error) });
  }
};
