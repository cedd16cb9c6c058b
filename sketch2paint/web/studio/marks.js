// What lies over the picture: strokes, the one being drawn, the keyboard's cross.

const SVG = "http://www.w3.org/2000/svg";
const WORDS = ["paper", "cut", "merge"]; // that stand for a colour; stage.css shows them

export class Marks {
  /** @param {SVGSVGElement} svg with the groups hints, live and cursor */
  constructor(svg) {
    this.svg = svg;
    this.hints = svg.children[0];
    this.live = svg.children[1];
    this.cross = svg.children[2];
  }

  /** The drawing's size; (0, 0) is the middle of its first pixel. */
  resize({ width, height }) {
    this.svg.setAttribute("viewBox", `-0.5 -0.5 ${width} ${height}`);
  }

  /** Show strokes, those of some numbers faintly. */
  showHints(strokes, faint = new Set()) {
    const marks = strokes.map((stroke, number) => {
      const mark = drawn(stroke);
      mark.classList.toggle("faint", faint.has(number));
      return mark;
    });
    this.hints.replaceChildren(...marks);
  }

  /** Show the stroke that is being drawn, or none. */
  showLive(stroke) {
    this.live.replaceChildren(...(stroke ? [drawn(stroke)] : []));
  }

  /** Show where the keyboard's pen is, or nowhere. */
  showCursor(point) {
    if (!point) return this.cross.replaceChildren();
    const [x, y] = point;
    const path = `M${x} ${y}m-9 0h6m6 0h6m-9-9v6m0 6v6`;
    const parts = ["rim", "core"].map((name) => shape("path", { d: path, class: name }));
    for (const part of parts) part.style.transformOrigin = `${x}px ${y}px`;
    this.cross.replaceChildren(...parts);
  }
}

function drawn({ points, width, color }) {
  const group = shape("g", { class: WORDS.includes(color) ? `stroke ${color}` : "stroke" });
  const line = points.length > 1 ? points : [points[0], points[0]];
  const d = `M${line.map((point) => point.join(" ")).join("L")}`;
  group.style.setProperty("--width", `${Math.max(width, 1)}px`);
  const core = shape("path", { d, class: "core" });
  if (!WORDS.includes(color)) core.style.stroke = color;
  group.append(shape("path", { d, class: "rim" }), core);
  return group;
}

function shape(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}
