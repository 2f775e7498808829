/** What the views of attention read, out of one pass over a window: the twin of gpt/wire.py, which says what each block holds. No DOM. */
import {rolled} from '../attention/maps.js';
import {Refused} from '../common/ask.js';
import {mostProbable} from './generation.js';
import {distribution, logProbabilities} from './looking.js';
import {pass} from './memory.js';

/** @typedef {import('./model.js').Parts} Parts */
/** @typedef {import('../common/packet.js').Packet} Packet */

const SCALE = 255;
const LENS_TOP = 6;
const MAX_ROWS_BYTES = 2_000_000;
const SIDE = 64;
export const MAX_NEXT = 256;
const MAX_LENS_NUMBERS = 4_000_000;
export const KINDS = ['head', 'layer', 'all', 'rollout'];

/**
 * The trace of a window. What was read of it before is not read again, unless its rows are asked for.
 * @param {Parts} parts
 * @param {number[]} window 1 to block_size tokens
 * @param {Uint8Array | null} silenced
 * @param {number} first rows before this one are known to whoever asks; thumbnails are always sent whole
 * @returns {Generator<{done: number, total: number}, Packet, void>} its header has what concerns the window alone
 */
export function* packTrace({network, memories, tokenizer}, window, silenced, first) {
  const {n_layer: L, n_head: H, vocab_size: V, block_size} = network.config;
  const T = window.length;
  const pooled = (L * H * T * (T + 1)) / 2 > MAX_ROWS_BYTES;
  const begin = pooled ? 0 : first;
  const rowStart = (/** @type {number} */ t) => (L * H * (t * (t + 1) - begin * (begin + 1))) / 2;
  const rows = new Uint8Array(pooled ? 0 : rowStart(T));
  const pool = pooled ? pooling(L * H, T) : null;
  const lens = lensOf(network, (L + 1) * (T - begin) * V <= MAX_LENS_NUMBERS ? begin : T - 1, T);
  const memory = yield* memories.claim(`look ${silenced ?? ''}`, window, begin);
  const {losses} = memory;
  losses[0] = 0;
  // The last token of what is known is read again: what it said of its successor was said of another one, or of none.
  memory.ids.length = Math.max(0, Math.min(memory.ids.length, losses.length) - 1);
  const look = {
    attention(layer, head, t, weights) {
      if (t < begin) return;
      if (pool) pool.add(layer * H + head, t, weights);
      else toBytes(weights, rows, rowStart(t) + (layer * H + head) * (t + 1));
    },
    residual(layer, at, count) {
      if (layer < L && at + count <= lens.first) return;
      network.unembed(count).forEach((logits, i) => {
        lens.add(layer, at + i, logits);
        if (layer === L && at + i + 1 < T) losses[at + i + 1] = -logProbabilities(logits)[window[at + i + 1]];
      });
    },
  };
  try {
    yield* pass(network, memory, window, {silenced, look});
  } finally {
    memories.keep(memory);
  }
  let sum = 0;
  for (let t = 1; t < T; t++) sum += losses[t];
  const sent = window.slice(begin);
  const header = {
    layers: L, heads: H, tokens: T, first: begin, scale: 'sqrt', block_size, vocab_size: V, ids: sent, pieces: sent.map((id) => tokenizer.characters[id]),
    loss: T > 1 ? sum / (T - 1) / Math.LN2 : null, silenced: pairs(silenced, H), side: pooled ? SIDE : 0, ...lens.header(tokenizer),
  };
  return {header, blocks: {...(pool ? {thumbnails: pool.bytes()} : {rows}), ...lens.blocks()}};
}

/**
 * Exact numbers of one position, in all heads.
 * @param {Parts} parts
 * @param {number[]} window
 * @param {number} position
 * @param {Uint8Array | null} silenced
 * @returns {Generator<{done: number, total: number}, Packet, void>}
 */
export function* packRow({network, memories, tokenizer}, window, position, silenced) {
  const {n_layer: L, n_head: H} = network.config;
  if (position >= window.length) throw new Refused(`position: ${position} is none of the ${window.length} of this text`);
  const row = window.slice(0, position + 1);
  const weights = new Float32Array(L * H * row.length);
  const lens = lensOf(network, position, row.length);
  const look = {
    attention: (layer, head, t, values) => { if (t === position) weights.set(values, (layer * H + head) * row.length); },
    residual: (layer, at, count) => { if (at + count > position) lens.add(layer, position, network.unembed(position - at + 1, position - at)[0]); },
  };
  const memory = yield* memories.claim(`look ${silenced ?? ''}`, window, window.length);
  try {
    if (memory.ids.length > position) { // what comes after it stays as it is
      network.embed(row.slice(position), position);
      network.through(memory.cache, position, 1, {silenced, look});
    } else {
      yield* pass(network, memory, row, {silenced, look});
    }
  } finally {
    memories.keep(memory);
  }
  return {header: {position, ...lens.header(tokenizer)}, blocks: {weights: new Uint8Array(weights.buffer), ...lens.blocks()}};
}

