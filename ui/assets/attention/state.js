/** The state of the explorer: one plain object that all views show. It goes into links, talks and exports. No DOM. */
import {USUAL, readSettings} from '../common/settings.js';

/**
 * @typedef {object} State
 * @property {string} model name
 * @property {string} text as typed
 * @property {[number, number][]} silenced (layer, head) pairs
 * @property {number} layer
 * @property {number} head
 * @property {number | null} pin the position, counted in the whole text, that is looked at; null: the last one
 * @property {'map' | 'arcs' | 'row' | 'lens'} view
 * @property {import('../common/scales.js').ScaleName} scale
 * @property {import('../common/colours.js').MapName} colours
 * @property {boolean} hideFirst
 * @property {'head' | 'layer' | 'all' | 'rollout'} average
 * @property {'none' | 'text' | 'silenced'} difference whose maps are taken from those of this text: the second text's, or those with no head silenced
 * @property {number} seed
 * @property {import('../common/settings.js').Settings} settings of what is written
 * @property {string} second another text to compare with; empty when there is none
 * @property {string} caption the sentence of a person's own; empty for the one written from the numbers
 */

/** @type {State} */
export const START = {
  model: '', text: '', silenced: [], layer: 0, head: 0, pin: null, view: 'map', scale: 'sqrt', colours: 'ink',
  hideFirst: false, average: 'head', difference: 'none', seed: 11, settings: {...USUAL}, second: '', caption: '',
};

export const MAX_TEXT = 20_000;
export const MAX_CAPTION = 400;
/** Of a model's name. */
export const MAX_NAME = 100;
const CHOICES = {
  view: ['map', 'arcs', 'row', 'lens'],
  scale: ['sqrt', 'linear', 'log', 'row'],
  colours: ['ink', 'cividis', 'viridis', 'magma'],
  average: ['head', 'layer', 'all', 'rollout'],
  difference: ['none', 'text', 'silenced'],
};

/** @param {State} state @returns {State['difference']} the one that is wished for, if there is anything to take it from */
export function differenceOf({difference, second, silenced}) {
  return (difference === 'text' && second === '') || (difference === 'silenced' && !silenced.length) ? 'none' : difference;
}

/**
 * A state out of what a link, a file or a page holds: what is not as it should be is dropped, and named.
 * @param {any} found
 * @returns {{state: State, dropped: string[]}}
 */
export function readState(found) {
  const state = structuredClone(START);
  /** @type {string[]} */ const dropped = [];
  if (typeof found !== 'object' || found === null || Array.isArray(found)) return {state, dropped: ['everything']};
  const whole = (value, most) => Number.isInteger(value) && value >= 0 && value <= most;
  const checks = {
    model: (v) => typeof v === 'string' && v.length <= MAX_NAME,
    text: (v) => typeof v === 'string' && v.length <= MAX_TEXT,
    second: (v) => typeof v === 'string' && v.length <= MAX_TEXT,
    caption: (v) => typeof v === 'string' && v.length <= MAX_CAPTION,
    layer: (v) => whole(v, 999),
    head: (v) => whole(v, 999),
    seed: (v) => whole(v, Number.MAX_SAFE_INTEGER),
    pin: (v) => v === null || whole(v, MAX_TEXT),
    hideFirst: (v) => typeof v === 'boolean',
    silenced: (v) => Array.isArray(v) && v.length <= 1000 && v.every((pair) => Array.isArray(pair) && pair.length === 2 && pair.every((n) => whole(n, 999))),
    settings: (v) => readSettings(v) !== null,
    ...Object.fromEntries(Object.entries(CHOICES).map(([name, values]) => [name, (v) => values.includes(v)])),
  };
  for (const [name, fits] of Object.entries(checks)) {
    if (!(name in found)) continue;
    if (fits(found[name])) state[name] = structuredClone(found[name]);
    else dropped.push(name);
  }
  state.silenced = state.silenced.filter(([l, h], i, all) => all.findIndex((pair) => pair[0] === l && pair[1] === h) === i);
  state.settings = /** @type {import('../common/settings.js').Settings} */ (readSettings(state.settings));
  return {state, dropped};
}

/**
 * The state, with what this model does not have dropped, and named.
 * @param {State} state
 * @param {{layers: number, heads: number, start: number, tokens: number}} trace
 * @returns {{state: State, dropped: string[]}}
 */
export function fit(state, {layers, heads, start, tokens}) {
  /** @type {string[]} */ const dropped = [];
  const there = ([l, h]) => l < layers && h < heads;
  const fitted = {...state};
  if (!there([state.layer, state.head])) {
    dropped.push(`head ${state.layer}.${state.head}`);
    fitted.layer = 0;
    fitted.head = 0;
  }
  if (!state.silenced.every(there)) {
    dropped.push('silenced heads that this model does not have');
    fitted.silenced = state.silenced.filter(there);
  }
  if (state.pin !== null && (state.pin < start || state.pin >= start + tokens)) {
    dropped.push(`the pin at ${state.pin}`);
    fitted.pin = null;
  }
  return {state: fitted, dropped};
}

/** @param {State} state @returns {Partial<State>} what differs from the start: the rest need not stand in a link */
export function packState(state) {
  return Object.fromEntries(Object.entries(state).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(START[name])));
}

/** @param {State} state @returns {object} what its link holds */
export function linkState(state) {
  return {tab: 'attention', model: state.model, attention: packState(state)};
}
