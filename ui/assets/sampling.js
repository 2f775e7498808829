/**
 * Logits to probabilities, and the draw: the twin of gpt/sampling.py, which says what each step is and where it comes
 * from. Pure: no DOM. Both reproduce tests/vectors/sampling.json.
 */
import {REPETITION_WINDOW} from './common/settings.js';

/** @typedef {import('./common/settings.js').Settings} Settings */

/**
 * What is left of the model's distribution after the settings: repetition penalty, temperature, top-k, top-p, min-p, in
 * this order. The most probable token always stays.
 * @param {ArrayLike<number>} logits finite, one for each token
 * @param {Partial<Settings> & {repetition_window?: number}} settings what is left out is off
 * @param {number[]} [previous] ids of the text so far
 * @returns {Float64Array} sums to 1; what was cut is exactly 0
 */
export function probabilities(logits, settings, previous = []) {
  const {temperature = 1, top_k: topK = 0, top_p: topP = 1, min_p: minP = 0} = settings;
  const x = penalized(logits, settings, previous);
  const best = argmax(x);
  if (temperature === 0) return Float64Array.from(x, (_, id) => (id === best ? 1 : 0));
  const largest = x[best];
  let p = scaled(x.map((logit) => Math.exp((logit - largest) / temperature)));
  if (topK > 0 && topK < p.length) p = likeliest(p, topK);
  if (topP < 1) {
    const ascending = p.slice().sort();
    let sum = 0;
    let kept = 0;
    while (kept < p.length) {
      sum += ascending[p.length - ++kept];
      if (sum >= topP) break;
    }
    p = likeliest(p, kept, ascending);
  }
  if (minP > 0) {
    const least = minP * p[argmax(p)];
    p = scaled(p.map((q) => (q >= least ? q : 0)));
  }
  return p;
}

function penalized(logits, {repetition_penalty: penalty = 1, repetition_window: window = REPETITION_WINDOW}, previous) {
  const x = Float64Array.from(logits);
  if (penalty === 1 || !window) return x;
  for (const id of new Set(previous.slice(-window))) x[id] = x[id] > 0 ? x[id] / penalty : x[id] * penalty;
  return x;
}

/**
 * Ids by (-probability, id): the smaller id wins a tie. Those of probability 0 are left out, if any other is there.
 * @param {Float64Array} p
 * @returns {number[]}
 */
export function ranked(p) {
  /** @type {number[]} */ const ids = [];
  p.forEach((q, id) => { if (q > 0) ids.push(id); });
  return ids.sort((a, b) => p[b] - p[a] || a - b);
}

/** @param {ArrayLike<number>} x @returns {number} the first place of the largest */
export function argmax(x) {
  let best = 0;
  for (let i = 1; i < x.length; i++) if (x[i] > x[best]) best = i;
  return best;
}

/** The `count` most probable, scaled to sum to 1; of those that tie for the last place the smaller ids. Numbers sort faster than ids by them. */
function likeliest(p, count, ascending = p.slice().sort()) {
  const least = ascending[p.length - count];
  let ties = count;
  for (let i = p.length - 1; i >= 0 && ascending[i] > least; i--) ties--;
  return scaled(p.map((q) => (q > least || (q === least && ties-- > 0) ? q : 0)));
}

function scaled(p) {
  let sum = 0;
  for (const q of p) sum += q;
  return p.map((q) => q / sum);
}

/** @param {Float64Array} p @returns {number} how open the choice is, in bits */
export function entropy(p) {
  let bits = 0;
  for (const q of p) if (q > 0) bits -= q * Math.log2(q);
  return Math.max(0, bits);
}

const MASK = (1n << 64n) - 1n;

/**
 * The random number in [0, 1) at position n: the upper 53 bits of output n of the SplitMix64 generator that begins at `seed`.
 * @param {number} seed 0 to 2^53 - 1
 * @param {number} n
 */
export function u(seed, n) {
  return Number(splitmix64(seed, n) >> 11n) * 2 ** -53;
}

/** @param {number} seed @param {number} n @returns {bigint} 64 bits */
export function splitmix64(seed, n) {
  let z = (BigInt(seed) + (BigInt(n) + 1n) * 0x9e3779b97f4a7c15n) & MASK;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK;
  return z ^ (z >> 31n);
}

/**
 * The token at `number`, in [0, 1), of the cumulative distribution in the order of the ids.
 * @param {Float64Array} p
 * @param {number} number
 * @returns {number} id
 */
export function draw(p, number) {
  let sum = 0;
  for (const q of p) sum += q;
  const at = number * sum;
  let reached = 0;
  let last = 0;
  for (let id = 0; id < p.length; id++) {
    if (p[id] === 0) continue;
    last = id; // where the product above is rounded up to the whole
    reached += p[id];
    if (reached > at) return id;
  }
  return last;
}
