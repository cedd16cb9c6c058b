// Plain data of a hints file, looked at value by value: an error says what came instead.

/** @typedef {import("./strokes.js").Point} Point */

/**
 * Put a place, a file or a part of it, before what an error says.
 * @template T
 * @param {string} place
 * @param {() => T} make
 */
export function saidOf(place, make) {
  try {
    return make();
  } catch (error) {
    const said = /** @type {Error} */ (error).message;
    throw new Error(`${place}: ${said.slice(0, 1).toLowerCase()}${said.slice(1)}`);
  }
}

/** A value as Python writes it, shortened. @param {unknown} value @returns {string} */
export function shortened(value) {
  if (value === null || value === undefined) return "None";
  if (value === true || value === false) return value ? "True" : "False";
  if (typeof value === "string") return cutMiddle(quoted(value));
  if (typeof value === "number") return String(value);
  if (Array.isArray(value)) {
    const more = value.length > 6 ? ", ..." : "";
    return `[${value.slice(0, 6).map(shortened).join(", ")}${more}]`;
  }
  const entries = Object.entries(/** @type {object} */ (value)).sort();
  const told = entries.slice(0, 4).map(([key, one]) => `${quoted(key)}: ${shortened(one)}`);
  return `{${[...told, ...(entries.length > 4 ? ["..."] : [])].join(", ")}}`;
}

/** @param {string} text */
function quoted(text) {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return mark + (mark === "'" ? escaped.replaceAll("'", "\\'") : escaped) + mark;
}

/** @param {string} text */
function cutMiddle(text) {
  return text.length > 30 ? `${text.slice(0, 13)}...${text.slice(-14)}` : text;
}

/** What a text says as JSON. @param {string} text */
export function parsed(text) {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ""));
  } catch (error) {
    const said = String(/** @type {Error} */ (error).message).slice(0, 100);
    throw new Error(
      `Expected hints as JSON, got ${shortened(text)} (${said}). Pass a file that ` +
        "sketch2paint wrote, or mend this one.",
    );
  }
}

/**
 * An object that has all keys that are needed, and besides these at most some others.
 * @param {any} value
 * @param {string[]} needed
 * @param {string[]} [others]
 */
export function checked(value, needed, others = []) {
  const known = [...needed, ...others];
  const wanted = known.map((key) => `\`${key}\``).join(", ");
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Error(
      `Expected an object with the keys ${wanted}, got ${shortened(value)}. Write it like the ` +
        "example in docs/hints.md.",
    );
  }
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) {
      throw new Error(
        `Expected no keys but ${wanted}, got ${shortened(key)}. Write '${nearest(key, known)}' ` +
          "if that is meant, or take it out.",
      );
    }
  }
  for (const key of needed) {
    if (!(key in value)) {
      throw new Error(`Expected the keys ${wanted}, got no \`${key}\`. Add it.`);
    }
  }
  return value;
}

/**
 * The word that shares most pairs of letters with one.
 * @param {string} word
 * @param {string[]} known
 */
function nearest(word, known) {
  const pairs = (/** @type {string} */ text) =>
    new Set(Array.from({ length: text.length + 1 }, (_, n) => ` ${text} `.slice(n, n + 2)));
  const own = pairs(word);
  const shared = (/** @type {string} */ text) => {
    const others = pairs(text);
    return [...others].filter((pair) => own.has(pair)).length / (others.size + own.size);
  };
  return known.reduce((best, text) => (shared(text) > shared(best) ? text : best));
}

/** A list, and nothing else. @param {unknown} value @param {string} name @returns {any[]} */
export function listed(value, name) {
  if (Array.isArray(value)) return value;
  throw new Error(`Expected ${name} to be a list, got ${shortened(value)}. Put it in [ ].`);
}

/** A finite number. @param {unknown} value @param {string} name */
export function number(value, name) {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new Error(
    `Expected ${name} to be a finite number, got ${shortened(value)}. Pass pixels of the ` +
      "drawing, without quotes.",
  );
}

/** A colour that is written as "#rrggbb". @param {unknown} value */
export function color(value) {
  if (typeof value === "string" && /^#[0-9a-fA-F]{6}$/.test(value)) return value.toLowerCase();
  throw new Error(
    'Expected a colour like "#ff8000", or for a hint "paper", "cut" or "merge", got ' +
      `${shortened(value)}. Write # and two hexadecimal digits each for red, green and blue.`,
  );
}

/**
 * Points that are moved to the edge of a drawing if they lie outside, and how many did.
 * @param {unknown} value
 * @param {[number, number]} size
 * @returns {{ points: Point[], moved: number }}
 */
export function points(value, [width, height]) {
  const pairs = listed(value, "`points`");
  if (!pairs.length || !pairs.every((pair) => Array.isArray(pair) && pair.length === 2)) {
    throw new Error(
      "Expected `points` to be a list of one or more pairs [x, y], got " +
        `${shortened(value)}. Write [[10, 20]] for a dot.`,
    );
  }
  const given = pairs.map(([x, y]) => [number(x, "x of `points`"), number(y, "y of `points`")]);
  const isOut = given.map(
    ([x, y]) => !(x >= -0.5 && x < width - 0.5 && y >= -0.5 && y < height - 0.5),
  );
  if (isOut.every((out) => out)) {
    throw new Error(
      `Expected points within the drawing's ${width} x ${height} pixels, got none, but ` +
        `[${given[0].join(", ")}]. Count from its top left corner, in the pixels of \`size\`.`,
    );
  }
  const clip = (/** @type {number} */ place, /** @type {number} */ most) =>
    Math.min(Math.max(place, 0), most);
  return {
    points: given.map(([x, y], n) =>
      isOut[n] ? [clip(x, width - 1), clip(y, height - 1)] : [x, y],
    ),
    moved: isOut.filter((out) => out).length,
  };
}
