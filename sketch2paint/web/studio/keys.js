// The keys, in the order in which the help shows them, and what each does.

/** @type {{action: string, keys: string[], shown?: string[]}[]} */
export const KEYS = [
  { action: "pen", keys: ["b"] },
  { action: "dot", keys: ["d"] },
  { action: "white", keys: ["w"] },
  { action: "eraser", keys: ["e"] },
  { action: "pick", keys: ["i"] },
  { action: "move", keys: ["v"] },
  { action: "hand", keys: ["h"] },
  { action: "thinner", keys: ["["] },
  { action: "thicker", keys: ["]"] },
  { action: "swatch", keys: [..."12345678"], shown: ["1", "…", "8"] },
  { action: "suggestion", keys: [..."!@#$%^"], shown: ["Shift+1", "…", "6"] },
  { action: "undo", keys: ["Ctrl+z"] },
  { action: "redo", keys: ["Ctrl+Shift+z", "Ctrl+y"] },
  { action: "zoomIn", keys: ["+", "="], shown: ["+"] },
  { action: "zoomOut", keys: ["-"] },
  { action: "fit", keys: ["0"] },
  { action: "actual", keys: ["9"] },
  { action: "compare", keys: ["c"] },
  { action: "strokes", keys: ["s"] },
  { action: "open", keys: ["Ctrl+o"] },
  { action: "save", keys: ["Ctrl+s"] },
  { action: "help", keys: ["?", "F1"] },
];

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
  const entry = KEYS.find(({ keys }) => keys.includes(name));
  return entry ? { action: entry.action, place: entry.keys.indexOf(name) } : null;
}

/** Shift and a digit is the same wherever the keyboard has its signs. */
function shifted(event) {
  const digit = event.code.match(/^Digit([1-6])$/)?.[1];
  return digit && !event.ctrlKey && !event.metaKey ? "!@#$%^"[digit - 1] : named(event);
}

/** Whether a key belongs to the element that has the focus, as letters do to a text field. */
export function isTyping(event) {
  const { target } = event;
  if (event.ctrlKey || event.metaKey) return target.matches("input[type=text]");
  return target.matches("input[type=text], input[type=range], input[type=color]");
}
