// Memory of an answer that the page has given back, to be used again: a browser frees it late.

/** @type {ArrayBuffer | null} */
let spare = null;

/** Memory of so many bytes, with anything in it. @param {number} bytes */
export function memory(bytes) {
  if (spare?.byteLength !== bytes) return new ArrayBuffer(bytes);
  const found = spare;
  spare = null;
  return found;
}

/** Take memory back; more than one would be kept for nothing. @param {ArrayBuffer} buffer */
export function takeBack(buffer) {
  spare = buffer;
}
