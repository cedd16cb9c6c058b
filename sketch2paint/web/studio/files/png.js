// PNG, written from pixels: as large as wanted, without a canvas, always the same bytes.

import { Bytes, breath, crc32, utf8 } from "./bytes.js";

const SIGNATURE = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);
const TYPES = { 1: 0, 3: 2, 4: 6 }; // by channels: grey, RGB, RGBA
const UP = 2; // the filter that makes equal rows zeros, which flats are full of
const STRIP = 1 << 17; // bytes that are packed at once

/**
 * A picture as a PNG file.
 * @param {Uint8Array | Uint8ClampedArray} pixels row by row
 * @param {number} width
 * @param {number} height
 * @param {1 | 3 | 4} channels of the pixels: grey, RGB, RGBA
 * @returns {Promise<Uint8Array>}
 */
export async function png(pixels, width, height, channels) {
  const header = new Bytes().numbers(4, width, height).numbers(1, 8, TYPES[channels], 0, 0, 0);
  const data = await packed(pixels, width * channels, height);
  const chunks = [
    chunk("IHDR", joined(header)),
    chunk("IDAT", data),
    chunk("IEND", SIGNATURE.subarray(0, 0)),
  ];
  return joined(new Bytes().bytes(SIGNATURE, ...chunks.flatMap((each) => each.parts)));
}

/** RGBA pixels without their alpha. */
export function withoutAlpha(rgba) {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    rgb[to++] = rgba[from];
    rgb[to++] = rgba[from + 1];
    rgb[to++] = rgba[from + 2];
  }
  return rgb;
}

async function packed(pixels, stride, height) {
  const stream = new CompressionStream("deflate");
  const result = new Response(stream.readable).arrayBuffer();
  const writer = stream.writable.getWriter();
  const rows = Math.max(1, Math.floor(STRIP / stride));
  for (let top = 0; top < height; top += rows) {
    await writer.ready;
    await breath();
    writer.write(filtered(pixels, stride, top, Math.min(top + rows, height)));
  }
  writer.close();
  return new Uint8Array(await result);
}

/** Rows from `top` to `end`, each as its difference to the one above. */
function filtered(pixels, stride, top, end) {
  const out = new Uint8Array((end - top) * (stride + 1));
  let to = 0;
  for (let row = top; row < end; row++) {
    out[to++] = UP;
    const from = row * stride;
    for (let at = from; at < from + stride; at++)
      out[to++] = pixels[at] - (row ? pixels[at - stride] : 0);
  }
  return out;
}

function chunk(type, data) {
  const name = utf8(type);
  return new Bytes().numbers(4, data.length).bytes(name, data).numbers(4, crc32(name, data));
}

function joined(bytes) {
  const all = new Uint8Array(bytes.length);
  let at = 0;
  for (const part of bytes.parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
