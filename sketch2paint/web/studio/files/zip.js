// ZIP without packing: what is put in, as PNG, is packed already.

import { Bytes, crc32, utf8 } from "./bytes.js";

const DATE = 0x21; // 1 January 1980, so that the same picture gives the same bytes
const VERSION = 20;

/**
 * A ZIP file of stored entries, in their order.
 * @param {[string, Uint8Array][]} entries names and contents
 * @returns {Blob}
 */
export function zip(entries) {
  const file = new Bytes(true);
  const directory = new Bytes(true);
  for (const [name, data] of entries) {
    const at = file.length;
    const about = describe(utf8(name), data);
    file.numbers(4, 0x04034b50).bytes(...about.parts, utf8(name), data);
    directory
      .numbers(4, 0x02014b50)
      .numbers(2, VERSION)
      .bytes(...about.parts);
    directory.numbers(2, 0, 0, 0).numbers(4, 0, at).bytes(utf8(name));
  }
  const start = file.length;
  file.bytes(...directory.parts).numbers(4, 0x06054b50);
  file.numbers(2, 0, 0, entries.length, entries.length).numbers(4, directory.length, start);
  return new Blob(file.numbers(2, 0).parts);
}

function describe(name, data) {
  const about = new Bytes(true).numbers(2, VERSION, 0x800, 0, 0, DATE); // 0x800: names are UTF-8
  return about.numbers(4, crc32(data), data.length, data.length).numbers(2, name.length, 0);
}
