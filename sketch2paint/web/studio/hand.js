// The hand on the stage: which tool it holds, and the desk that the tool works on.

import { byId } from "./dom.js";
import { say } from "./status.js";
import { texts } from "./texts.js";
import { Line, Pen, TOOLS } from "./tools.js";

const REACH = 8; // CSS px that are near for a pointer
const STEP = 10; // CSS px that an arrow key moves the pen; 1 with Shift
const ERASER = 32; // the button of a pen's other end

export class Hand {
  /** @param {import("./studio.js").Studio} studio */
  constructor(studio) {
    this.studio = studio;
    this.isSpace = false;
    this.point = null; // of the keyboard's pen
    this.take("pen");
  }

  /** Hold another tool. */
  take(name) {
    if (this.line) this.cancel();
    this.name = name;
    byId("stage").dataset.tool = name;
    for (const button of byId("tools").children) {
      button.setAttribute("aria-pressed", button.dataset.action === name);
    }
  }

  /** Hold Space, or let it go: pressed, a pointer moves the drawing. */
  space(isSpace) {
    this.isSpace = isSpace;
    byId("stage").classList.toggle("space", isSpace);
  }

  pans(event) {
    return this.isSpace || this.name === "hand" || event.button === 1 || event.button === 2;
  }

  begin(point, event) {
    this.studio.outline.hide();
    this.studio.marks.showCursor(null);
    this.point = this.line = null;
    this.using = this.#toolFor(event);
    const isFree = this.using !== TOOLS.pen && !(this.using instanceof Line);
    if (!this.studio.open || !(isFree || this.studio.view.holds(point))) {
      this.using = null; // a stroke begins on the drawing
      return;
    }
    this.studio.look(point);
    this.using.begin(this, point, event);
  }

  move(point, event) {
    this.#showBrush(event);
    if (this.studio.open) this.using?.move(this, point, event);
  }

  end() {
    if (this.studio.open) this.using?.end(this);
    this.using = null;
  }

  /** What was begun is not done: a second finger came. */
  cancel() {
    this.using = this.line = null;
    this.studio.marks.showLive(null);
    if (this.studio.open) this.studio.marks.showHints(this.edits.strokes);
  }

  hover(point, event) {
    this.#showBrush(event);
    if (!this.studio.open) return;
    this.studio.look(point);
    const tool = TOOLS[this.name];
    if ((tool instanceof Pen || tool instanceof Line) && !this.isSpace) this.studio.trace(point);
    else this.studio.outline.hide();
  }

  /** The pointer is gone. */
  leave() {
    this.studio.outline.hide();
  }

  /** Move the keyboard's pen by steps. */
  step(across, down, isSmall) {
    const { view, marks, size } = this.studio;
    const by = (isSmall ? 1 : STEP) / view.scale;
    const [x, y] = this.point ?? [size.width / 2, size.height / 2];
    const inside = (value, most) => Math.round(Math.min(Math.max(value, 0), most - 1));
    const step = (part) => part * Math.max(1, by);
    this.point = [inside(x + step(across), size.width), inside(y + step(down), size.height)];
    view.reveal(this.point);
    marks.showCursor(this.point);
    this.line?.move(this, this.point);
    this.studio.look(this.point);
    this.studio.trace(this.point);
  }

  /** Set the keyboard's pen down; of a line first one end, then the other. */
  press() {
    if (!this.point || this.name === "hand") return this.step(0, 0);
    const [x, y] = this.point;
    const tool = TOOLS[this.name];
    if (tool instanceof Line) return this.#pressLine(tool);
    tool.begin(this, this.point);
    tool.end(this);
    this.studio.marks.showCursor(this.point);
    if (this.name === "pen" || this.name === "dot") say(texts.dotted(this.colour, x, y));
    if (this.name === "white") say(texts.dotted(texts.paper, x, y));
  }

  #pressLine(tool) {
    const line = this.line;
    this.line = line ? null : tool;
    if (line) return line.end(this);
    tool.begin(this, this.point);
    say(texts.lineBegun);
  }

  // ---------------------------------------------------------------- the desk of tools.js

  get edits() {
    return this.studio.edits;
  }

  get size() {
    return this.studio.size;
  }

  get marks() {
    return this.studio.marks;
  }

  get colour() {
    return this.studio.palette.colour;
  }

  get width() {
    return this.studio.settings.width;
  }

  get reach() {
    return REACH / this.studio.view.scale;
  }

  change(...parts) {
    this.studio.change(...parts);
  }

  add(stroke) {
    this.studio.add(stroke);
  }

  cut(line) {
    this.studio.cut(line);
  }

  merge(line) {
    this.studio.merge(line);
  }

  pick(point) {
    this.studio.pick(point);
  }

  #toolFor(event) {
    if (event.buttons & ERASER) return TOOLS.eraser;
    return event.altKey ? TOOLS.pick : TOOLS[this.name];
  }

  /** A ring as wide as the pen, where the pointer is. */
  #showBrush({ clientX, clientY, pointerType }) {
    const brush = byId("brush");
    const { left, top } = byId("stage").getBoundingClientRect();
    const side = this.width * this.studio.view.scale;
    brush.hidden = pointerType === "touch" || side < 6;
    brush.style.width = brush.style.height = `${side}px`;
    brush.style.transform = `translate(${clientX - left - side / 2}px, ${clientY - top - side / 2}px)`;
  }
}
