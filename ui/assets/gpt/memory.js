/**
 * What was read is kept for a while: a question that goes on where an earlier one ended reads the new tokens only. No DOM.
 */
import {CHUNK} from './network.js';

/** Texts that are kept. */
const KEPT = 3;

/**
 * @typedef {object} Memory
 * @property {string} kind memories of one kind may stand for each other
 * @property {import('./network.js').Cache} cache
 * @property {number[]} ids that were read
 * @property {Record<string, any>} more what else is known of them
 */

/** @param {import('./network.js').Network} network */
export function createMemories(network) {
  /** Nobody uses these now; the one used last is the last. @type {Memory[]} */ const kept = [];

  function forget() {
    const oldest = kept.shift();
    if (oldest) network.give(oldest.cache);
    return oldest !== undefined;
  }

  return {
    /**
     * The memory of use for a text, or an empty one. It is the caller's own until it is kept again.
     * @param {string} kind
     * @param {(memory: Memory) => number} use how many tokens of a memory are of use, 0 or less for none
     * @returns {Generator<void, Memory, void>} yields while all are in use
     */
    *claim(kind, use) {
      const best = kept.filter((one) => one.kind === kind).map((one) => ({one, use: use(one)})).sort((a, b) => b.use - a.use)[0];
      if (best?.use > 0) {
        kept.splice(kept.indexOf(best.one), 1);
        return best.one;
      }
      for (;;) {
        const cache = network.take();
        if (cache) return {kind, cache, ids: [], more: {}};
        if (!forget()) yield;
      }
    },

    /** @param {Memory} memory */
    keep(memory) {
      kept.push(memory);
      if (kept.length > KEPT) forget();
    },
  };
}

/** @typedef {ReturnType<typeof createMemories>} Memories */

/** How many of the first tokens two texts share. @param {ArrayLike<number>} a @param {ArrayLike<number>} b */
export function shared(a, b) {
  let n = 0;
  while (n < a.length && n < b.length && a[n] === b[n]) n++;
  return n;
}

/**
 * Tokens pass through the model, some at a time.
 * @param {import('./network.js').Network} network
 * @param {import('./network.js').Cache} cache which holds those before
 * @param {number[]} ids
 * @param {number} position of the first in the window
 * @param {{silenced?: Uint8Array | null, look?: import('./network.js').Look}} options
 * @returns {Generator<{done: number, total: number}, void, void>}
 */
export function* pass(network, cache, ids, position, options) {
  for (let first = 0; first < ids.length; first += CHUNK) {
    const piece = ids.slice(first, first + CHUNK);
    network.embed(piece, position + first);
    network.through(cache, position + first, piece.length, options);
    yield {done: first + piece.length, total: ids.length};
  }
}
