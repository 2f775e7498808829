/** Maps: who looks at whom, out of a trace. Pure: no DOM. */
import {rowStart} from './wire.js';

/** @typedef {import('./wire.js').Trace} Trace */

/**
 * A map's lower triangle: row t holds t + 1 weights from t (t + 1) / 2 on.
 * @typedef {object} AttentionMap
 * @property {number} tokens
 * @property {boolean} signed a difference, -1 to 1, and not weights, 0 to 1
 * @property {Float32Array} values
 */

/**
 * What of a trace is looked at: one head, the mean of a layer's heads, the mean of all, or the rollout up to a layer.
 * @typedef {object} Selection
 * @property {'head' | 'layer' | 'all' | 'rollout'} average
 * @property {number} layer
 * @property {number} head
 */

/** A byte is 255 times the square root of a weight. */
const WEIGHTS = Float32Array.from({length: 256}, (_, b) => (b / 255) ** 2);

/** By the trace, not by its rows: after a step back the same memory may hold another continuation. @type {WeakMap<Trace, Map<string, AttentionMap>>} */
const kept = new WeakMap();

/**
 * @param {Trace} trace with rows
 * @param {Selection} selection
 * @returns {AttentionMap}
 */
export function mapOf(trace, {average, layer, head}) {
  const key = `${average} ${average === 'all' ? '' : layer} ${average === 'head' ? head : ''}`;
  const known = kept.get(trace)?.get(key);
  if (known) return known;
  const all = Array.from({length: trace.heads}, (_, h) => h);
  let values;
  if (average === 'head') values = meanOf(trace, [[layer, head]]);
  else if (average === 'layer') values = meanOf(trace, all.map((h) => [layer, h]));
  else if (average === 'all') values = meanOf(trace, Array.from({length: trace.layers}, (_, l) => all.map((h) => /** @type {[number, number]} */ ([l, h]))).flat());
  else values = rollout(Array.from({length: layer + 1}, (_, l) => meanOf(trace, all.map((h) => [l, h]))), trace.tokens);
  return keep(trace, key, {tokens: trace.tokens, signed: false, values});
}

/** All heads' maps of a trace are kept, and a few averages. */
function keep(trace, key, map) {
  if (!kept.has(trace)) kept.set(trace, new Map());
  const maps = /** @type {Map<string, AttentionMap>} */ (kept.get(trace));
  if (maps.size >= trace.layers * trace.heads + 8) maps.delete(/** @type {string} */ (maps.keys().next().value));
  maps.set(key, map);
  return map;
}

/**
 * A map from bytes that came by themselves, t + 1 for each position t.
 * @param {Uint8Array} bytes
 * @param {number} tokens
 * @returns {AttentionMap}
 */
export function mapFromBytes(bytes, tokens) {
  const values = new Float32Array(bytes.length); // a loop: half a million of Float32Array.from's calls take a blink
  for (let i = 0; i < bytes.length; i++) values[i] = WEIGHTS[bytes[i]];
  return {tokens, signed: false, values};
}

/** @param {ArrayLike<number>} weights @returns {number} where the largest is, in size */
export function strongest(weights) {
  let best = 0;
  for (let s = 1; s < weights.length; s++) if (Math.abs(weights[s]) > Math.abs(weights[best])) best = s;
  return best;
}

/** @param {Float32Array} weights or differences @returns {number[]} positions, by size */
export function strongestFirst(weights) {
  return Array.from(weights.keys()).sort((a, b) => Math.abs(weights[b]) - Math.abs(weights[a]) || a - b);
}

/** @param {AttentionMap} map @param {number} t @returns {Float32Array} what position t looks at: t + 1 weights */
export function rowOf(map, t) {
  return map.values.subarray((t * (t + 1)) / 2, ((t + 1) * (t + 2)) / 2);
}

