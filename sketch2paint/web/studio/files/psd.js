// PSD, the layered format of Photoshop, as far as flat layers need it. A library for all of the
// format weighs more than the rest of this page; layers of one colour are these few lines.

import { Bytes, breath, utf8 } from "./bytes.js";

const BLENDS = { normal: "norm", multiply: "mul " };
const CHANNELS = [0, 1, 2, -1]; // red, green, blue, transparency
const ROWS = 32; // that are packed without a break
export const LONGEST = 30_000; // the format's limit for a side

/**
 * Layers as a PSD file.
 * @param {AsyncIterable<import("./layers.js").Layer>} layers from the bottom to the top
 * @param {ImageData} merged all of them together, for programs that read no layers
 * @returns {Promise<Blob>}
 */
export async function psd(layers, merged) {
  const { width, height } = merged;
  const records = new Bytes();
  const planes = new Bytes();
  let count = 0;
  for await (const layer of layers) {
    const packed = await packedPlanes(layer, CHANNELS.length);
    for (const { sizes, rows } of packed) planes.numbers(2, 1, ...sizes).bytes(rows);
    record(records, layer, packed);
    count++;
  }
  if ((records.length + planes.length) % 2) planes.numbers(1, 0);
  const layerInfo = 2 + records.length + planes.length;
  const head = new Bytes().bytes(utf8("8BPS")).numbers(2, 1, 0, 0, 0, 3);
  head.numbers(4, height, width).numbers(2, 8, 3).numbers(4, 0, 0); // no table, no resources
  head.numbers(4, layerInfo + 8, layerInfo).numbers(2, count);
  const tail = new Bytes().numbers(4, 0); // no mask of the whole
  const whole = await packedPlanes({ pixels: merged.data, width }, 3);
  tail.numbers(2, 1);
  for (const { sizes } of whole) tail.numbers(2, ...sizes);
  tail.bytes(...whole.map(({ rows }) => rows));
  return new Blob([...head.parts, ...records.parts, ...planes.parts, ...tail.parts]);
}

/** What the file says of a layer before its pixels. */
function record(records, layer, packed) {
  const { name, x, y, width, height, blend } = layer;
  records.numbers(4, y, x, y + height, x + width).numbers(2, CHANNELS.length);
  for (const [place, { sizes, rows }] of packed.entries()) {
    records.numbers(2, CHANNELS[place]).numbers(4, 2 + 2 * sizes.length + rows.length);
  }
  records.bytes(utf8(`8BIM${BLENDS[blend]}`)).numbers(1, 255, 0, 8, 0);
  const extra = new Bytes().numbers(4, 0, 0).bytes(pascal(name)); // no mask, no blending ranges
  const units = [...name].map((letter) => letter.charCodeAt(0));
  if (units.length % 2) units.push(0);
  extra
    .bytes(utf8("8BIMluni"))
    .numbers(4, 4 + 2 * units.length, name.length)
    .numbers(2, ...units);
  records.numbers(4, extra.length).bytes(...extra.parts);
}

/** A name behind its length, filled up to fours. */
function pascal(name) {
  const bytes = new Uint8Array(Math.ceil((name.length + 1) / 4) * 4);
  bytes[0] = name.length;
  bytes.set(utf8(name), 1);
  return bytes;
}

async function packedPlanes({ pixels, width }, count) {
  const planes = [];
  for (let channel = 0; channel < count; channel++) {
    planes.push(await packedPlane(pixels, channel, width));
  }
  return planes;
}

/** One channel of RGBA pixels, each row packed by itself, and how long the rows are. */
async function packedPlane(pixels, channel, width) {
  const height = pixels.length / (4 * width);
  const sizes = [];
  let out = new Uint8Array(1024);
  let end = 0;
  const row = new Uint8Array(width);
  for (let y = 0; y < height; y++) {
    if (y % ROWS === 0) await breath();
    for (let x = 0; x < width; x++) row[x] = pixels[4 * (y * width + x) + channel];
    const most = end + width + Math.ceil(width / 128);
    if (most > out.length) out = grown(out, 2 * most);
    const start = end;
    end = packRow(row, out, end);
    sizes.push(end - start);
  }
  return { sizes, rows: out.slice(0, end) };
}

function grown(bytes, length) {
  const larger = new Uint8Array(length);
  larger.set(bytes);
  return larger;
}

/** PackBits: runs of equal bytes as a count and the byte, what is between as it is. */
function packRow(row, out, end) {
  let at = 0;
  while (at < row.length) {
    let run = 1;
    while (run < 128 && at + run < row.length && row[at + run] === row[at]) run++;
    if (run > 2) {
      out[end++] = 257 - run;
      out[end++] = row[at];
      at += run;
      continue;
    }
    const start = at;
    while (at < row.length && at - start < 128 && !isRun(row, at)) at++;
    out[end++] = at - start - 1;
    out.set(row.subarray(start, at), end);
    end += at - start;
  }
  return end;
}

function isRun(row, at) {
  return at + 2 < row.length && row[at] === row[at + 1] && row[at] === row[at + 2];
}
