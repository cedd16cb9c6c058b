// Distances to the nearest pixel that is 0.

const FAR = 1 << 30;
const [NEXT, CORNER, KNIGHT] = [1, 1.4, 2.1969].map((step) => Math.round(step * 65536));

/**
 * Exact distance of each pixel to the nearest one that is 0, (H, W) float32.
 * @param {Uint8Array} mask
 * @param {number} width
 * @param {number} height
 * @param {boolean} [framed] whether what lies beyond the edge is 0 too
 */
export function exactDistance(mask, width, height, framed = false) {
  const down = columnDistances(mask, width, framed);
  const out = new Float32Array(down.buffer); // row by row in its place: a large page's are 67 MB
  const parabolas = new Int32Array(width + 2);
  const starts = new Int32Array(width + 2);
  const g = new Float64Array(width + 2);
  const edge = framed ? 1 : 0;
  const length = width + 2 * edge;
  for (let y = 0; y < height; y++) {
    const row = y * width;
    if (framed) g[0] = g[length - 1] = 0;
    for (let x = 0; x < width; x++) g[x + edge] = down[row + x] * down[row + x];
    rowDistances(g, length, parabolas, starts, (x, square) => {
      if (x >= edge && x < edge + width) out[row + x - edge] = square;
    });
  }
  for (let i = 0; i < out.length; i++) out[i] = Math.sqrt(out[i]);
  return out;
}

/**
 * @param {Uint8Array} mask
 * @param {number} width
 * @param {boolean} framed
 */
function columnDistances(mask, width, framed) {
  const down = new Int32Array(mask.length);
  const far = 1 << 14;
  for (let x = 0; x < width; x++) down[x] = mask[x] ? (framed ? 1 : far) : 0;
  for (let i = width; i < mask.length; i++) {
    down[i] = mask[i] ? Math.min(down[i - width] + 1, far) : 0;
  }
  const last = mask.length - width;
  if (framed) for (let i = last; i < mask.length; i++) if (down[i] > 1) down[i] = 1;
  for (let i = last - 1; i >= 0; i--) {
    if (down[i + width] + 1 < down[i]) down[i] = down[i + width] + 1;
  }
  return down;
}

/**
 * Squared distances along a row, from the squares down the columns (Meijster et al. 2000).
 * @param {Float64Array} g
 * @param {number} length
 * @param {Int32Array} parabolas
 * @param {Int32Array} starts
 * @param {(x: number, square: number) => void} set
 */
function rowDistances(g, length, parabolas, starts, set) {
  let top = 0;
  parabolas[0] = starts[0] = 0;
  for (let u = 1; u < length; u++) {
    while (top >= 0) {
      const s = parabolas[top];
      const t = starts[top];
      if ((t - s) * (t - s) + g[s] <= (t - u) * (t - u) + g[u]) break;
      top--;
    }
    if (top < 0) {
      top = 0;
      parabolas[0] = u;
      starts[0] = 0;
      continue;
    }
    const s = parabolas[top];
    const start = 1 + Math.floor((u * u - s * s + g[u] - g[s]) / (2 * (u - s)));
    if (start < length) {
      top++;
      parabolas[top] = u;
      starts[top] = start;
    }
  }
  for (let x = length - 1; x >= 0; x--) {
    const away = x - parabolas[top];
    set(x, away * away + g[parabolas[top]]);
    if (x === starts[top]) top--;
  }
}

/**
 * Distance by steps to the next pixel and across corners, (H, W) float32: nearly exact, and quick.
 * @param {Uint8Array} mask
 * @param {number} width
 * @param {number} height
 */
