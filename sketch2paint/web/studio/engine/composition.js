// A small painted picture brought to a drawing's size, its lines taken out;
// sketch2paint/inference/composition.py again.

import { rint } from "./numbers.js";
import { areas, resized } from "./resize.js";

/** Weight of a pixel by the share of paper in it. */
const TRUST = Uint8Array.from({ length: 256 }, (_, level) => rint(255 * (level / 255) ** 4));
const STRIP = 64; // rows that are halved at a time
const WIDE = 16384; // pixels of a row from which on there are fewer
const ENOUGH = 64; // trust of a pixel of which 0.7 is paper: it is left as it is
const EVEN_NONE = 0.01; // of trust, so that it can be divided by

/**
 * @typedef {{ width: number, height: number, rgb: Uint8Array }} Picture
 * @typedef {{ first: Int32Array, second: Int32Array, share: Float32Array }} Between
 */

/**
 * The colours of a drawing without its lines, (height x width x 3).
 * @param {Picture} fake the drawing as the generator painted it
 * @param {Uint8Array} paper the drawing at that size
 * @param {{ width: number, height: number }} drawing
 * @param {Uint8Array} sketch the drawing
 */
export function composed(fake, paper, { width, height }, sketch) {
  let picture = { ...fake, rgb: withoutLines(fake.rgb, paper) };
  let trust = paper.map((level) => TRUST[level]);
  spread(picture, trust);
  const { width: w, height: h } = fake;
  if (h > height || w > width) return shrunkTo(picture, width, height);
  const steps = Math.ceil(Math.log2(Math.max(height / h, width / w)));
  for (let step = 1; step <= steps; step++) {
    const part = step / steps;
    const [across, down] = [rint(w * (width / w) ** part), rint(h * (height / h) ** part)];
    picture = grown(picture, trust, across, down);
    if (step < steps) {
      trust = resized(sketch, width, height, across, down).map((level) => TRUST[level]);
    }
  }
  return picture.rgb;
}

/** @param {Picture} picture @param {number} width @param {number} height */
function shrunkTo({ rgb, ...size }, width, height) {
  const out = new Uint8Array(3 * width * height);
  for (let channel = 0; channel < 3; channel++) {
    const own = channelOf(rgb, channel);
    const small = resized(own, size.width, size.height, width, height);
    for (let i = 0; i < small.length; i++) out[3 * i + channel] = small[i];
  }
  return out;
}

/** One channel of a picture. @param {Uint8Array} rgb @param {number} channel */
export function channelOf(rgb, channel) {
  const own = new Uint8Array(rgb.length / 3);
  for (let i = 0; i < own.length; i++) own[i] = rgb[3 * i + channel];
  return own;
}

/**
 * Colours divided by the share of paper, as far as no channel overflows: that would change the hue.
 * @param {Uint8Array} rgb
 * @param {Uint8Array} paper
 */
function withoutLines(rgb, paper) {
  const out = new Uint8Array(rgb.length);
  for (let i = 0, at = 0; i < paper.length; i++, at += 3) {
    const share = Math.max(rgb[at], rgb[at + 1], rgb[at + 2], paper[i], 1);
    for (let n = 0; n < 3; n++) out[at + n] = rint((rgb[at + n] * 255) / share);
  }
  return out;
}

/**
 * Fill what is not trusted from around, in place: a pyramid down, and up again.
 * @param {Picture} picture
 * @param {Uint8Array} trust
 */
function spread({ rgb, width, height }, trust) {
  if (Math.max(width, height) === 1 || trust.every((each) => each >= ENOUGH)) return;
  const coarse = halved({ rgb, width, height }, trust);
  spread(coarse.picture, coarse.trust);
  const around = stretcher(coarse.picture.rgb, coarse.picture, { width, height }, 3);
  for (let y = 0; y < height; y++) {
    const row = around(y);
    for (let x = 0, i = y * width; x < width; x++, i++) {
      if (trust[i] >= ENOUGH) continue;
      const own = trust[i] / ENOUGH;
      for (let n = 0; n < 3; n++) {
        const far = row[3 * x + n];
        rgb[3 * i + n] = rint(far + (rgb[3 * i + n] - far) * own);
      }
    }
  }
}

/** Half the size, pixels weighted by their trust. @param {Picture} picture @param {Uint8Array} trust */
function halved({ rgb, width, height }, trust) {
  const [w, h] = [(width + 1) >> 1, (height + 1) >> 1];
  const picture = { width: w, height: h, rgb: new Uint8Array(3 * w * h) };
  const coarse = new Uint8Array(w * h);
  const columns = areas(width, w);
  const strip = Math.max(2, 2 * Math.floor((STRIP * WIDE) / Math.max(width, WIDE) / 2));
  const sums = new Float64Array(4 * w);
  for (let top = 0; top < height; top += strip) {
    const length = Math.min(strip, height - top);
    const rows = areas(length, (length + 1) >> 1);
    for (let y = 0; y < (length + 1) >> 1; y++) {
      sums.fill(0);
      for (let j = rows.starts[y]; j < rows.starts[y + 1]; j++) {
        addWeighted(sums, rgb, trust, (top + rows.places[j]) * width, columns, rows.weights[j]);
      }
      setDivided(picture.rgb, coarse, ((top >> 1) + y) * w, sums);
    }
  }
  return { picture, trust: coarse };
}

