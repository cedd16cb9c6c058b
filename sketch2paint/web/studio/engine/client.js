// The page's side of the engine: calls that are answered by a worker. README.md tells all of it.

/**
 * @typedef {import("./painter.js").Request} Request
 * @typedef {import("./painter.js").Painted} Painted
 * @typedef {import("./format.js").HintsFile} HintsFile
 * @typedef {{ width: number, height: number, sketch: Uint8Array, labels: Labels,
 *   groups: Int32Array, count: number, notes: string[] }} Drawing
 * @typedef {import("./painter.js").Labels} Labels
 * @typedef {{ about: any, read: ArrayBuffer, reply: ArrayBuffer, shade?: ArrayBuffer }} Model
 * @typedef {{ module: string | null, wasm: string | ArrayBuffer }} Runtime
 * @typedef {{ resolve: (value: any) => void, reject: (error: Error) => void,
 *   onPainted?: (painted: Painted) => void }} Waiting
 */

/** An engine in a worker of its own. */
export class Engine {
  /**
   * Start an engine.
   * @param {object} [options]
   * @param {string | Worker} [options.worker] URL of worker.js, or it where it runs already
   * @param {string | Runtime} [options.runtime] URL of the runtime's folder, or its two files: the
   *   module's URL (null: the worker has it as `ort`), and the other's URL or bytes
   * @param {string | Model | null} [options.models] URL of the model's folder, or its files in
   *   memory; null: the filler alone
   */
  static async start({ worker, runtime, models = null } = {}) {
    const engine = new Engine(worker ?? new URL("./worker.js", import.meta.url).href);
    const folder = runtime ?? new URL("../vendor/", import.meta.url).href;
    const given = { models: folderOf(models), runtime: runtimeOf(folder) };
    engine.about = await engine.call("start", given);
    return engine;
  }

  /** @param {string | Worker} worker */
  constructor(worker) {
    /** @type {{ network: boolean, shading: boolean, palettes: boolean, threads: number }} */
    this.about = { network: false, shading: false, palettes: false, threads: 1 };
    /** @type {Map<number, Waiting>} */
    this.waiting = new Map();
    this.last = 0;
    /** @type {Labels | null} */
    this.index = null;
    /** @type {Labels | null} */
    this.labels = null;
    this.worker = typeof worker === "string" ? new Worker(worker, { type: "module" }) : worker;
    this.worker.onmessage = ({ data }) => this.answered(data);
    this.worker.onerror = (event) => {
      this.fail(
        `Expected the engine to run, got an error (${event.message ?? "it does not load"}). ` +
          "Reload the page.",
      );
    };
  }

  /**
   * Open a drawing; its pixels are handed over.
   * @param {number} width
   * @param {number} height
   * @param {Uint8ClampedArray} rgba
   * @returns {Promise<Drawing>}
   */
  open(width, height, rgba) {
    return this.call("open", { width, height, rgba }, [rgba.buffer]);
  }

  /**
   * Paint; of several wishes only the newest is computed.
   * @param {Request} request
   * @param {(painted: Painted) => void} [onPainted] called with the filler's answer, then with the
   *   network's, then with the shaded one
   * @returns {Promise<Painted | null>} null: something newer came first
   */
  async paint(request, onPainted = () => {}) {
    const painted = await this.call("paint", request, [], onPainted);
    if (painted) onPainted(painted);
    return painted;
  }

  /**
   * The likeliest colours of the region at a pixel, best first, each with its share.
   * @param {number} x
   * @param {number} y
   * @returns {Promise<[number, number, number, number][]>}
   */
  suggest(x, y) {
    return this.call("suggest", { x, y });
  }

  /**
   * The hints that a painted overlay holds.
   * @param {number} width
   * @param {number} height
   * @param {Uint8ClampedArray} rgba
   * @returns {Promise<{ hints: HintsFile, notes: string[] }>}
   */
  readOverlay(width, height, rgba) {
    return this.call("readOverlay", { width, height, rgba }, [rgba.buffer]);
  }

  /**
   * The colours of a picture by their area, RGB, and their shares; the pixels are handed over.
   * @param {number} width
   * @param {number} height
   * @param {Uint8ClampedArray} rgba
   * @returns {Promise<import("./reference.js").Palette>}
   */
  reference(width, height, rgba) {
    return this.call("reference", { width, height, rgba }, [rgba.buffer]);
  }

  /**
   * Hints as a painted overlay.
   * @param {HintsFile} hints
   * @returns {Promise<{ width: number, height: number, rgba: Uint8ClampedArray }>}
   */
  writeOverlay(hints) {
    return this.call("writeOverlay", { hints });
  }

  /**
   * Give back the pixels of an answer that are not needed any more: their memory is used again.
   * @param {Painted} painted
   */
  release({ rgba }) {
    const message = { id: 0, call: "release", given: rgba.buffer };
    this.worker.postMessage(message, [rgba.buffer]);
  }

  /** End the worker; what waits is rejected. */
  close() {
    this.worker.terminate();
    this.fail("Expected the engine to be open, got an answer too late. Start another one.");
  }

  /**
   * @param {string} call
   * @param {any} given
   * @param {Transferable[]} [handed]
   * @param {(painted: Painted) => void} [onPainted]
   * @returns {Promise<any>}
   */
  call(call, given, handed = [], onPainted) {
    this.last++;
    const id = this.last;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject, onPainted });
      this.worker.postMessage({ id, call, given }, handed);
    });
  }

  /** @param {{ id: number, painted?: Painted, done?: any, error?: string }} answer */
  answered({ id, painted, done, error }) {
    this.complete(painted ?? done); // also what came too late: the worker counts on it
    const waiting = this.waiting.get(id);
    if (painted) {
      waiting?.onPainted?.(painted);
      this.release(painted);
      return;
    }
    if (!waiting) return;
    this.waiting.delete(id);
    if (error === undefined) waiting.resolve(done);
    else waiting.reject(new Error(error));
  }

  /**
   * Put in the rows and regions of the pixels, which the worker sends only where they changed.
   * @param {any} answer
   */
  complete(answer) {
    if (answer?.labels) this.labels = answer.labels;
    if (!answer?.table) return;
    this.index = answer.index ?? this.index;
    answer.index = this.index;
    answer.labels = this.labels;
  }

  /** @param {string} message */
  fail(message) {
    for (const { reject } of this.waiting.values()) reject(new Error(message));
    this.waiting.clear();
  }
}

/** @param {string | Model | null} models */
function folderOf(models) {
  return typeof models === "string" ? new URL(models, document.baseURI).href : models;
}

/** @param {string | Runtime} runtime */
function runtimeOf(runtime) {
  if (typeof runtime !== "string") return runtime;
  const folder = new URL(runtime, document.baseURI).href;
  return {
    module: `${folder}ort.wasm.bundle.min.mjs`,
    wasm: `${folder}ort-wasm-simd-threaded.wasm`,
  };
}
