// Colours compared as the eye does, and like ones made equal.

import { clamp, rint } from "./numbers.js";

const ALIKE = 14; // CIE 1976 difference between colours of regions that belong together
const FEW = 512; // different colours that are compared with each other

const CELLS = 33; // of the table by which sRGB is converted, along each channel
const BASE = 1 << 14;
const XYZ = [
  [0.412453 / 0.950456, 0.35758 / 0.950456, 0.180423 / 0.950456],
  [0.212671, 0.71516, 0.072169],
  [0.019334 / 1.088754, 0.119193 / 1.088754, 0.950227 / 1.088754],
];
/** @type {Int32Array | null} */
let table = null;

/** Lab of the table's corners, in 2**14ths of their ranges, as OpenCV interpolates between them. */
function tableOfLab() {
  const linear = Array.from({ length: CELLS }, (_, n) => {
    const level = n / (CELLS - 1);
    return level <= 0.04045 ? level / 12.92 : ((level + 0.055) / 1.055) ** 2.4;
  });
  const found = new Int32Array(CELLS ** 3 * 3);
  let at = 0;
  for (let b = 0; b < CELLS; b++) {
    for (let g = 0; g < CELLS; g++) {
      for (let r = 0; r < CELLS; r++, at += 3) {
        found.set(labOf([linear[r], linear[g], linear[b]]), at);
      }
    }
  }
  return found;
}

/** @param {number[]} linear */
function labOf([r, g, b]) {
  const [x, y, z] = XYZ.map(([cr, cg, cb]) => r * cr + g * cg + b * cb);
  const [fx, fy, fz] = [x, y, z].map((v) =>
    v > 216 / 24389 ? Math.cbrt(v) : (v * 841) / 108 + 16 / 116,
  );
  const light = y > 216 / 24389 ? 116 * fy - 16 : (24389 / 27) * y;
  return [
    rint((BASE * light) / 100),
    rint((BASE * (500 * (fx - fy) + 128)) / 256),
    rint((BASE * (200 * (fy - fz) + 128)) / 256),
  ];
}

/** Whether the colour of that number is paper's. @param {ArrayLike<number>} rgb @param {number} n */
export function isWhite(rgb, n) {
  return rgb[3 * n] === 255 && rgb[3 * n + 1] === 255 && rgb[3 * n + 2] === 255;
}

/** CIE Lab of colours, (n x 3) of levels to (n x 3). @param {ArrayLike<number>} rgb */
export function toLab(rgb) {
  table ??= tableOfLab();
  const lab = new Float32Array(rgb.length);
  for (let at = 0; at < rgb.length; at += 3) {
    const places = [0, 1, 2].map((n) => rint(Math.fround(rgb[at + n] / 255) * BASE));
    const [light, a, b] = interpolated(table, places);
    lab[at] = (light / BASE) * 100;
    lab[at + 1] = (a / BASE) * 256 - 128;
    lab[at + 2] = (b / BASE) * 256 - 128;
  }
  return lab;
}

const RGB = [
  [3.240479, -1.53715, -0.498535],
  [-0.969256, 1.875991, 0.041556],
  [0.055648, -0.204043, 1.057311],
];
const WHITE = [0.950456, 1, 1.088754]; // XYZ of it

/** CIE Lab as levels; what these lack is clipped. @param {Float32Array} lab */
export function fromLab(lab) {
  const rgb = new Uint8Array(lab.length);
  for (let at = 0; at < lab.length; at += 3) {
    const [l, a, b] = lab.subarray(at, at + 3);
    const middle = l > 8 ? (l + 16) / 116 : (7.787 * l) / 903.3 + 16 / 116;
    const xyz = [middle + a / 500, middle, middle - b / 200].map(
      (f, n) => WHITE[n] * (f > 6 / 29 ? f ** 3 : (f - 16 / 116) / 7.787),
    );
    RGB.forEach((row, n) => {
      const linear = clamp(row[0] * xyz[0] + row[1] * xyz[1] + row[2] * xyz[2], 0, 1);
      const level = linear > 0.0031308 ? 1.055 * linear ** (1 / 2.4) - 0.055 : 12.92 * linear;
      rgb[at + n] = rint(255 * level);
    });
  }
  return rgb;
}

/** @param {Int32Array} corners @param {number[]} places */
function interpolated(corners, places) {
  const cell = places.map((place) => place >> 9);
  const part = places.map((place) => (place >> 5) & 15);
  const sums = [2048, 2048, 2048];
  for (let corner = 0; corner < 8; corner++) {
    let weight = 1;
    let at = 0;
    for (let n = 2; n >= 0; n--) {
      const next = (corner >> n) & 1;
      weight *= next ? part[n] : 16 - part[n];
      at = at * CELLS + Math.min(cell[n] + next, CELLS - 1);
    }
    for (let n = 0; n < 3; n++) sums[n] += weight * corners[3 * at + n];
  }
  return sums.map((sum) => sum >> 12);
}

/**
 * Lightness of pixels as levels, 0 for black and 255 for white; the L of `toLab`, times 2.55.
 * @param {Uint8Array} rgb
 */
