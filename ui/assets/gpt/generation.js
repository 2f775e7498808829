/** A prompt to a stream of tokens: the twin of gpt/generation.py, which says what each is. No DOM. */
import {Refused} from '../common/ask.js';
import {PLAIN} from '../common/settings.js';
import {draw, entropy, probabilities, u} from '../sampling.js';
import {openReader} from './reader.js';

/** @typedef {Partial<import('../common/settings.js').Settings>} Settings */
/** @typedef {import('./model.js').Parts} Parts */

/** How many of the most probable tokens a Token names. */
export const ALTERNATIVES = 5;

/**
 * One token written, and what the model thought of it: the fields of gpt.Token.
 * @typedef {object} Token
 * @property {number} id
 * @property {string} text
 * @property {number} position in the whole text, prompt included, from 0
 * @property {number} window_start the model saw the tokens from here up to its position
 * @property {number} probability under the model, at temperature 1
 * @property {number} sampled_probability under the settings
 * @property {number} entropy in bits
 * @property {{id: number, text: string, probability: number}[]} alternatives best first
 */

/**
 * Write on from a prompt: tokens are yielded as they come, and pauses between.
 * @param {Parts} parts
 * @param {number[]} prompt at least one token
 * @param {Settings} settings
 * @param {{count: number, seed: number, silenced?: Uint8Array | null}} order
 * @returns {Generator<Token | undefined, void, void>}
 */
export function* generate({network, memories, tokenizer}, prompt, settings, {count, seed, silenced = null}) {
  const ids = prompt.slice();
  const reader = openReader(network, memories, silenced);
  try {
    for (const last = ids.length + count; ids.length < last;) {
      const logits = yield* quiet(reader.read(ids));
      const p = checked(logits);
      const sampled = probabilities(logits, settings, ids);
      const position = ids.length;
      const id = draw(sampled, u(seed, position));
      ids.push(id);
      yield {
        id, text: tokenizer.characters[id], position, window_start: reader.start, probability: p[id], sampled_probability: sampled[id],
        entropy: entropy(p), alternatives: mostProbable(p, ALTERNATIVES).map((other) => ({id: other, text: tokenizer.characters[other], probability: p[other]})),
      };
    }
  } finally {
    reader.close();
  }
}

/** The pauses of some work, without what it tells of itself. @template R @param {Generator<any, R, void>} task @returns {Generator<undefined, R, void>} */
export function* quiet(task) {
  try {
    for (;;) {
      const {done, value} = task.next();
      if (done) return value;
      yield;
    }
  } finally {
    task.return(/** @type {any} */ (undefined));
  }
}

/**
 * What the model would say next, before and after the settings.
 * @param {Parts} parts
 * @param {number[]} ids of any length
 * @param {Settings} settings
 * @returns {Generator<undefined, {tokens: number[], position: number, window_start: number, logits: Float32Array, before: Float64Array, after: Float64Array}, void>}
 */
export function* nextDistribution({network, memories}, ids, settings) {
  const reader = openReader(network, memories, null);
  try {
    const logits = yield* quiet(reader.read(ids));
    return {tokens: ids, position: ids.length, window_start: reader.start, logits: logits.slice(), before: checked(logits), after: probabilities(logits, settings, ids)};
  } finally {
    reader.close();
  }
}

/** The model's own distribution. @param {ArrayLike<number>} logits @throws {Refused} a logit is not finite */
export function checked(logits) {
  for (let i = 0; i < logits.length; i++) {
    if (!Number.isFinite(logits[i])) throw new Refused("logits: not all are finite; the model's weights are out of any useful range");
  }
  return probabilities(logits, PLAIN);
}

/** Ids of the k largest, best first; the smaller id wins a tie. @param {ArrayLike<number>} p @param {number} k @returns {number[]} */
export function mostProbable(p, k) {
  /** @type {number[]} */ const best = [];
  for (let id = 0; id < p.length; id++) {
    if (best.length === k && p[id] <= p[best[k - 1]]) continue;
    let at = best.length;
    while (at > 0 && p[best[at - 1]] < p[id]) at--;
    best.splice(at, 0, id);
    if (best.length > k) best.pop();
  }
  return best;
}
