/**
 * Logits for the token after a text that grows, under the one window rule: the twin of gpt/generation.py's Reader. Which
 * tokens are read at once and which step by step depends on the length of the text alone. No DOM.
 */
import {halfOf, parameters, windowStart} from './config.js';
import {pass, shared} from './memory.js';

/** How the window of a text of n tokens is read: where each piece ends that is read at once. @param {number} n @param {import('./config.js').Config} config */
export function readAtOnce(n, config) {
  const start = windowStart(n, config.block_size);
  const first = start ? Math.min(start + halfOf(config.block_size), n - 1) : 0;
  const mostSteps = Math.max(32, Math.min(200, Math.floor(2_200_000_000 / parameters(config))));
  const ends = start ? [first] : [];
  for (let end = first + mostSteps; end < n; end += mostSteps) ends.push(end);
  return ends;
}

/**
 * A reader for one text.
 * @param {import('./network.js').Network} network
 * @param {import('./memory.js').Memories} memories
 * @param {Uint8Array | null} silenced for each layer and head 1 where it brings nothing
 */
export function openReader(network, memories, silenced) {
  const {config} = network;
  /** @type {import('./memory.js').Memory | null} */ let memory = null;
  let start = 0;

  return {
    /** Where the window begins of the text that was read last. */
    get start() { return start; },

    /**
     * @param {number[]} ids the text: at least as long as the one before, which it begins with
     * @returns {Generator<any, Float32Array, void>} logits (V,), not to be changed: a function of the ids alone
     */
    *read(ids) {
      start = windowStart(ids.length, config.block_size);
      const window = ids.slice(start);
      if (!memory) {
        memory = yield* memories.claim(`write ${silenced?.join('') ?? ''}`, (one) => use(one, start, window));
      }
      const mine = memory;
      if (mine.more.start !== start) {
        mine.ids.length = 0;
        mine.more = {start, read: 0, logits: null};
      }
      for (const end of readAtOnce(ids.length, config)) {
        const to = end - start;
        if (to <= mine.more.read) continue;
        mine.ids.length = mine.more.read; // a step that was made beyond it counts no more
        mine.more.logits = null;
        yield* pass(network, mine.cache, window.slice(mine.more.read, to), mine.more.read, {silenced});
        mine.ids.push(...window.slice(mine.more.read, to));
        mine.more.read = to;
      }
      while (mine.ids.length < window.length) {
        const id = window[mine.ids.length];
        mine.more.logits = network.step(mine.cache, id, mine.ids.length, silenced);
        mine.ids.push(id);
        if (mine.ids.length < window.length) yield;
      }
      return mine.more.logits;
    },

    /** What was read is kept for whoever goes on. Call it at the end, whatever has happened. */
    close() {
      if (memory) memories.keep(memory);
      memory = null;
    },
  };
}

/** Of use is what a window begins with: there is no way back from a step. */
function use({ids, more}, start, window) {
  if (more.start !== start || shared(ids, window) < ids.length || (ids.length === window.length && !more.logits)) return 0;
  return ids.length;
}
