// The work on the drawing that is shown: what is open, said, coloured and saved.

import { byId } from "./dom.js";
import { fitted, readHints } from "./engine/format.js";
import { hexOf, readPalette, writePalette } from "./files/gpl.js";
import { kindOf, pixelsOf, stemOf } from "./reading.js";
import { download, ENDS, made } from "./saving.js";
import { say, tell } from "./status.js";
import { showStrip } from "./strip.js";
import { isColour } from "./strokes.js";
import { texts } from "./texts.js";
import { thumbnail } from "./thumbnail.js";

const SIDE = 96; // px of the small picture in the strip

export class Studio {
  /**
   * @param {object} parts
   * @param {import("./engine/client.js").Engine} parts.engine
   * @param {import("./painting.js").Painting} parts.painting
   * @param {import("./session.js").Session} parts.session
   * @param {import("./view.js").View} parts.view
   * @param {import("./marks.js").Marks} parts.marks
   * @param {import("./palette.js").Palette} parts.palette
   * @param {import("./reference.js").Reference} parts.reference
   * @param {import("./suggestions.js").Suggestions} parts.suggestions
   * @param {import("./variations.js").Variations} parts.variations
   * @param {import("./settings.js").Settings} parts.settings
   * @param {import("./style.js").Style} parts.style
   * @param {import("./outline.js").Outline} parts.outline
   */
  constructor({ engine, painting, session, view, marks, palette, ...others }) {
    this.engine = engine;
    this.painting = painting;
    this.session = session;
    this.view = view;
    this.marks = marks;
    this.palette = palette;
    this.reference = others.reference;
    this.suggestions = others.suggestions;
    this.variations = others.variations;
    this.settings = others.settings;
    this.style = others.style;
    this.outline = others.outline;
    /** @type {import("./session.js").Open | null} */
    this.open = null;
    /** @type {[number, number] | null} */
    this.looked = null; // where colours were asked for last
    this.remarks = "";
    this.queue = Promise.resolve();
  }

  get edits() {
    return this.open.edits;
  }

  get size() {
    return this.painting.drawing;
  }

  /** Do things that take a while one after the other; what goes wrong is told. */
  inTurn(act) {
    this.queue = this.queue.then(act).catch(tell);
    return this.queue;
  }

  // ---------------------------------------------------------------- opening

  /** Open files of any kind that is read, pictures first. */
  async addFiles(files) {
    const order = ["picture", "hints", "overlay", "palette"];
    const kinds = [...files].map((file) => ({ file, kind: kindOf(file) }));
    kinds.sort((one, other) => order.indexOf(one.kind) - order.indexOf(other.kind));
    for (const { file, kind } of kinds) {
      if (kind === "picture") await this.#addPicture(file);
      else if (kind === "palette") this.#addPalette(await file.text());
      else await this.#addHints(file, kind);
    }
  }