export function stepDistance(mask, width, height) {
  const wide = width + 2;
  const padded = new Float32Array(wide * (height + 2)).fill(3e38);
  const side = Math.fround(0.955);
  const corner = Math.fround(1.3693);
  for (let y = 0; y < height; y++) {
    for (let x = 0, i = (y + 1) * wide + 1; x < width; x++, i++) {
      if (!mask[y * width + x]) padded[i] = 0;
      else {
        const above = Math.min(padded[i - wide - 1] + corner, padded[i - wide + 1] + corner);
        padded[i] = Math.min(above, padded[i - wide] + side, padded[i - 1] + side);
      }
    }
  }
  for (let y = height - 1; y >= 0; y--) {
    for (let x = width - 1, i = (y + 1) * wide + width; x >= 0; x--, i--) {
      if (padded[i] <= side) continue;
      const below = Math.min(padded[i + wide + 1] + corner, padded[i + wide - 1] + corner);
      padded[i] = Math.min(padded[i], below, padded[i + wide] + side, padded[i + 1] + side);
    }
  }
  for (let y = 0; y < height; y++) {
    const start = (y + 1) * wide + 1;
    padded.copyWithin(y * width, start, start + width); // a large page's are 67 MB
  }
  return padded.subarray(0, mask.length);
}

/**
 * Whether no neighbour of a pixel is further away, corners included.
 * @param {Float32Array} distances
 * @param {number} width
 * @param {number} height
 * @param {number} x
 * @param {number} y
 */
export function isRidge(distances, width, height, x, y) {
  const own = distances[y * width + x];
  for (let row = Math.max(y - 1, 0); row <= y + 1 && row < height; row++) {
    for (let column = Math.max(x - 1, 0); column <= x + 1 && column < width; column++) {
      if (distances[row * width + column] > own) return false;
    }
  }
  return true;
}

/**
 * Distance by steps to the next pixel, across corners and as a knight moves, in 65,536ths, and the
 * place of the pixel that is 0 to which it leads.
 * @param {Uint8Array} mask
 * @param {number} width
 * @param {number} height
 */
export function nearest(mask, width, height) {
  const wide = width + 4;
  const away = new Int32Array(wide * (height + 4)).fill(FAR);
  const place = new Int32Array(away.length).fill(-1);
  const before = Int32Array.of(
    ...[-2 * wide - 1, -2 * wide + 1, -wide - 2, -wide - 1, -wide, -wide + 1, -wide + 2, -1],
  );
  for (let y = 0, from = 0; y < height; y++) {
    for (let x = 0, i = (y + 2) * wide + 2; x < width; x++, i++, from++) {
      if (mask[from]) relax(away, place, i, before);
      else {
        away[i] = 0;
        place[i] = from;
      }
    }
  }
  const behind = before.map((step) => -step);
  for (let y = height - 1; y >= 0; y--) {
    for (let x = width - 1, i = (y + 2) * wide + width + 1; x >= 0; x--, i--) {
      if (away[i] > NEXT) relax(away, place, i, behind);
    }
  }
  return { away: inner(away, width, height), place: inner(place, width, height) };
}

const COSTS = Int32Array.of(KNIGHT, KNIGHT, KNIGHT, CORNER, NEXT, CORNER, KNIGHT, NEXT);

/**
 * @param {Int32Array} away
 * @param {Int32Array} place
 * @param {number} i
 * @param {Int32Array} steps
 */
function relax(away, place, i, steps) {
  let best = away[i];
  let from = place[i];
  for (let n = 0; n < 8; n++) {
    const there = i + steps[n];
    const sum = away[there] + COSTS[n];
    if (sum < best) {
      best = sum;
      from = place[there];
    }
  }
  away[i] = best;
  place[i] = from;
}

/**
 * What lies inside a frame of two pixels.
 * @param {Int32Array} framed
 * @param {number} width
 * @param {number} height
 */
function inner(framed, width, height) {
  const out = new Int32Array(width * height);
  for (let y = 0; y < height; y++) {
    const start = (y + 2) * (width + 4) + 2;
    out.set(framed.subarray(start, start + width), y * width);
  }
  return out;
}
