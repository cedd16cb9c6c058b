// The worker's side: it holds the drawing and the network, and answers the newest wish.

import { checkedHints } from "./format.js";
import { Network, prepared, threads } from "./network.js";
import { hintsOfOverlay, overlayOf } from "./overlay.js";
import { Drawing } from "./painter.js";

/**
 * @typedef {import("./painter.js").Request} Request
 * @typedef {{ module: string | null, wasm: string | ArrayBuffer }} Runtime
 */

/** @type {Drawing | null} */
let drawing = null;
/** @type {Promise<Network> | null} */
let network = null;
/** @type {{ id: number, request: Request } | null} */
let newest = null;
let isPainting = false;

const CALLS = {
  /** @param {{ models: any, runtime: Runtime }} given */
  start({ models, runtime }) {
    if (models) {
      network = loaded(models, runtime);
      network.catch(() => {}); // said by the first `paint`
    }
    return { network: Boolean(models), threads: threads() };
  },

  /** @param {{ width: number, height: number, rgba: Uint8ClampedArray }} given */
  open({ width, height, rgba }) {
    drop();
    drawing = new Drawing(width, height, rgba);
    const { sketch, notes } = drawing;
    const { labels, count } = drawing.regions;
    return { width, height, sketch, labels, count, notes };
  },

  /** @param {{ gap: number | null }} given */
  groups({ gap }) {
    return opened().regions.groups(gap);
  },

  /** @param {{ x: number, y: number }} given */
  async suggest({ x, y }) {
    const here = opened();
    return network ? here.suggest(await network, x, y) : [];
  },

  /** @param {{ width: number, height: number, rgba: Uint8ClampedArray }} given */
  readOverlay({ width, height, rgba }) {
    return hintsOfOverlay(rgba, width, height);
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

/**
 * The network; its files are fetched where URLs were given.
 * @param {any} models
 * @param {Runtime} runtime
 */
async function loaded(models, runtime) {
  const isUrl = typeof models === "string";
  const [about, read, reply, module, wasm] = await Promise.all([
    isUrl ? fetched(`${models}about.json`).then((answer) => answer.json()) : models.about,
    isUrl ? fetched(`${models}read.onnx`).then(bytesOf) : models.read,
    isUrl ? fetched(`${models}reply.onnx`).then(bytesOf) : models.reply,
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
  await turn(); // whoever waits in the queue may be newer
  if (newest?.id !== id) return;
  const table = await here.ask(await /** @type {Promise<Network>} */ (network), told, request);
  await turn();
  if (newest?.id !== id) return;
  post(id, { done: here.painted("network", told, table) });
}

/** Let messages in. */
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
  const handed = [painted?.rgba, painted?.index].flatMap((each) => each?.buffer ?? []);
  self.postMessage({ id, ...answer }, { transfer: handed });
}

self.onmessage = async ({ data: { id, call, given } }) => {
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
