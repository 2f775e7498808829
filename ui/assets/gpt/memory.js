/**
 * What was read is kept for a while: a question about a text that begins like an earlier one reads the rest alone. No DOM.
 */

/** Texts that are kept. */
const KEPT = 3;

/**
 * @typedef {object} Memory
 * @property {string} kind memories of one kind may stand for each other
 * @property {import('./network.js').Cache} cache
 * @property {number[]} ids that it holds, of one window
 * @property {number[]} losses in nats, of each token but the first, where somebody wrote them down
 */

/** @param {import('./network.js').Network} network */
export function createMemories(network) {
  /** Nobody uses these now; the one used last is the last. @type {Memory[]} */ let kept = [];

  function forget() {
    const oldest = kept.shift();
    if (oldest) network.give(oldest.cache);
    return oldest !== undefined;
  }

  return {
    /**
     * A memory that holds as much of the beginning of a window as is known, and nothing else. It is the caller's own until
     * it is kept again.
     * @param {string} kind
     * @param {number[]} window
     * @param {number} most tokens that it may hold
     * @returns {Generator<void, Memory, void>} yields while all are in use
     */
    *claim(kind, window, most) {
      const known = kept.filter((one) => one.kind === kind).map((one) => ({one, use: Math.min(shared(one.ids, window), most)}));
      const best = known.sort((a, b) => b.use - a.use)[0];
      if (best && best.use > best.one.ids.length / 2) { // or it is another text, and its memory stays for that
        kept = kept.filter((one) => one !== best.one);
        best.one.ids.length = best.use;
        best.one.losses.length = Math.min(best.one.losses.length, best.use);
        return best.one;
      }
      for (;;) {
        const cache = network.take();
        if (cache) return {kind, cache, ids: [], losses: []};
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

/** How many of the first tokens two texts share. */
function shared(a, b) {
  let n = 0;
  while (n < a.length && n < b.length && a[n] === b[n]) n++;
  return n;
}

/**
 * What a window has beyond a memory passes through the model, some tokens at a time, and is then known.
 * @param {import('./network.js').Network} network
 * @param {Memory} memory
 * @param {number[]} window which begins with what the memory holds
 * @param {{silenced?: Uint8Array | null, look?: import('./network.js').Look}} options
 * @returns {Generator<{done: number, total: number}, number, void>} how many tokens lie in the network's stream at the end
 */
export function* pass(network, memory, window, options) {
  for (;;) {
    const position = memory.ids.length;
    const piece = window.slice(position, position + network.chunk);
    network.embed(piece, position);
    network.through(memory.cache, position, piece.length, options);
    memory.ids.push(...piece);
    if (memory.ids.length === window.length) return piece.length;
    yield {done: memory.ids.length, total: window.length};
  }
}
