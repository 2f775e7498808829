/**
 * The model: the twin of gpt/model.py's forward, on typed arrays in one memory. Knows token ids, no text and no window.
 *
 * Some tokens at a time pass through all blocks, with a cache of what came before. Weights of int8 are numbers of their
 * grid, all else is float32 throughout: so every way of reading a text, on every device, agrees but for the last digits,
 * and the same seed gives the same text. (The server's decoder of int8 weights rounds each product to bfloat16.)
 *
 * Shapes: C channels, H heads, D head size, L layers, S tokens seen, V vocabulary. Rows are padded to a multiple of 16.
 */
import {CHECK_BYTES, kernelsFor, reserve} from './kernels.js';
import {createMatrices, padded} from './matrices.js';
import {activationOf, addTo, normOf, softmax, turn, turns} from './parts.js';

/** Tokens that pass through the blocks together: so many, and fewer where it takes long and others wait. */
const CHUNK = 32;
const SLOW_CHUNK = 4;
/** Caches of keys and values: so many texts can be followed at once, where memory allows. */
const CACHES = 5;
const CACHE_BYTES = 64_000_000;
/** Normalised queries and keys are lengthened by this much, as in gpt/model.py. */
const QK_GAIN = 1.2;

/**
 * Keys and values of the positions already seen.
 * @typedef {object} Cache
 * @property {number} keys where they begin in memory: (L, H, block_size, D)
 * @property {number} values
 */

/**
 * What looks on while tokens pass.
 * @typedef {object} Look
 * @property {(layer: number, head: number, position: number, weights: Float32Array) => void} [attention] position + 1 weights, which are gone after the call
 * @property {(layer: number, first: number, count: number, stream: Float32Array, width: number) => void} [residual] after the embedding (0) and after each layer, `width` numbers a position, which are gone after the call
 */

/**
 * @param {import('./file.js').WeightsFile} file
 * @param {'wasm' | 'plain'} wanted
 * @param {() => void} [beat] is called after each layer
 */
