// Small helpers of the writers of binary files.

const CRC = Uint32Array.from({ length: 256 }, (_, number) => {
  let value = number;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

/**
 * The CRC-32 that PNG and ZIP use.
 * @param {...Uint8Array} parts bytes, one after the other
 */
export function crc32(...parts) {
  let value = 0xffffffff;
  for (const part of parts) {
    for (let at = 0; at < part.length; at++) value = CRC[(value ^ part[at]) & 255] ^ (value >>> 8);
  }
  return ~value >>> 0;
}

/** Bytes of a text, UTF-8. */
export function utf8(text) {
  return new TextEncoder().encode(text);
}

/** Bytes that are written number by number. */
export class Bytes {
  /** @param {boolean} little whether the low byte of a number comes first */
  constructor(little = false) {
    this.little = little;
    this.parts = [];
  }

  /** @param {number} size bytes of each number: 1, 2 or 4 */
  numbers(size, ...values) {
    const view = new DataView(new ArrayBuffer(size * values.length));
    for (const [place, value] of values.entries()) {
      if (size === 1) view.setUint8(place, value);
      else if (size === 2) view.setUint16(2 * place, value, this.little);
      else view.setUint32(4 * place, value, this.little);
    }
    return this.bytes(new Uint8Array(view.buffer));
  }

  /** @param {...Uint8Array} parts */
  bytes(...parts) {
    this.parts.push(...parts);
    return this;
  }

  get length() {
    return this.parts.reduce((sum, part) => sum + part.length, 0);
  }
}

const WORK = 12; // ms after which somebody may wait for an answer
let since = 0;

/** Let the page answer a person before work goes on, if there was much of it since the last time. */
export async function breath() {
  if (performance.now() - since < WORK) return;
  await new Promise((done) => setTimeout(done));
  since = performance.now();
}
