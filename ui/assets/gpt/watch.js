/**
 * Whether a worker still lives while it owes an answer: it is asked for a word, which it gives between two steps of its work,
 * and between two layers of a long one (serving.js). What is counted is ticks of the page, no time: who sleeps with the
 * whole device has not gone. Pure.
 */

/** Milliseconds of a tick. */
export const TICK_MS = 1000;
/** So many ticks without a word, and it is gone. A layer of a light model takes one at most, even where JavaScript is not compiled. */
const PATIENCE = 10;
/** Bytes of a light model's file; of a larger one a step takes longer, and so does reading it. */
const LIGHT = 5_000_000;
/** Or so many times as long as it was silent before and then spoke: it is slow. */
const LONGER = 3;

/** @param {number} bytes of its model's file */
export function createWatch(bytes) {
  const patience = PATIENCE * Math.max(1, bytes / LIGHT);
  let silent = 0;
  let longest = 0;
  let asked = false;

  return {
    /** It has said something. */
    hear() {
      longest = Math.max(longest, silent);
      silent = 0;
      asked = false;
    },

    /** It owes nothing from here until the next tick. */
    rest() { silent = 0; },

    /** A tick has passed. @returns {'ask' | 'wait' | 'gone'} what is to be done: ask it for a word; wait for that; give it up */
    tick() {
      silent++;
      if (silent >= Math.max(patience, LONGER * longest)) return 'gone';
      if (asked) return 'wait';
      asked = true;
      return 'ask';
    },
  };
}

/** @typedef {ReturnType<typeof createWatch>} Watch */