export function createNetwork({config, tensors}, wanted, beat = () => {}) {
  const {n_embd: C, n_head: H, n_layer: L, block_size: T, vocab_size: V} = config;
  const D = C / H;
  const wide = {C: padded(C), D: padded(D), MLP: padded(4 * C), T: padded(T)};
  const cacheFloats = L * H * wide.T * wide.D;
  const caches = Math.max(1, Math.min(CACHES, Math.floor(CACHE_BYTES / (8 * cacheFloats))));

  // Places in memory, one after the other; the first bytes are for the kernels' check of themselves.
  let end = CHECK_BYTES;
  const room = (/** @type {number} */ bytes) => { const at = end; end += padded(bytes); return at; };
  const matrices = createMatrices(config, tensors, room);
  const place = {
    stream: room(4 * CHUNK * wide.C), normed: room(4 * CHUNK * wide.C), heads: room(4 * CHUNK * wide.C),
    qkv: room(4 * CHUNK * padded(3 * C)), up: room(4 * CHUNK * wide.MLP), out: room(4 * CHUNK * wide.C),
    logits: room(4 * CHUNK * padded(V)), query: room(4 * wide.D), mixed: room(4 * wide.D), scores: room(4 * wide.T),
  };
  /** @type {Cache[]} */ const free = Array.from({length: caches}, () => ({keys: room(4 * cacheFloats), values: room(4 * cacheFloats)}));

  const memory = reserve(end);
  const {kernels, notice} = kernelsFor(memory, wanted);
  const floats = new Float32Array(memory.buffer);
  new Uint8Array(memory.buffer, 0, CHECK_BYTES).fill(0);
  const {multiply} = matrices.into(memory.buffer, kernels);

  // From here on the tensors are in the kernels' memory, but for these.
  const table = tensors['token_embedding.weight'].numbers;
  const positions = tensors['position_embedding.weight']?.numbers;
  const blocks = Array.from({length: L}, (_, l) => ({
    attentionNorm: normOf(config, tensors, `blocks.${l}.attention_norm`), mlpNorm: normOf(config, tensors, `blocks.${l}.mlp_norm`),
    qkv: matrices.of(`blocks.${l}.attention.qkv`), attentionProjection: matrices.of(`blocks.${l}.attention.projection`),
    up: matrices.of(`blocks.${l}.mlp.up`), mlpProjection: matrices.of(`blocks.${l}.mlp.projection`),
  }));
  const embeddingNorm = config.norm === 'rms' ? normOf(config, tensors, '') : null;
  const finalNorm = normOf(config, tensors, 'final_norm');
  const unitNorm = normOf({...config, n_embd: D, norm: 'rms'}, tensors, '');
  const head = matrices.of('head');
  const activate = activationOf(config);
  const rotary = config.position === 'rotary' ? turns(T, D) : null;
  const scale = (config.qk_norm ? QK_GAIN ** 2 : 1) / Math.sqrt(D);

  /** y = matrix x for some tokens. */
  function product(matrix, x, y, count) {
    multiply(matrix, x, y, count);
    if (matrix.bias) for (let t = 0; t < count; t++) addTo(floats, y / 4 + t * (matrix.stride / 4), matrix.bias, 0, matrix.bias.length);
  }

  /** Normed x -> n, for some tokens. */
  function normed(norm, count) {
    for (let t = 0; t < count; t++) norm(floats, place.stream / 4 + t * wide.C, place.normed / 4 + t * wide.C);
  }

  /** What a layer gives back joins the stream. */
  function join(matrix, count) {
    for (let t = 0; t < count; t++) addTo(floats, place.stream / 4 + t * wide.C, floats, place.out / 4 + t * (matrix.stride / 4), C);
  }

  /** Tokens' vectors into the stream. @param {ArrayLike<number>} ids at most `chunk` @param {number} position of the first in the window */
  function embed(ids, position) {
    for (let t = 0; t < ids.length; t++) {
      const at = place.stream / 4 + t * wide.C;
      for (let c = 0; c < C; c++) floats[at + c] = table[ids[t] * C + c];
      if (positions) addTo(floats, at, positions, (position + t) * C, C);
      embeddingNorm?.(floats, at, at);
    }
  }

  /** Keys and values of a layer into the cache, for tokens whose q, k, v lie ready. */
  function remember(cache, l, position, count, stride) {
    for (let t = 0; t < count; t++) {
      const at = place.qkv / 4 + t * stride;
      for (let h = 0; h < H; h++) {
        for (const part of [0, 1]) { // queries stay where they are
          const x = at + part * C + h * D;
          if (config.qk_norm) unitNorm(floats, x, x);
          if (rotary) turn(floats, x, D, rotary, position + t);
        }
        const to = ((l * H + h) * wide.T + position + t) * wide.D;
        floats.copyWithin(cache.keys / 4 + to, at + C + h * D, at + C + (h + 1) * D);
        floats.copyWithin(cache.values / 4 + to, at + 2 * C + h * D, at + 2 * C + (h + 1) * D);
      }
    }
  }

  /** What the heads of a layer bring to some tokens. */
  function attend(cache, l, position, count, stride, silenced, look) {
    for (let t = 0; t < count; t++) {
      const seen = position + t + 1;
      for (let h = 0; h < H; h++) {
        const from = 4 * (l * H + h) * wide.T * wide.D;
        const y = place.heads / 4 + t * wide.C + h * D;
        const silent = silenced !== null && silenced[l * H + h] === 1;
        if (silent) floats.fill(0, y, y + D);
        if (silent && !look?.attention) continue;
        const q = place.qkv / 4 + t * stride + h * D;
        floats.copyWithin(place.query / 4, q, q + D);
        kernels.timesVector(cache.keys + from, place.query, place.scores, Math.ceil(seen / 4) * 4, wide.D);
        softmax(floats, place.scores / 4, seen, scale);
        look?.attention?.(l, h, position + t, floats.subarray(place.scores / 4, place.scores / 4 + seen));
        if (silent) continue;
        kernels.mix(place.scores, cache.values + from, place.mixed, seen, wide.D);
        floats.copyWithin(y, place.mixed / 4, place.mixed / 4 + D);
      }
    }
  }

  /**
   * The tokens in the stream pass through the blocks, and stay in the cache.
   * @param {Cache} cache which holds all tokens before them
   * @param {number} position of the first
   * @param {number} count at most `chunk`
   * @param {{from?: number, silenced?: Uint8Array | null, look?: Look}} [options] from: the first block; silenced: for each layer and head 1 where it brings nothing
   */
  function through(cache, position, count, {from = 0, silenced = null, look} = {}) {
    look?.residual?.(from, position, count, stream(count), wide.C);
    for (let l = from; l < L; l++) {
      const block = blocks[l];
      normed(block.attentionNorm, count);
      product(block.qkv, place.normed, place.qkv, count);
      remember(cache, l, position, count, block.qkv.stride / 4);
      attend(cache, l, position, count, block.qkv.stride / 4, silenced, look);
      product(block.attentionProjection, place.heads, place.out, count);
      join(block.attentionProjection, count);
      normed(block.mlpNorm, count);
      product(block.up, place.normed, place.up, count);
      for (let t = 0; t < count; t++) activate(floats, place.up / 4 + t * wide.MLP, 4 * C);
      product(block.mlpProjection, place.up, place.out, count);
      join(block.mlpProjection, count);
      look?.residual?.(l + 1, position, count, stream(count), wide.C);
      beat();
    }
  }

  /** The stream of some tokens, a view of `width` numbers each. */
  function stream(count) { return floats.subarray(place.stream / 4, place.stream / 4 + count * wide.C); }

  /**
   * What the stream says next: on a middle layer this is the logit lens.
   * @param {number} count of its tokens
   * @param {number} [from] the first that is asked for
   * @returns {Float32Array[]} logits (V,) of each from there on: views, which are gone after the next call
   */
  function unembed(count, from = 0) {
    const asked = count - from;
    for (let t = 0; t < asked; t++) finalNorm(floats, place.stream / 4 + (from + t) * wide.C, place.normed / 4 + t * wide.C);
    product(head, place.normed, place.logits, asked);
    return Array.from({length: asked}, (_, t) => {
      const at = place.logits / 4 + t * (head.stride / 4);
      const logits = floats.subarray(at, at + V);
      const cap = config.logit_cap;
      if (cap) for (let i = 0; i < V; i++) logits[i] = cap * Math.tanh(logits[i] / cap);
      return logits;
    });
  }

  return {
    config, kernels: kernels.way, notice, chunk: kernels.way === 'wasm' ? CHUNK : SLOW_CHUNK, width: wide.C, embed, through, unembed, stream,
    /** A cache that nobody uses; undefined while there is none. */ take: () => free.pop(),
    /** @param {Cache} cache */ give(cache) { free.push(cache); },
  };
}

/** @typedef {ReturnType<typeof createNetwork>} Network */
