/** How surprised the model was by each token of a text: the twin of gpt/scoring.py. No DOM. */
import {windowStart} from './config.js';
import {ALTERNATIVES, mostProbable} from './generation.js';
import {logProbabilities} from './looking.js';
import {pass} from './memory.js';

/**
 * One token that stands in a text, and what the model thought of it.
 * @typedef {object} Scored
 * @property {number} probability at temperature 1
 * @property {number} bits its surprisal
 * @property {number} rank 1 is the likeliest; of equally likely ones the smaller id comes first
 * @property {number} entropy of the model's distribution, in bits
 * @property {[number, number][]} alternatives ids and probabilities of the likeliest, best first
 */

/**
 * @param {import('./model.js').Parts} parts
 * @param {number[]} ids the whole text
 * @param {number} first score from this position on, at least 1
 * @param {number} last up to before this one
 * @returns {Generator<{done: number, total: number}, Scored[], void>}
 */
export function* score({network, memories}, ids, first, last) {
  const {block_size: T, vocab_size: V} = network.config;
  /** @type {Scored[]} */ const scored = [];
  for (let n = first; n < last;) {
    const start = windowStart(n, T);
    const end = Math.min(start + T + 1, last); // the longest text with this window has block_size tokens
    const from = n;
    const judge = (layer, at, count) => {
      if (layer !== network.config.n_layer || start + at + count < from) return;
      network.unembed(count).forEach((logits, t) => {
        const position = start + at + t + 1;
        if (position >= from) scored.push(judged(logits, ids[position], V));
      });
    };
    const memory = yield* memories.claim('', [], 0);
    try {
      const windows = pass(network, memory, ids.slice(start, end - 1), {look: {residual: judge}});
      for (const _ of windows) yield {done: scored.length, total: last - first};
    } finally {
      network.give(memory.cache);
    }
    n = end;
  }
  return scored;
}

function judged(logits, id, V) {
  const logs = logProbabilities(logits);
  const p = logs.map(Math.exp);
  let rank = 1;
  let bits = 0;
  for (let other = 0; other < V; other++) {
    if (p[other] > p[id] || (p[other] === p[id] && other < id)) rank++;
    if (p[other] > 0) bits -= p[other] * logs[other];
  }
  return {
    probability: p[id], bits: Math.abs(logs[id]) / Math.LN2, rank, entropy: bits / Math.LN2,
    alternatives: mostProbable(p, ALTERNATIVES).map((other) => /** @type {[number, number]} */ ([other, p[other]])),
  };
}
