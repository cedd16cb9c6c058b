// A region network in the runtime: one graph reads a drawing, the other answers.

/**
 * @typedef {import("./answer.js").About & { shading?: import("./shading.js").About }} About
 * @typedef {[type: string, data: any, shape: number[]]} Given a tensor to be
 * @typedef {{ about: About, read: ArrayBuffer, reply: ArrayBuffer }} Model
 */

/**
 * A graph, ready to run.
 * @param {any} runtime onnxruntime-web
 * @param {ArrayBuffer} graph
 */
export async function opened(runtime, graph) {
  try {
    return await runtime.InferenceSession.create(new Uint8Array(graph), {
      executionProviders: ["wasm"],
      graphOptimizationLevel: "all",
    });
  } catch (error) {
    const said = String(/** @type {Error} */ (error).message ?? error).slice(0, 200);
    throw new Error(
      `Expected a model that export.py wrote, got one that does not open (${said}). Build the ` +
        "studio again.",
    );
  }
}

/** A region network, ready to run. */
export class Network {
  /**
   * @param {any} runtime onnxruntime-web
   * @param {About} about
   * @param {{ read: any, reply: any }} sessions
   */
  constructor(runtime, about, sessions) {
    this.runtime = runtime;
    this.about = about;
    this.sessions = sessions;
  }

  /**
   * @param {any} runtime
   * @param {Model} model
   */
  static async load(runtime, { about, read, reply }) {
    const sessions = { read: await opened(runtime, read), reply: await opened(runtime, reply) };
    return new Network(runtime, about, sessions);
  }

  /** @param {string} input whether `reply` has it */
  takes(input) {
    return this.sessions.reply.inputNames.includes(input);
  }

  /**
   * Run one of the two graphs.
   * @param {"read" | "reply"} part
   * @param {Record<string, Given | unknown>} given tensors to be, or outputs of the other graph
   * @returns {Promise<any>} outputs by name: tensors of `read`, arrays of `reply`
   */
  async run(part, given) {
    const feeds = Object.entries(given).map(([name, value]) => [
      name,
      Array.isArray(value) ? new this.runtime.Tensor(...value) : value,
    ]);
    const found = await this.sessions[part].run(Object.fromEntries(feeds));
    return part === "read" ? found : { shares: found.shares.data, same: found.same.data };
  }
}

/** How many threads the runtime gets: several only where the page is isolated from others. */
export function threads() {
  const isIsolated = /** @type {any} */ (globalThis).crossOriginIsolated === true;
  return isIsolated ? Math.min(globalThis.navigator?.hardwareConcurrency ?? 1, 4) : 1;
}

/**
 * The runtime, set up for this page.
 * @param {any} runtime
 * @param {{ wasm: ArrayBuffer }} files
 */
export function prepared(runtime, { wasm }) {
  runtime.env.wasm.wasmBinary = wasm;
  runtime.env.wasm.numThreads = threads();
  runtime.env.logLevel = "error";
  return runtime;
}
