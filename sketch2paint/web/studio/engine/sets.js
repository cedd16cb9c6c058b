// Disjoint sets as a list of parents: each number stands for itself, or names its set's parent.

/** Sets of one number each. @param {number} count */
export function singles(count) {
  const parents = new Int32Array(count);
  for (let i = 0; i < count; i++) parents[i] = i;
  return parents;
}

/**
 * The lowest number of the set in which a number is.
 * @param {Int32Array} parents
 * @param {number} number
 */
export function root(parents, number) {
  let at = number;
  while (parents[at] !== at) {
    parents[at] = parents[parents[at]];
    at = parents[at];
  }
  return at;
}

/** The root of every number. @param {Int32Array} parents */
export function roots(parents) {
  const found = new Int32Array(parents.length);
  for (let i = 0; i < found.length; i++) found[i] = root(parents, i);
  return found;
}

/**
 * Make the sets of two numbers one.
 * @param {Int32Array} parents
 * @param {number} one
 * @param {number} other
 */
export function unite(parents, one, other) {
  const first = root(parents, one);
  const second = root(parents, other);
  if (first < second) parents[second] = first;
  else parents[first] = second;
}

/** Sets numbered from 0 by their lowest member, and how many. @param {Int32Array} parents */
export function numbered(parents) {
  const numbers = new Int32Array(parents.length);
  let count = 0;
  for (let i = 0; i < parents.length; i++) {
    const first = root(parents, i);
    numbers[i] = first === i ? count++ : numbers[first];
  }
  return { numbers, count };
}
