// The tools, and what each does with points of the drawing.

import { lengthen, moved, touches } from "./strokes.js";

/**
 * What tools work on.
 * @typedef {object} Desk
 * @property {import("./edits.js").Edits} edits
 * @property {{width: number, height: number}} size
 * @property {string} colour "#rrggbb"
 * @property {number} width px of the drawing
 * @property {number} reach px of the drawing that are near for a pointer
 * @property {import("./marks.js").Marks} marks
 * @property {(...parts: import("./edits.js").Edit) => void} change
 * @property {(stroke: import("./edits.js").Stroke) => void} add
 * @property {(line: import("./edits.js").Stroke) => void} cut
 * @property {(line: import("./edits.js").Stroke) => void} merge
 * @property {(point: [number, number]) => void} pick take the colour that is there
 */

export class Pen {
  /** @param {(desk: Desk) => string} colour of its strokes */
  constructor(colour, { single = false } = {}) {
    this.colour = colour;
    this.single = single;
  }

  begin(desk, point, event) {
    this.pressures = [];
    this.stroke = { points: [], width: desk.width, color: this.colour(desk) };
    this.#add(desk, point, event);
  }

  move(desk, point, event) {
    if (!this.single) this.#add(desk, point, event);
  }

  end(desk) {
    desk.marks.showLive(null);
    desk.add(this.stroke);
  }

  #add(desk, point, event) {
    lengthen(this.stroke.points, point, desk.size);
    if (event?.pointerType === "pen") this.pressures.push(event.pressure);
    this.stroke.width = pressed(desk.width, this.pressures);
    desk.marks.showLive(this.stroke);
  }
}

/** Draws thin lines from here to there, that say something of regions. */
export class Line {
  /** @param {"cut" | "merge"} kind */
  constructor(kind) {
    this.kind = kind;
  }

  begin(desk, point) {
    this.line = { points: [], width: 1, color: this.kind };
    this.move(desk, point);
  }

  move(desk, point) {
    lengthen(this.line.points, point, desk.size);
    desk.marks.showLive(this.line);
  }

  end(desk) {
    desk.marks.showLive(null);
    desk[this.kind](this.line);
  }
}

/** The width of a stroke by a pen's mean pressure, of which half is the usual. */
function pressed(width, pressures) {
  if (!pressures.length) return width;
  const mean = pressures.reduce((sum, each) => sum + each, 0) / pressures.length;
  return Math.max(1, Math.round(20 * width * Math.max(mean, 0.1)) / 10);
}

class Eraser {
  begin(desk, point) {
    this.touched = new Set();
    this.move(desk, point);
  }

  move(desk, point) {
    for (const [number, stroke] of desk.edits.strokes.entries()) {
      if (touches(stroke, point, desk.width / 2)) this.touched.add(number);
    }
    desk.marks.showHints(desk.edits.strokes, this.touched);
  }

  end(desk) {
    // from the last on, so that the numbers of the others stay
    const numbers = [...this.touched].sort((one, other) => other - one);
    desk.change(...numbers.map((number) => desk.edits.splice(number, 1, [])));
  }
}

class Mover {
  begin(desk, point) {
    const { strokes } = desk.edits;
    this.from = point;
    this.number = strokes.findLastIndex((stroke) => touches(stroke, point, desk.reach));
    this.stroke = strokes[this.number];
  }

  move(desk, [x, y]) {
    if (!this.stroke) return;
    this.stroke = moved(
      desk.edits.strokes[this.number],
      [x - this.from[0], y - this.from[1]],
      desk.size,
    );
    desk.marks.showHints(desk.edits.strokes.with(this.number, this.stroke));
  }

  end(desk) {
    if (!this.stroke || this.stroke === desk.edits.strokes[this.number]) return;
    desk.change(desk.edits.splice(this.number, 1, [this.stroke]));
  }
}

class Picker {
  begin(desk, point) {
    desk.pick(point);
  }

  move(desk, point) {
    desk.pick(point);
  }

  end() {}
}

export const TOOLS = {
  pen: new Pen((desk) => desk.colour),
  dot: new Pen((desk) => desk.colour, { single: true }),
  white: new Pen(() => "paper"),
  merge: new Line("merge"),
  cut: new Line("cut"),
  eraser: new Eraser(),
  move: new Mover(),
  pick: new Picker(),
  hand: null, // the stage itself moves the drawing
};
