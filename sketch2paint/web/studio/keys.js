// The keys, in the order in which the help shows them, and what each does.

const DIGITS = "!@#$%^"; // 1 to 6 with Shift, where the table has them

/** @type {Record<string, string[]>} */
export const KEYS = {
  pen: ["b"],
  dot: ["d"],
  white: ["w"],
  merge: ["m"],
  cut: ["k"],
  eraser: ["e"],
  pick: ["i"],
  move: ["v"],
  hand: ["h"],
  thinner: ["["],
  thicker: ["]"],
  swatch: [..."12345678"],
  suggestion: [...DIGITS],
  undo: ["Ctrl+z"],
  redo: ["Ctrl+Shift+z", "Ctrl+y"],
  zoomIn: ["+", "="],
  zoomOut: ["-"],
  fit: ["0"],
  actual: ["9"],
  compare: ["c"],
  strokes: ["s"],
  open: ["Ctrl+o"],
  save: ["Ctrl+s"],
  help: ["?", "F1"],
};

/** The name of a pressed key as it stands in the table. */
function named(event) {
  const command = event.ctrlKey || event.metaKey;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  return `${command ? "Ctrl+" : ""}${command && event.shiftKey ? "Shift+" : ""}${key}`;
}

/** The entry of a key, and its place among those of the entry; null where there is none. */
export function entryOf(event) {
  if (event.altKey) return null;
  const name = event.shiftKey ? shifted(event) : named(event);
  const entry = Object.entries(KEYS).find(([, keys]) => keys.includes(name));
  return entry ? { action: entry[0], place: entry[1].indexOf(name) } : null;
}

/** Shift and a digit is the same wherever the keyboard has its signs. */
function shifted(event) {
  const digit = event.code.match(/^Digit([1-6])$/)?.[1];
  return digit && !event.ctrlKey && !event.metaKey ? DIGITS[digit - 1] : named(event);
}

/** Whether a key belongs to the element that has the focus, as letters do to a text field. */
export function isTyping(event) {
  const { target } = event;
  if (event.ctrlKey || event.metaKey) return target.matches("input[type=text]");
  return target.matches("input[type=text], input[type=range], input[type=color]");
}
