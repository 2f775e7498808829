/** What the Sampling tab shows, as one plain object: it goes into the link. Pure: no DOM. */
import {USUAL, pick, readSettings} from '../common/settings.js';

/** @typedef {import('../common/settings.js').Settings} Settings */

/**
 * @typedef {object} State
 * @property {string} model name
 * @property {string} text up to where the next character is drawn
 * @property {Settings} settings
 * @property {number} seed
 * @property {Settings[]} lanes settings that write side by side
 * @property {number} [written] tokens that each of them has written from this text; only in a link
 */

/** @type {State} */
export const START = {model: '', text: '', settings: {...USUAL}, seed: 11, lanes: []};

/** As ui/limits.py has it. */
export const MAX_TEXT = 20_000;
export const MAX_LANES = 4;
export const MAX_LANE_TOKENS = 960;

/**
 * A state out of what a link holds: what is not as it should be is dropped, and named.
 * @param {any} found
 * @returns {{state: Partial<State>, dropped: string[]}} only what was there
 */
export function readState(found) {
  /** @type {Partial<State>} */ const state = {};
  /** @type {string[]} */ const dropped = [];
  if (typeof found !== 'object' || found === null || Array.isArray(found)) return {state, dropped: ['everything']};
  const checks = {
    model: (v) => typeof v === 'string' && v.length <= 100,
    text: (v) => typeof v === 'string' && v.length <= MAX_TEXT,
    settings: (v) => readSettings(v) !== null,
    seed: (v) => Number.isSafeInteger(v) && v >= 0,
    written: (v) => Number.isInteger(v) && v >= 0 && v <= MAX_LANE_TOKENS,
    lanes: (v) => Array.isArray(v) && v.length <= MAX_LANES && v.every((lane) => readSettings(lane) !== null),
  };
  for (const [name, fits] of Object.entries(checks)) {
    if (!(name in found)) continue;
    if (fits(found[name])) state[name] = structuredClone(found[name]);
    else dropped.push(name);
  }
  if (state.settings) state.settings = pick(/** @type {Settings} */ (readSettings(state.settings)));
  if (state.lanes) state.lanes = state.lanes.map((lane) => pick(/** @type {Settings} */ (readSettings(lane))));
  return {state, dropped};
}

/** @param {State} state @returns {object} what its link holds */
export function linkState({model, text, settings, seed, lanes, written = 0}) {
  const side = {...(lanes.length ? {lanes} : {}), ...(written ? {written: Math.min(written, MAX_LANE_TOKENS)} : {})};
  return {tab: 'sampling', model, sampling: {text, settings, seed, ...side}};
}
