// Pairs of numbers, each once, in the order in which they were met.

/** A table of pairs; a pair is the same whichever number comes first. */
export class PairTable {
  constructor() {
    this.count = 0;
    this.resize(1 << 12);
  }

  /** Place of a pair, which is added if it is new. @param {number} one @param {number} other */
  place(one, other) {
    const [low, high] = one < other ? [one, other] : [other, one];
    let slot = this.slot(low, high);
    while (this.table[slot] >= 0) {
      const pair = this.table[slot];
      if (this.low[pair] === low && this.high[pair] === high) return pair;
      slot = (slot + 1) & (this.table.length - 1);
    }
    this.table[slot] = this.count;
    this.low[this.count] = low;
    this.high[this.count] = high;
    this.count++;
    if (2 * this.count > this.table.length) this.resize(2 * this.table.length);
    return this.count - 1;
  }

  /** The lower numbers. */
  lows() {
    return this.low.subarray(0, this.count);
  }

  /** The higher numbers. */
  highs() {
    return this.high.subarray(0, this.count);
  }

  /** @param {number} low @param {number} high */
  slot(low, high) {
    const mixed = Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b);
    return (mixed ^ (mixed >>> 15)) & (this.table.length - 1);
  }

  /** @param {number} size a power of 2 */
  resize(size) {
    const [low, high] = [new Int32Array(size), new Int32Array(size)];
    if (this.count) {
      low.set(this.lows());
      high.set(this.highs());
    }
    this.low = low;
    this.high = high;
    this.table = new Int32Array(size).fill(-1);
    for (let pair = 0; pair < this.count; pair++) {
      let slot = this.slot(low[pair], high[pair]);
      while (this.table[slot] >= 0) slot = (slot + 1) & (size - 1);
      this.table[slot] = pair;
    }
  }
}