export function lightnesses(rgb) {
  table ??= tableOfLab();
  const places = Array.from({ length: 256 }, (_, level) => rint(Math.fround(level / 255) * BASE));
  const cells = Uint8Array.from(places, (place) => Math.min(place >> 9, CELLS - 2));
  const parts = Uint8Array.from(places, (place, n) => ((place - (cells[n] << 9)) >> 5) & 31);
  const light = Int32Array.from(
    { length: CELLS ** 3 },
    (_, n) => /** @type {Int32Array} */ (table)[3 * n],
  );
  const levels = Uint8Array.from({ length: BASE + 1 }, (_, n) => levelOf((n / BASE) * 100));
  const out = new Uint8Array(rgb.length / 3);
  for (let i = 0, at = 0; i < out.length; i++, at += 3) {
    const [r, g, b] = [rgb[at], rgb[at + 1], rgb[at + 2]];
    const from = (cells[b] * CELLS + cells[g]) * CELLS + cells[r];
    const near = plane(light, from, parts[r], parts[g]);
    const far = plane(light, from + CELLS * CELLS, parts[r], parts[g]);
    const sum = ((16 - parts[b]) * near + parts[b] * far + 2048) >> 12;
    out[i] = levels[sum];
  }
  return out;
}

/** A lightness as a level, in the numbers that Python has. @param {number} light */
function levelOf(light) {
  return rint(Math.fround(Math.fround(light) * Math.fround(2.55)));
}

/**
 * Between four corners of the table, in 256ths.
 * @param {Int32Array} light
 * @param {number} at
 * @param {number} r 16ths of the way to the next corner
 * @param {number} g
 */
function plane(light, at, r, g) {
  const one = (16 - r) * light[at] + r * light[at + 1];
  const other = (16 - r) * light[at + CELLS] + r * light[at + CELLS + 1];
  return (16 - g) * one + g * other;
}

/**
 * Number of the told colour that each one is like, or -1.
 * @param {Uint8Array} colours (n x 3)
 * @param {Uint8Array} told (m x 3)
 */
export function nearestTold(colours, told) {
  const [one, other] = [toLab(colours), toLab(told)];
  return Int32Array.from({ length: colours.length / 3 }, (_, n) => {
    let [best, least] = [-1, ALIKE];
    for (let m = 0; m < told.length / 3; m++) {
      const away = difference(one, n, other, m);
      if (away < least) [best, least] = [m, away];
    }
    return best;
  });
}

/** @param {Float32Array} one @param {number} n @param {Float32Array} other @param {number} m */
function difference(one, n, other, m) {
  const light = one[3 * n] - other[3 * m];
  const a = one[3 * n + 1] - other[3 * m + 1];
  const b = one[3 * n + 2] - other[3 * m + 2];
  return Math.sqrt(light * light + a * a + b * b);
}

/**
 * Colours with the nearest ones made equal, the larger area's, while they are alike.
 * @param {Uint8Array} colours (n x 3)
 * @param {ArrayLike<number>} areas
 */
export function clustered(colours, areas) {
  const count = colours.length / 3;
  if (count < 2) return colours;
  const { which, chosen, weight } = grouped(colours, areas);
  const leader = leaders(toLab(chosen), weight);
  const out = new Uint8Array(colours.length);
  for (let n = 0; n < count; n++) {
    const from = 3 * leader[which[n]];
    out.set(chosen.subarray(from, from + 3), 3 * n);
  }
  return out;
}

/**
 * Equal colours once each, by that of the largest area; nearly equal ones where there are many.
 * @param {Uint8Array} colours
 * @param {ArrayLike<number>} areas
 */
function grouped(colours, areas) {
  const count = colours.length / 3;
  const shift = count > FEW ? 3 : 0;
  const codes = Array.from({ length: count }, (_, n) => {
    const [r, g, b] = [0, 1, 2].map((c) => colours[3 * n + c] >> shift);
    return (r << 16) | (g << 8) | b;
  });
  const sorted = [...new Set(codes)].sort((one, other) => one - other);
  const number = new Map(sorted.map((code, n) => [code, n]));
  const which = codes.map((code) => /** @type {number} */ (number.get(code)));
  const weight = new Float64Array(sorted.length);
  const largest = new Int32Array(sorted.length).fill(-1);
  which.forEach((group, n) => {
    weight[group] += areas[n];
    if (largest[group] < 0 || areas[n] > areas[largest[group]]) largest[group] = n;
  });
  const chosen = new Uint8Array(3 * sorted.length);
  largest.forEach((n, group) => {
    chosen.set(colours.subarray(3 * n, 3 * n + 3), 3 * group);
  });
  return { which, chosen, weight };
}

/**
 * Which colour each becomes once the nearest two are made one, again and again.
 * @param {Float32Array} lab
 * @param {Float64Array} weight
 */
function leaders(lab, weight) {
  const count = weight.length;
  const leader = Int32Array.from({ length: count }, (_, n) => n);
  const gone = new Uint8Array(count);
  const near = Array.from({ length: count }, (_, n) => nearestOf(lab, gone, n));
  while (true) {
    let one = -1;
    for (let n = 0; n < count; n++) {
      if (!gone[n] && near[n].away < (one < 0 ? ALIKE : near[one].away)) one = n;
    }
    if (one < 0) return leader;
    const other = near[one].other;
    const [keeps, goes] = weight[one] >= weight[other] ? [one, other] : [other, one];
    weight[keeps] += weight[goes];
    gone[goes] = 1;
    for (let n = 0; n < count; n++) {
      if (leader[n] === goes) leader[n] = keeps;
      if (!gone[n] && near[n].other === goes) near[n] = nearestOf(lab, gone, n);
    }
  }
}

/** @param {Float32Array} lab @param {Uint8Array} gone @param {number} n */
function nearestOf(lab, gone, n) {
  const found = { other: -1, away: Infinity };
  for (let m = 0; m < gone.length; m++) {
    if (m === n || gone[m]) continue;
    const away = difference(lab, n, lab, m);
    if (away < found.away) Object.assign(found, { other: m, away });
  }
  return found;
}