/**
 * Add a row to sums of colours times trust, and of trust.
 * @param {Float64Array} sums
 * @param {Uint8Array} rgb
 * @param {Uint8Array} trust
 * @param {number} row
 * @param {ReturnType<typeof areas>} columns
 * @param {number} weight
 */
function addWeighted(sums, rgb, trust, row, { starts, places, weights }, weight) {
  for (let x = 0; x < sums.length / 4; x++) {
    for (let k = starts[x]; k < starts[x + 1]; k++) {
      const i = row + places[k];
      const share = (trust[i] + EVEN_NONE) * weights[k] * weight;
      for (let n = 0; n < 3; n++) sums[4 * x + n] += share * rgb[3 * i + n];
      sums[4 * x + 3] += share;
    }
  }
}

/**
 * @param {Uint8Array} rgb
 * @param {Uint8Array} trust
 * @param {number} row
 * @param {Float64Array} sums
 */
function setDivided(rgb, trust, row, sums) {
  for (let x = 0; x < sums.length / 4; x++) {
    const whole = sums[4 * x + 3];
    for (let n = 0; n < 3; n++) rgb[3 * (row + x) + n] = rint(sums[4 * x + n] / whole);
    trust[row + x] = rint(whole);
  }
}

/**
 * A larger picture, interpolated linearly between the pixels that are trusted.
 * @param {Picture} picture
 * @param {Uint8Array} trust
 * @param {number} width
 * @param {number} height
 */
function grown({ rgb, ...from }, trust, width, height) {
  const weighted = new Float32Array(4 * trust.length);
  for (let i = 0; i < trust.length; i++) {
    const weight = trust[i] + EVEN_NONE;
    for (let n = 0; n < 3; n++) weighted[4 * i + n] = rgb[3 * i + n] * weight;
    weighted[4 * i + 3] = weight;
  }
  const out = { width, height, rgb: new Uint8Array(3 * width * height) };
  const rowOf = stretcher(weighted, from, out, 4);
  for (let y = 0; y < height; y++) {
    const row = rowOf(y);
    for (let x = 0, at = 3 * y * width; x < width; x++, at += 3) {
      const scale = 1 / row[4 * x + 3];
      out.rgb[at] = rint(row[4 * x] * scale);
      out.rgb[at + 1] = rint(row[4 * x + 1] * scale);
      out.rgb[at + 2] = rint(row[4 * x + 2] * scale);
    }
  }
  return out;
}

/**
 * Rows of a larger picture, interpolated linearly; each call gives the same array anew.
 * @param {Uint8Array | Float32Array} values
 * @param {{ width: number, height: number }} from
 * @param {{ width: number, height: number }} to
 * @param {number} channels
 */
function stretcher(values, from, to, channels) {
  const columns = between(from.width, to.width);
  const rows = between(from.height, to.height);
  const mixed = new Float32Array(channels * from.width);
  const out = new Float32Array(channels * to.width);
  return (/** @type {number} */ y) => {
    const [one, other] = [rows.first[y], rows.second[y]].map((row) => row * mixed.length);
    const share = rows.share[y];
    for (let i = 0; i < mixed.length; i++) {
      mixed[i] = values[one + i] * (1 - share) + values[other + i] * share;
    }
    for (let x = 0, at = 0; x < to.width; x++) {
      const [a, b] = [columns.first[x] * channels, columns.second[x] * channels];
      const more = columns.share[x];
      for (let n = 0; n < channels; n++, at++) {
        out[at] = mixed[a + n] * (1 - more) + mixed[b + n] * more;
      }
    }
    return out;
  };
}

/**
 * The two pixels around each place of a longer row, and the second one's share.
 * @param {number} length
 * @param {number} newLength
 * @returns {Between}
 */
function between(length, newLength) {
  const first = new Int32Array(newLength);
  const second = new Int32Array(newLength);
  const share = new Float32Array(newLength);
  for (let n = 0; n < newLength; n++) {
    const place = Math.min(Math.max(((n + 0.5) * length) / newLength - 0.5, 0), length - 1);
    first[n] = Math.floor(place);
    second[n] = Math.min(first[n] + 1, length - 1);
    share[n] = place - first[n];
  }
  return { first, second, share };
}
