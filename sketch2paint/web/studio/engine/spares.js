// Memory of answers that the page has given back, to be used again: a browser frees it late.

const MOST = 3;

/** @type {ArrayBuffer[]} */
let spares = [];

/** Memory of so many bytes, with anything in it. @param {number} bytes */
export function memory(bytes) {
  const place = spares.findIndex(({ byteLength }) => byteLength === bytes);
  return place < 0 ? new ArrayBuffer(bytes) : spares.splice(place, 1)[0];
}

/** Take memory back. @param {ArrayBuffer} buffer */
export function takeBack(buffer) {
  spares = [buffer, ...spares].slice(0, MOST);
}
