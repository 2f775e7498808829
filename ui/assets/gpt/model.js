/** A model out of a file of weights, in this thread. gpt.js is the front door. No DOM. */
import {Refused} from '../common/ask.js';
import {parameters} from './config.js';
import {readFile} from './file.js';
import {generate, nextDistribution} from './generation.js';
import {headEffects, headsMask, trace} from './looking.js';
import {createMemories} from './memory.js';
import {createNetwork} from './network.js';
import {score} from './scoring.js';

/** @typedef {import('./generation.js').Settings} Settings */
/** @typedef {[number, number][]} Heads (layer, head) pairs */

/**
 * What a model is, for the page; it can be sent from thread to thread.
 * @typedef {object} About
 * @property {string} id of the checkpoint
 * @property {'int8' | 'float32'} weights
 * @property {import('./config.js').Config} config
 * @property {number} parameters
 * @property {string[]} characters the alphabet, by id
 * @property {any[][]} roles of the heads, as a trace has them
 * @property {Record<string, string>} scores what each score of a role is called
 * @property {Record<string, any>} training training.json, or empty
 * @property {string} card the model's card, or nothing
 * @property {'wasm' | 'plain'} kernels
 * @property {string} notice why the kernels are the slow ones; empty where they are not
 */

/**
 * What the modules beside this one work with.
 * @typedef {object} Parts
 * @property {import('./network.js').Network} network
 * @property {import('./memory.js').Memories} memories
 * @property {import('./tokenizer.js').Tokenizer} tokenizer
 */

/**
 * @param {ArrayBuffer | Uint8Array} bytes a file of weights
 * @param {{kernels?: 'wasm' | 'plain', beat?: () => void}} [options] beat: is called after each layer that some tokens have passed
 * @throws {Refused} what is wrong with the file, in one sentence
 */
export function load(bytes, {kernels = 'wasm', beat} = {}) {
  const file = readFile(bytes instanceof Uint8Array ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) : new Uint8Array(bytes));
  const {id, weights, config, tokenizer, roles, scores, training, card} = file;
  const network = createNetwork(file, kernels, beat);
  /** @type {Parts} */ const parts = {network, memories: createMemories(network), tokenizer};
  /** @type {About} */ const about = {
    id, weights, config, parameters: parameters(config), characters: tokenizer.characters, roles, scores, training, card, kernels: network.kernels, notice: network.notice,
  };

  /** @param {string | number[]} text @returns {number[]} ids */
  function encode(text) {
    const ids = typeof text === 'string' ? tokenizer.encode(text) : text.slice();
    for (const token of ids) {
      if (!Number.isInteger(token) || token < 0 || token >= config.vocab_size) throw new Refused(`text: ${token} is no token of this model, which has ${config.vocab_size.toLocaleString('en')}`);
    }
    return ids;
  }

  /** An empty prompt is a line break, or what stands for it. */
  function prompted(prompt) {
    const ids = encode(prompt || tokenizer.fold('\n').text);
    return ids.length ? ids : [0];
  }

  /** Tokens that can be read at once. */
  function windowed(text) {
    const ids = encode(text);
    if (!ids.length) throw new Refused('text: empty; give at least one character');
    if (ids.length > config.block_size) throw new Refused(`text: ${ids.length} tokens; the window of this model is ${config.block_size}`);
    return ids;
  }

  return {
    about, parts, encode,
    /** Write on: a generator of tokens, and of nothing where it pauses. @param {string | number[]} prompt @param {Settings} settings @param {{count: number, seed: number, silenced?: Heads}} order */
    generate: (prompt, settings, {count, seed, silenced = []}) => generate(parts, prompted(prompt), settings, {count, seed, silenced: headsMask(config, silenced)}),
    /** @param {string | number[]} prompt @param {Settings} [settings] */
    next: (prompt, settings = {}) => nextDistribution(parts, prompted(prompt), settings),
    /** @param {string | number[]} text @param {{silenced?: Heads}} [options] */
    trace: (text, {silenced = []} = {}) => trace(parts, windowed(text), headsMask(config, silenced)),
    /** @param {string | number[]} text @param {{silenced?: Heads}} [options] */
    headEffects: (text, {silenced = []} = {}) => headEffects(parts, windowed(text), headsMask(config, silenced)),
    /** @param {string | number[]} text @param {{first?: number, last?: number}} [options] */
    score(text, {first = 1, last} = {}) {
      const ids = encode(text);
      return score(parts, ids, first, last ?? ids.length);
    },
  };
}

/** @typedef {ReturnType<typeof load>} Model */
