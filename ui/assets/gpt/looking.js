/** Looking inside: attention, residual stream, logit lens, the effect of each head: the twin of gpt/tracing.py. No DOM. */
import {Refused} from '../common/ask.js';
import {probabilities} from '../sampling.js';
import {PLAIN} from '../common/settings.js';
import {pass} from './memory.js';

/** @typedef {import('./model.js').Parts} Parts */

/**
 * What a model computed while it read a text, as gpt.Trace has it. T tokens, L layers, H heads, C channels, V vocabulary.
 * @typedef {object} Trace
 * @property {number[]} tokens
 * @property {string[]} pieces
 * @property {Float32Array} attention (L, H, T, T)
 * @property {Float32Array} residual (L + 1, T, C)
 * @property {Float32Array} lens (L + 1, T, V): logits of what each layer would say after each token
 * @property {Float32Array} logits (T, V): the last layer's
 */

/**
 * @param {Parts} parts
 * @param {number[]} ids of one window
 * @param {Uint8Array | null} silenced
 * @returns {Generator<{done: number, total: number}, Trace, void>}
 */
export function* trace({network, memories, tokenizer}, ids, silenced) {
  const {n_layer: L, n_head: H, n_embd: C, vocab_size: V} = network.config;
  const T = ids.length;
  const attention = new Float32Array(L * H * T * T);
  const residual = new Float32Array((L + 1) * T * C);
  const lens = new Float32Array((L + 1) * T * V);
  const look = {
    attention: (layer, head, t, weights) => attention.set(weights, ((layer * H + head) * T + t) * T),
    residual: (layer, first, count, stream, width) => {
      for (let t = 0; t < count; t++) residual.set(stream.subarray(t * width, t * width + C), (layer * T + first + t) * C);
      network.unembed(count).forEach((logits, t) => lens.set(logits, (layer * T + first + t) * V));
    },
  };
  const memory = yield* memories.claim('', ids, 0);
  try {
    yield* pass(network, memory, ids, {silenced, look});
  } finally {
    network.give(memory.cache);
  }
  return {tokens: ids, pieces: ids.map((id) => tokenizer.characters[id]), attention, residual, lens, logits: lens.subarray(L * T * V)};
}

/**
 * What silencing each head by itself changes, in bits: the divergence of what comes next from what came before, and the
 * growth of the text's mean loss. The stream below a layer is computed once for all its heads.
 * @param {Parts} parts
 * @param {number[]} ids of one window
 * @param {Uint8Array | null} silenced heads that are off all the while
 * @returns {Generator<{done: number, total: number}, {kl: number[][], loss: number[][]}, void>} (L, H) each
 */
export function* headEffects({network, memories}, ids, silenced) {
  const {n_layer: L, n_head: H} = network.config;
  const width = network.width;
  const off = silenced ?? new Uint8Array(L * H);
  const below = Array.from({length: L + 1}, () => new Float32Array(ids.length * width));
  const keep = {residual: (layer, first, count, stream) => below[layer].set(stream, first * width)};
  const memory = yield* memories.claim('', ids, 0);
  const total = 1 + L * H;
  try {
    for (const _ of pass(network, memory, ids, {silenced, look: keep})) yield {done: 0, total};
    const usual = yield* outcome(network, below[L], ids, 0, total);
    const kl = Array.from({length: L}, () => new Array(H).fill(0));
    const loss = Array.from({length: L}, () => new Array(H).fill(0));
    let done = 1;
    for (let layer = 0; layer < L; layer++) {
      for (let head = 0; head < H; head++, done++) {
        if (off[layer * H + head]) continue; // it changes nothing
        const mask = off.slice();
        mask[layer * H + head] = 1;
        const above = new Float32Array(below[layer].length);
        for (let first = 0; first < ids.length; first += network.chunk) {
          const count = Math.min(network.chunk, ids.length - first);
          network.stream(count).set(below[layer].subarray(first * width, (first + count) * width));
          network.through(memory.cache, first, count, {from: layer, silenced: mask});
          above.set(network.stream(count), first * width);
          yield {done, total};
        }
        const now = yield* outcome(network, above, ids, done, total);
        for (let id = 0; id < now.last.length; id++) kl[layer][head] += Math.exp(usual.last[id]) * (usual.last[id] - now.last[id]);
        kl[layer][head] = Math.max(0, kl[layer][head]) / Math.LN2;
        loss[layer][head] = (now.loss - usual.loss) / Math.LN2;
      }
    }
    return {kl, loss};
  } finally {
    network.give(memory.cache);
  }
}

/** Of a last stream: log probabilities after the last token, and the mean loss in nats. */
function* outcome(network, stream, ids, done, total) {
  const {width} = network;
  /** @type {Float64Array} */ let last = new Float64Array(0);
  let sum = 0;
  for (let first = 0; first < ids.length; first += network.chunk) {
    const count = Math.min(network.chunk, ids.length - first);
    network.stream(count).set(stream.subarray(first * width, (first + count) * width));
    network.unembed(count).forEach((logits, t) => {
      last = logProbabilities(logits);
      if (first + t + 1 < ids.length) sum -= last[ids[first + t + 1]];
    });
    yield {done, total};
  }
  return {last, loss: ids.length > 1 ? sum / (ids.length - 1) : 0};
}

/** @param {ArrayLike<number>} logits @returns {Float64Array} in nats */
export function logProbabilities(logits) {
  const x = Float64Array.from(logits);
  let largest = -Infinity;
  for (const value of x) if (value > largest) largest = value;
  let sum = 0;
  for (const value of x) sum += Math.exp(value - largest);
  const log = largest + Math.log(sum);
  return x.map((value) => value - log);
}

/** At temperature 1. @param {ArrayLike<number>} logits */
export function distribution(logits) { return probabilities(logits, PLAIN); }

/**
 * For each layer and head 1 where it is silenced; null where none is.
 * @param {import('./config.js').Config} config
 * @param {[number, number][]} silenced
 * @returns {Uint8Array | null}
 * @throws {Refused} this model has no such head
 */
export function headsMask({n_layer: L, n_head: H}, silenced) {
  const mask = new Uint8Array(L * H);
  for (const [layer, head] of silenced) {
    const there = Number.isInteger(layer) && Number.isInteger(head) && layer >= 0 && layer < L && head >= 0 && head < H;
    if (!there) throw new Refused(`silenced: head ${layer}.${head}: this model has layers 0 to ${L - 1}, heads 0 to ${H - 1}`);
    mask[layer * H + head] = 1;
  }
  return mask.includes(1) ? mask : null;
}