  async #addPicture(file) {
    const pixels = await this.#read(file, file.name);
    const before = this.open;
    const open = this.session.add(file, stemOf(file.name));
    try {
      await this.show(open, pixels);
    } catch (error) {
      this.session.remove(open);
      if (before) await this.show(before);
      throw error;
    }
  }

  #addPalette(text) {
    const colours = readPalette(text);
    this.palette.load(colours);
    say(texts.paletteLoaded(colours.length));
  }

  /** Take a picture's colours for the palette, and show it beside that. */
  async addReference(file) {
    const picture = await this.#read(file, file.name);
    const { width, height } = picture;
    const pixels = picture.data.slice(); // these are handed over
    const { colours, portions } = await this.engine.reference(width, height, pixels);
    const names = Array.from(portions, (_, n) => hexOf(colours.subarray(3 * n, 3 * n + 3)));
    this.reference.show(picture);
    this.palette.loadOnly(names, [...portions], this.engine.about.palettes);
    say(texts.referenceTaken(names.length, file.name));
  }

  async #addHints(file, kind) {
    if (!this.open) throw new Error(texts.noDrawing(file.name));
    const { hints, notes } =
      kind === "hints" ? readHints(await file.text()) : await this.#overlay(file);
    const { width, height } = this.size;
    const fit = fitted(hints, width, height);
    this.change(
      this.edits.splice(0, this.edits.strokes.length, fit.hints.hints),
      this.edits.setting("gap", fit.hints.gap),
      this.edits.setting("palette", fit.hints.palette),
    );
    const read = texts.hintsRead(fit.hints.hints.length);
    say([read, ...[...notes, ...fit.notes].map(sentence)].join(" "));
  }

  async #overlay(file) {
    const { width, height, data } = await pixelsOf(file, file.name);
    return this.engine.readOverlay(width, height, data);
  }

  async #read(blob, name) {
    say(texts.opening(name));
    return pixelsOf(blob, name);
  }

  /** Show a drawing, itself read already or not. */
  async show(open, pixels) {
    const read = pixels ?? (await this.#read(open.blob, open.name));
    this.open = null; // nothing is said of a drawing while another one comes
    const { count, notes } = await this.painting.open(read);
    this.open = open;
    document.body.classList.remove("empty");
    this.view.show(this.size);
    this.marks.resize(this.size);
    this.settings.resize(this.size);
    this.looked = null;
    this.suggestions.clear();
    this.variations.clear();
    this.#showSaid();
    await this.paint();
    const opened = count ? texts.opened(open.name, count) : texts.openedPlain(open.name);
    say([opened, ...notes.map(sentence)].join(" "));
  }

  /** Close a drawing and forget it. */
  async close(open) {
    const next = this.session.remove(open);
    if (open !== this.open) this.#showStrip();
    else if (next) await this.show(next);
    else {
      this.open = null;
      document.body.classList.add("empty");
    }
    say(texts.drawingClosed(open.name));
  }

  // ---------------------------------------------------------------- saying and colouring

  /** Do an edit and colour anew. */
  change(...parts) {
    if (this.edits.change(...parts)) this.#changed();
    else this.#showSaid();
  }

  /** Add a stroke; others that say something else of its region go, unless both are wanted. */
  add(stroke) {
    const regions = [this.painting.regionOf(stroke)];
    this.#addInstead(stroke, this.settings.replaces ? this.#others(regions, stroke.color) : []);
  }

  /** Cut regions along a line. */
  cut(line) {
    if (line.points.length > 1) this.#addInstead(line, []);
    say(line.points.length > 1 ? texts.cutDone : texts.cutShort);
  }

  /** Make the regions under a line one; it keeps the first colour that was said of any of them. */
  merge(line) {
    const regions = this.painting.regionsUnder(line);
    if (regions.length < 2) {
      say(texts.mergeOne);
      return;
    }
    const said = (region) =>
      this.edits.strokes.findLast((other) => this.#isIn(other, [region]))?.color;
    const kept = regions.map(said).find((color) => color);
    this.#addInstead(line, kept && this.settings.replaces ? this.#others(regions, kept) : []);
    say(texts.mergeDone);
  }

  /** Whether a stroke says a colour of one of some regions. */
  #isIn(stroke, regions) {
    return isColour(stroke) && regions.includes(this.painting.regionOf(stroke));
  }

  /** Numbers of the strokes that say another colour of some regions. */
  #others(regions, color) {
    return this.edits.strokes.flatMap((other, number) => {
      return other.color !== color && this.#isIn(other, regions) ? [number] : [];
    });
  }

  /** Add a stroke in the place of others. */
  #addInstead(stroke, others) {
    const removed = others.toReversed().map((number) => this.edits.splice(number, 1, []));
    const end = this.edits.strokes.length - others.length;
    this.change(...removed, { at: end, removed: [], added: [stroke] });
  }

  /** Set a value of the drawing, as its gap, and colour anew. */
  set(name, value) {
    if (this.open) this.change(this.edits.setting(name, value));
  }

  undo() {
    if (!this.edits.undo()) return;
    this.#changed();
    say(`${texts.undone} ${texts.strokesDo(this.edits.strokes.length)}`);
  }

  redo() {
    if (!this.edits.redo()) return;
    this.#changed();
    say(`${texts.redone} ${texts.strokesDo(this.edits.strokes.length)}`);
  }

  #changed() {
    this.#showSaid();
    this.paint().catch(tell);
  }

  #showSaid() {
    const { gap, seed, style } = this.edits.settings;
    this.settings.showGap(gap);
    this.style.show(style);
    this.outline.hide();
    this.variations.mark(seed);
    this.marks.showHints(this.edits.strokes);
    byId("stage").dataset.strokes = this.edits.strokes.length;
    byId("stage").dataset.edits = this.edits.done.length;
    byId("undo").disabled = !this.edits.done.length;
    byId("redo").disabled = !this.edits.undone.length;
    this.session.keep(this.open);
  }

  /** Colour what is shown; a gap or a style that is only tried out goes over what was said. */
  async paint(tried = {}) {
    if (!this.open) return;
    const { open } = this;
    const painted = await this.painting.paint(this.#request(tried));
    if (!painted || this.open !== open) return;
    this.#remark(painted.notes.map(sentence).join(" "));
    this.suggestions.stale();
    if (this.looked) this.look(this.looked); // a finger does not move on
    open.thumb = thumbnail(painted, SIDE).toDataURL();
    this.engine.release(painted);
    this.#showStrip();
    this.session.keep(this.open);
  }

  /** Say what the engine remarks on the strokes, once. */
  #remark(remarks) {
    if (remarks && remarks !== this.remarks) say(remarks);
    this.remarks = remarks;
  }

  #request(more = {}) {
    const { width, height } = this.size;
    const { seed, style } = this.edits.settings;
    const { network, shaded, detail } = this.settings;
    const hints = this.edits.hints(width, height);
    const { only: palette, portions } = this.palette;
    return { hints, seed, style, network, shaded, detail, palette, portions, ...more };
  }

  #showStrip() {
    showStrip(this.session.drawings, this.open, {
      show: (open) => open !== this.open && this.inTurn(() => this.show(open)),
      close: (open) => this.#askToClose(open),
    });
  }

  /** Close a drawing, if a person who has worked on it says so once more. */
  #askToClose(open) {
    const close = () => this.inTurn(() => this.close(open));
    if (!open.edits.done.length) {
      close();
      return;
    }
    byId("t-close").textContent = texts.closeTitle(open.name);
    byId("closeYes").onclick = close;
    byId("closeDialog").showModal();
  }

  /** Show other colourings, small. */
  async vary() {
    await this.variations.show(
      (seed) => this.painting.sample(this.#request({ seed })),
      (painted) => this.engine.release(painted),
    );
    this.variations.mark(this.edits.settings.seed);
    await this.paint();
  }

  // ---------------------------------------------------------------- looking

  /** Take the colour at a point in hand. */
  pick(point) {
    if (!this.painting.painted || !this.view.holds(point)) return;
    this.palette.take(hexOf(this.painting.colourAt(point)));
    say(texts.picked(this.palette.colour));
  }

  /** Show the region in which a point lies. */
  trace(point) {
    if (!this.painting.painted || !this.view.holds(point)) return this.outline.hide();
    const { groups, labels } = this.painting;
    const region = groups[this.painting.regionAt(point)];
    return this.outline.show(region, this.size, (place) => groups[labels[place]]);
  }

  /** Ask for the likeliest colours at a point. */
  look(point) {
    if (!this.painting.painted || !this.view.holds(point)) return;
    this.looked = point;
    const [x, y] = point.map(Math.round);
    this.suggestions.look(this.painting.regionAt(point), () => {
      return this.engine.suggest(x, y).catch(() => []);
    });
  }

  // ---------------------------------------------------------------- saving

  /** Save one kind of file. */
  async save(kind) {
    await this.painting.last; // as it will be seen in a moment
    const { painted, drawing } = this.painting;
    if (!painted) throw new Error(texts.nothing);
    const name = this.open.name + ENDS[kind];
    say(texts.saving(name));
    const { width, height } = drawing;
    const hints = this.edits.hints(width, height);
    const overlay = () => this.engine.writeOverlay(hints);
    download(await made(kind, { painted, sketch: drawing.sketch, hints, overlay }), name);
    say(texts.saved(name));
  }

  /** Save the palette. */
  savePalette() {
    const name = "sketch2paint.gpl";
    download(new Blob([writePalette(this.palette.colours)]), name);
    say(texts.saved(name));
  }
}

function sentence(note) {
  return `${note[0].toUpperCase()}${note.slice(1)}.`;
}