/**
 * The same map without the first position: its weight is taken out and the others share what is left, as if the row
 * had never seen it. A row that looks nowhere else becomes empty.
 * @param {AttentionMap} map
 * @returns {AttentionMap}
 */
export function withoutFirst(map) {
  const values = map.values.slice();
  for (let t = 0, at = 0; t < map.tokens; at += t + 1, t++) {
    const rest = 1 - values[at];
    values[at] = 0;
    if (map.signed) continue;
    for (let s = 1; s <= t; s++) values[at + s] = rest > 1e-6 ? Math.min(1, values[at + s] / rest) : 0;
  }
  return {...map, values};
}

/**
 * Rollout (Abnar and Zuidema 2020): layers multiplied, each mixed half and half with the identity, since half of what
 * leaves a layer is what entered it.
 * @param {Float32Array[]} layers lower triangles, the first layer first
 * @param {number} tokens
 * @returns {Float32Array}
 */
export function rollout(layers, tokens) {
  /** @type {Float32Array | null} */ let below = null;
  for (const layer of layers) below = rolled(below, layer, tokens);
  return /** @type {Float32Array} */ (below);
}

/** One layer of a rollout. @param {Float32Array | null} below the rollout up to it; null for the first @param {Float32Array} layer @param {number} tokens */
export function rolled(below, layer, tokens) {
  const mixed = layer.slice();
  for (let i = 0; i < mixed.length; i++) mixed[i] /= 2;
  for (let t = 0; t < tokens; t++) mixed[(t * (t + 3)) / 2] += 0.5;
  return below === null ? mixed : product(mixed, below, tokens);
}

function product(a, b, tokens) {
  const c = new Float32Array(a.length);
  for (let t = 0; t < tokens; t++) {
    const row = (t * (t + 1)) / 2;
    for (let m = 0; m <= t; m++) {
      const w = a[row + m];
      const from = (m * (m + 1)) / 2;
      for (let s = 0; s <= m; s++) c[row + s] += w * b[from + s];
    }
  }
  return c;
}

function meanOf(trace, pairs) {
  const {tokens, heads, rows} = trace;
  const values = new Float32Array((tokens * (tokens + 1)) / 2);
  for (let t = 0, at = 0; t < tokens; at += t + 1, t++) {
    for (const [l, h] of pairs) {
      const from = rowStart(trace, t) + (l * heads + h) * (t + 1);
      for (let s = 0; s <= t; s++) values[at + s] += WEIGHTS[rows[from + s]];
    }
  }
  return pairs.length === 1 ? values : values.map((v) => v / pairs.length);
}

/**
 * Which positions of two texts are the same ones: what they begin with, and what they end with.
 * @param {ArrayLike<number | string>} a tokens
 * @param {ArrayLike<number | string>} b
 * @returns {Int32Array} for each position of a that of b, or -1
 */
export function align(a, b) {
  const shorter = Math.min(a.length, b.length);
  let head = 0;
  while (head < shorter && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < shorter - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  // As many replaced as there were: those in between stand for each other.
  const middle = a.length === b.length ? a.length - tail : head;
  return Int32Array.from({length: a.length}, (_, i) => {
    if (i < middle) return i;
    return i >= a.length - tail ? i + b.length - a.length : -1;
  });
}

/**
 * a - b, where both have the pair of positions; elsewhere 0.
 * @param {AttentionMap} a
 * @param {AttentionMap} b
 * @param {Int32Array} alignment as align() gives it
 * @returns {AttentionMap} signed
 */
export function difference(a, b, alignment) {
  const values = new Float32Array(a.values.length);
  for (let t = 0, at = 0; t < a.tokens; at += t + 1, t++) {
    const u = alignment[t];
    if (u < 0 || u >= b.tokens) continue;
    for (let s = 0; s <= t; s++) {
      if (alignment[s] >= 0) values[at + s] = a.values[at + s] - b.values[(u * (u + 1)) / 2 + alignment[s]];
    }
  }
  return {tokens: a.tokens, signed: true, values};
}
