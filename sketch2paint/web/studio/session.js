// The drawings that are open, kept in the browser so that a crash or a closed tab loses nothing.

import { Edits } from "./edits.js";

const DELAY = 300; // ms after the last change

/**
 * @typedef {object} Open a drawing that is open
 * @property {string} id
 * @property {string} name
 * @property {Blob} blob the picture as it was given
 * @property {Edits} edits
 * @property {string} thumb data: of a small picture, or ""
 */

export class Session {
  /**
   * @param {import("./store.js").Store | null} store
   * @param {() => object} settings what else is to be kept: palette, colour, width
   * @param {() => void} onLost told once, when the browser keeps nothing
   */
  constructor(store, settings, onLost) {
    this.store = store;
    this.settings = settings;
    this.onLost = onLost;
    /** @type {Open[]} */
    this.drawings = [];
    this.changed = new Set();
    this.isTaken = false;
    this.isLost = false;
    document.addEventListener("visibilitychange", () => document.hidden && this.flush());
    addEventListener("beforeunload", (event) => {
      const isWork = this.drawings.some(({ edits }) => edits.done.length);
      if (this.isLost && isWork) event.preventDefault(); // the browser asks
    });
  }

  /** Take up what was kept; the settings of then, or null. */
  async recover() {
    const kept = await this.store?.get("settings", "session").catch(() => null);
    for (const id of kept?.ids ?? []) {
      const blob = await this.store.get("pictures", id);
      const said = await this.store.get("edits", id);
      if (blob && said) this.drawings.push({ ...said, id, blob, edits: new Edits(said.edits) });
    }
    this.isTaken = true;
    return kept;
  }

  /** Add a drawing that was opened. */
  add(blob, name) {
    const drawing = {
      id: `${Date.now()} ${Math.random()}`,
      name,
      blob,
      edits: new Edits(),
      thumb: "",
    };
    this.drawings.push(drawing);
    this.#try((store) => store.put("pictures", drawing.id, blob));
    this.keep(drawing);
    return drawing;
  }

  /** Forget a drawing; the one that takes its place, if there is one. */
  remove(drawing) {
    const place = this.drawings.indexOf(drawing);
    this.drawings.splice(place, 1);
    this.changed.delete(drawing);
    for (const store of ["pictures", "edits"]) this.#try((all) => all.remove(store, drawing.id));
    this.keep();
    return this.drawings[Math.min(place, this.drawings.length - 1)];
  }

  /** Keep the settings, and what was said of a drawing, soon. */
  keep(drawing) {
    if (drawing) this.changed.add(drawing);
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.flush(), DELAY);
  }

  /** Keep it now. */
  flush() {
    clearTimeout(this.waiting);
    if (!this.isTaken) return Promise.resolve(); // or what was kept would be written over
    const kept = [...this.changed].map(({ id, name, edits, thumb }) => {
      return this.#try((store) => store.put("edits", id, { name, thumb, edits: edits.saved() }));
    });
    this.changed.clear();
    const session = { ...this.settings(), ids: this.drawings.map(({ id }) => id) };
    return Promise.all([...kept, this.#try((store) => store.put("settings", "session", session))]);
  }

  async #try(act) {
    try {
      if (this.store) return await act(this.store);
    } catch {
      this.store = null; // no room, or a private window: said once, and not tried again
    }
    if (!this.isLost) this.onLost();
    this.isLost = true;
  }
}
