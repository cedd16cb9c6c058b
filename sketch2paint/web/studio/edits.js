// What a person has said of one drawing, as a list of edits that can be undone without end.

/**
 * @typedef {{points: [number, number][], width: number, color: string}} Stroke as in hints.json,
 *   where cuts and merges are strokes, too
 * @typedef {{at: number, removed: Stroke[], added: Stroke[]}} Splice strokes that others replace
 * @typedef {{name: string, from: unknown, to: unknown}} Setting a value that another replaces
 * @typedef {(Splice | Setting)[]} Edit what one step of undo takes back
 */

export class Edits {
  /** @param {{done?: Edit[], undone?: Edit[]}} saved what `saved` gave earlier */
  constructor({ done = [], undone = [] } = {}) {
    /** @type {Stroke[]} */
    this.strokes = [];
    this.settings = { gap: null, palette: null, seed: null, style: null };
    this.done = [...done];
    this.undone = [...undone];
    for (const edit of done) for (const part of edit) this.#apply(part);
  }

  /** Strokes put in the place of `count` others from number `at` on, as a part of an edit. */
  splice(at, count, added) {
    return { at, removed: this.strokes.slice(at, at + count), added };
  }

  /** A value of `settings`, as a part of an edit. */
  setting(name, to) {
    return { name, from: this.settings[name], to };
  }

  /** Do an edit of such parts, made for the strokes as they are now; the last part first. */
  change(...parts) {
    const edit = parts.filter((part) => !("name" in part) || part.from !== part.to);
    if (!edit.length) return false;
    for (const part of edit) this.#apply(part);
    this.done.push(edit);
    this.undone = [];
    return true;
  }

  undo() {
    const edit = this.done.pop();
    if (!edit) return false;
    for (const part of edit.toReversed()) this.#apply(turned(part));
    this.undone.push(edit);
    return true;
  }

  redo() {
    const edit = this.undone.pop();
    if (!edit) return false;
    for (const part of edit) this.#apply(part);
    this.done.push(edit);
    return true;
  }

  /** Plain data, from which the same edits are made again. */
  saved() {
    return { done: this.done, undone: this.undone };
  }

  /**
   * The object of a hints file.
   * @returns {import("./engine/format.js").HintsFile}
   */
  hints(width, height) {
    const { gap, palette } = this.settings;
    return { version: 1, size: [width, height], gap, palette, hints: this.strokes };
  }

  #apply(part) {
    if ("name" in part) this.settings = { ...this.settings, [part.name]: part.to };
    else this.strokes = this.strokes.toSpliced(part.at, part.removed.length, ...part.added);
  }
}

function turned(part) {
  if ("name" in part) return { ...part, from: part.to, to: part.from };
  return { ...part, removed: part.added, added: part.removed };
}
