/** Logits for the token after a text that grows, under the one window rule: the twin of gpt/generation.py's Reader. No DOM. */
import {windowStart} from './config.js';
import {pass} from './memory.js';

/**
 * A reader for one text.
 * @param {import('./network.js').Network} network
 * @param {import('./memory.js').Memories} memories
 * @param {Uint8Array | null} silenced for each layer and head 1 where it brings nothing
 */
export function openReader(network, memories, silenced) {
  /** @type {import('./memory.js').Memory | null} */ let memory = null;
  let start = 0;

  /** What was read is kept for whoever goes on. Call it at the end, whatever has happened. */
  function close() {
    if (memory) memories.keep(memory);
    memory = null;
  }

  return {
    /** Where the window begins of the text that was read last. */
    get start() { return start; },

    /**
     * @param {number[]} ids the text
     * @returns {Generator<any, Float32Array, void>} logits (V,), the caller's own
     */
    *read(ids) {
      const moved = windowStart(ids.length, network.config.block_size);
      if (moved !== start) close();
      start = moved;
      const window = start ? ids.slice(start) : ids;
      memory ??= yield* memories.claim(`write ${silenced ?? ''}`, window, window.length - 1);
      const count = yield* pass(network, memory, window, {silenced});
      return network.unembed(count, count - 1)[0].slice();
    },

    close,
  };
}