/**
 * One whole map, for windows whose trace holds thumbnails.
 * @param {Parts} parts
 * @param {number[]} window
 * @param {{kind: string, layer: number, head: number}} which
 * @param {Uint8Array | null} silenced
 * @returns {Generator<{done: number, total: number}, Packet, void>}
 */
export function* packMap({network, memories}, window, {kind, layer: wanted, head}, silenced) {
  const {n_layer: L, n_head: H} = network.config;
  const T = window.length;
  const layers = kind === 'all' ? L : wanted + 1;
  const size = (T * (T + 1)) / 2;
  const means = Array.from({length: kind === 'rollout' ? layers : 1}, () => new Float32Array(size));
  const share = kind === 'head' ? 1 : kind === 'all' ? 1 / (L * H) : 1 / H;
  const look = {
    attention(layer, h, t, weights) {
      const counts = kind === 'all' || (kind === 'rollout' ? layer < layers : layer === wanted && (kind === 'layer' || h === head));
      if (!counts) return;
      const mean = means[kind === 'rollout' ? layer : 0];
      for (let s = 0, at = (t * (t + 1)) / 2; s <= t; s++, at++) mean[at] += share * weights[s];
    },
  };
  const memory = yield* memories.claim('', [], 0);
  try {
    yield* pass(network, memory, window, {silenced, look});
  } finally {
    network.give(memory.cache);
  }
  let values = means[0];
  if (kind === 'rollout') {
    values = rolled(null, means[0], T);
    for (const mean of means.slice(1)) {
      yield {done: T, total: T};
      values = rolled(values, mean, T);
    }
  }
  const rows = new Uint8Array(size);
  toBytes(values, rows, 0);
  return {header: {tokens: T}, blocks: {rows}};
}

/** A byte is 255 times the square root of a weight: small weights stay visible. */
function toBytes(weights, bytes, at) {
  for (let i = 0; i < weights.length; i++) bytes[at + i] = SCALE * Math.sqrt(weights[i]) + 0.5;
}

/** Maps made small: each cell the largest of those it stands for, as torch's adaptive_max_pool2d divides them. */
function pooling(maps, T) {
  const largest = new Float32Array(maps * SIDE * SIDE);
  const from = Int32Array.from({length: SIDE}, (_, i) => Math.floor((i * T) / SIDE));
  const to = Int32Array.from({length: SIDE}, (_, i) => Math.ceil(((i + 1) * T) / SIDE));
  return {
    add(map, t, weights) {
      for (let i = 0; i < SIDE; i++) {
        if (t < from[i] || t >= to[i]) continue;
        for (let j = 0, at = (map * SIDE + i) * SIDE; j < SIDE && from[j] <= t; j++, at++) {
          for (let s = from[j]; s < to[j] && s <= t; s++) if (weights[s] > largest[at]) largest[at] = weights[s];
        }
      }
    },
    bytes() {
      const bytes = new Uint8Array(largest.length);
      toBytes(largest, bytes, 0);
      return bytes;
    },
  };
}

/** What each layer would say at the positions from `first` on. */
function lensOf({config: {n_layer: L, vocab_size: V}}, first, T) {
  const top = Math.min(LENS_TOP, V);
  const ids = new Uint32Array((T - first) * (L + 1) * top);
  const p = new Float32Array(ids.length);
  const all = V <= MAX_NEXT;
  const next = new Float32Array(all ? (T - first) * V : 0);
  return {
    first,
    add(layer, position, logits) {
      if (position < first) return;
      const probabilities = distribution(logits);
      const at = ((position - first) * (L + 1) + layer) * top;
      mostProbable(probabilities, top).forEach((id, i) => {
        ids[at + i] = id;
        p[at + i] = probabilities[id];
      });
      if (all && layer === L) next.set(probabilities, (position - first) * V);
    },
    header(tokenizer) {
      const used = all ? tokenizer.characters.keys() : new Set(ids);
      return {lens_first: first, lens_top: top, names: Object.fromEntries(Array.from(used, (id) => [id, tokenizer.characters[id]]))};
    },
    blocks: () => ({lens_ids: new Uint8Array(ids.buffer), lens_p: new Uint8Array(p.buffer), next_p: new Uint8Array(next.buffer)}),
  };
}

/** @returns {[number, number][]} (layer, head), in order */
function pairs(silenced, H) {
  return [...(silenced ?? [])].flatMap((off, i) => (off ? [/** @type {[number, number]} */ ([Math.floor(i / H), i % H])] : []));
}
