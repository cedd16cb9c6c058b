// What hangs together, corners included.

import { numbered, singles, unite } from "./sets.js";

/**
 * Number of the connected part in which each pixel lies: 0 where the mask is 0, then from 1 by the
 * first pixel of each.
 * @param {Uint8Array} mask
 * @param {number} width
 * @param {number} height
 */
export function connected(mask, width, height) {
  const labels = new Int32Array(mask.length);
  const parents = singles(mask.length / 2 + width + 2);
  let next = 1;
  for (let y = 0; y < height; y++) {
    for (let x = 0, i = y * width; x < width; x++, i++) {
      if (!mask[i]) continue;
      const above = y > 0 ? i - width : -1;
      let label = x > 0 ? labels[i - 1] : 0;
      if (above >= 0) {
        const straight = labels[above];
        if (straight) label = joined(parents, label, straight);
        else {
          if (x > 0 && labels[above - 1]) label = joined(parents, label, labels[above - 1]);
          if (x < width - 1 && labels[above + 1]) {
            label = joined(parents, label, labels[above + 1]);
          }
        }
      }
      labels[i] = label || next++;
    }
  }
  const { numbers, count } = numbered(parents.subarray(0, next));
  for (let i = 0; i < labels.length; i++) labels[i] = numbers[labels[i]];
  return { labels, count };
}

/** @param {Int32Array} parents @param {number} label @param {number} other */
function joined(parents, label, other) {
  if (!label || label === other) return other;
  unite(parents, label, other);
  return label;
}
