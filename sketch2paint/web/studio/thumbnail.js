// Small pictures of large ones.

import { make } from "./dom.js";

/**
 * A painted drawing as a canvas within a square; pixels are averaged, so that lines stay seen.
 * @param {{width: number, height: number, rgba: Uint8ClampedArray}} painted
 * @param {number} side of the square in px
 */
export function thumbnail({ width, height, rgba }, side) {
  const step = Math.max(1, Math.max(width, height) / side);
  const canvas = make("canvas", {
    width: Math.max(1, Math.round(width / step)),
    height: Math.max(1, Math.round(height / step)),
  });
  const context = canvas.getContext("2d");
  const small = context.createImageData(canvas.width, canvas.height);
  const taps = Math.min(4, Math.ceil(step)); // in each direction, of a pixel's own square
  for (let at = 0; at < small.data.length; at += 4) {
    const x = (at / 4) % canvas.width;
    const y = Math.floor(at / 4 / canvas.width);
    small.data.set(mean(rgba, { width, height, step, taps }, x, y), at);
  }
  context.putImageData(small, 0, 0);
  return canvas;
}

function mean(rgba, { width, height, step, taps }, x, y) {
  const sum = [0, 0, 0, 255 * taps * taps];
  for (let tap = 0; tap < taps * taps; tap++) {
    const across = Math.min(Math.floor((x + ((tap % taps) + 0.5) / taps) * step), width - 1);
    const down = Math.min(
      Math.floor((y + (Math.floor(tap / taps) + 0.5) / taps) * step),
      height - 1,
    );
    const from = 4 * (down * width + across);
    for (let channel = 0; channel < 3; channel++) sum[channel] += rgba[from + channel];
  }
  return sum.map((each) => each / (taps * taps));
}
