/** The numbers of what is on screen, computed once for each state of it. No DOM. */
import {draw, u} from '../sampling.js';
import {believe, leave, tally, thousand} from './numbers.js';
import {previousAt} from './path.js';

/**
 * @typedef {object} Seen
 * @property {Float32Array} logits at this position
 * @property {import('./numbers.js').Belief} belief
 * @property {import('./numbers.js').Left} left
 * @property {number} n the position, counted from the beginning of the text
 * @property {number} number u(seed, n)
 * @property {number} drawn id on which it falls
 */

/** @param {import('./lab.js').Lab} lab */
export function createSeen(lab) {
  const belief = kept(believe);
  const left = kept((logits, settings, path, at) => leave(logits, belief(logits), settings, previousAt(path, at)));
  const random = kept(thousand);

  const seen = {
    /** @returns {Seen | null} null before there is anything */
    numbers() {
      const {path, at, state: {settings, seed}} = lab;
      if (!path) return null;
      const logits = path.logits[at];
      const n = path.n + at;
      const number = u(seed, n);
      const now = left(logits, settings, path, at);
      return {logits, belief: belief(logits), left: now, n, number, drawn: draw(now.p, number)};
    },

    /** @returns {Int32Array | null} for each id */
    rolls() {
      const now = lab.thousand ? seen.numbers() : null;
      return now && tally(now.left.p, random(lab.state.seed, now.n));
    },
  };
  return seen;
}

/**
 * A function that remembers its last result.
 * @template {unknown[]} A
 * @template R
 * @param {(...values: A) => R} work
 * @returns {(...values: A) => R}
 */
function kept(work) {
  /** @type {A | null} */ let last = null;
  /** @type {R} */ let result;
  return (...values) => {
    if (!last || values.some((value, i) => value !== /** @type {A} */ (last)[i])) {
      result = work(...values);
      last = values;
    }
    return result;
  };
}
