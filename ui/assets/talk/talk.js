/** A talk: views of the page's tabs in order, each with a caption. Pure: no DOM. Every function gives a new talk. */
import {MAX_CAPTION, MAX_NAME, packState, readState} from '../attention/state.js';
import {readState as readPlace} from '../training/state.js';

/**
 * @typedef {object} View
 * @property {'attention' | 'training'} tab that shows it
 * @property {Record<string, any>} state of that tab: what attention/state.js packs, or the model and what training/state.js reads
 * @property {string} caption the person's own; empty: the sentence is written from the numbers
 * @property {string} says what that sentence was when the view was kept
 * @property {string} thumb a small PNG of what was on screen as a data: URL; empty when there is none
 */

/** @typedef {{views: View[], current: number}} Talk `current` is -1 while nothing is shown */

export const FORMAT = 'gpt-letter-by-letter talk';
export const VERSION = 1;
export const MAX_BYTES = 4_000_000;
export const MAX_VIEWS = 100;
const MAX_THUMB = 60_000;
const THUMB = /^data:image\/png;base64,[A-Za-z0-9+/]+={0,2}$/;

/** @type {Talk} */
export const EMPTY = {views: [], current: -1};

/** @param {Talk} talk @param {View} view @returns {Talk} with the view after the current one, shown; the same talk when it is full */
export function add(talk, view) {
  if (talk.views.length >= MAX_VIEWS) return talk;
  const at = talk.current < 0 ? talk.views.length : talk.current + 1;
  return {views: [...talk.views.slice(0, at), view, ...talk.views.slice(at)], current: at};
}

/** @param {Talk} talk @param {number} index @returns {Talk} */
export function remove({views, current}, index) {
  const left = views.filter((_, i) => i !== index);
  const now = index < current ? current - 1 : index === current ? -1 : current;
  return {views: left, current: Math.min(now, left.length - 1)};
}

/** @param {Talk} talk @param {number} index @param {number} by places @returns {Talk} the shown view stays shown */
export function move(talk, index, by) {
  const to = index + by;
  if (!talk.views[index] || to < 0 || to >= talk.views.length) return talk;
  const views = [...talk.views];
  views.splice(to, 0, ...views.splice(index, 1));
  const shown = talk.views[talk.current];
  return {views, current: shown ? views.indexOf(shown) : -1};
}

/** @param {Talk} talk @param {number} index @param {string} caption @returns {Talk} */
export function rename(talk, index, caption) {
  const short = caption.replace(/\s+/g, ' ').trim().slice(0, MAX_CAPTION);
  return {...talk, views: talk.views.map((view, i) => (i === index ? {...view, caption: short} : view))};
}

/** @param {Talk} talk @param {number} by +1 or -1 @returns {Talk} the view to show; the ends hold */
export function walk(talk, by) {
  if (!talk.views.length) return talk;
  const to = talk.current < 0 ? (by > 0 ? 0 : talk.views.length - 1) : talk.current + by;
  return {...talk, current: Math.max(0, Math.min(talk.views.length - 1, to))};
}

/** @param {Talk} talk @param {number} index @returns {Talk} */
export function show(talk, index) { return talk.views[index] ? {...talk, current: index} : talk; }

/**
 * @param {View[]} views
 * @returns {{views: View[], said: string}} those of the Attention tab, and in a sentence how many others there are
 */
export function ofAttention(views) {
  const own = views.filter(({tab}) => tab === 'attention');
  const others = views.length - own.length;
  return {views: own, said: others ? `Left out: ${others} ${others === 1 ? 'view' : 'views'} of the Training tab, which this file does not have.` : ''};
}

/** @param {Talk} talk @returns {string} as it is saved */
export function write({views}) {
  return `${JSON.stringify({format: FORMAT, version: VERSION, views}, null, 1)}\n`;
}

/**
 * A talk out of a file, which is untrusted: what does not fit is dropped, and said.
 * @param {string} text
 * @returns {{talk: Talk | null, said: string[]}} no talk when nothing in it is one
 */
export function read(text) {
  if (text.length > MAX_BYTES) return {talk: null, said: [`A talk of more than ${MAX_BYTES / 1e6} MB, the limit of this page.`]};
  let found;
  try { found = JSON.parse(text); } catch { return {talk: null, said: ['This file is no talk: it is not JSON.']}; }
  if (found?.format !== FORMAT || !Array.isArray(found.views)) return {talk: null, said: ['This file is no talk of this page.']};
  if (found.version !== VERSION) return {talk: null, said: [`This talk is of version ${String(found.version).slice(0, 20)}; this page reads version ${VERSION}.`]};
  /** @type {string[]} */ const said = [];
  /** @type {View[]} */ const views = [];
  found.views.slice(0, MAX_VIEWS).forEach((view, i) => {
    const {read: one, dropped} = readView(view);
    if (one) views.push(one);
    if (dropped.length) said.push(`View ${i + 1}: left out ${dropped.join(', ')}.`);
  });
  if (found.views.length > MAX_VIEWS) said.push(`A talk has at most ${MAX_VIEWS} views; ${found.views.length - MAX_VIEWS} were left out.`);
  return {talk: {views, current: -1}, said};
}

/**
 * What a tab takes of a state out of a file; without one what is dropped says why.
 * @type {Record<string, (found: any) => {state: Record<string, any> | null, dropped: string[]}>}
 */
const READERS = {
  attention(found) {
    const {state, dropped} = readState(found);
    return state.text ? {state: packState({...state, caption: ''}), dropped} : {state: null, dropped: ['the view, which has no text']};
  },
  training(found) {
    const {state, dropped} = readPlace(found);
    if (state.step === undefined) return {state: null, dropped: ['the view, which has no step']};
    const {model} = found;
    if (model === undefined) return {state, dropped};
    const fits = typeof model === 'string' && model.length <= MAX_NAME;
    return fits ? {state: {model, ...state}, dropped} : {state, dropped: [...dropped, 'model']};
  },
};

/** @returns {{read: View | null, dropped: string[]}} */
function readView(view) {
  if (typeof view?.state !== 'object' || view.state === null) return {read: null, dropped: ['the view, which has no state']};
  const {tab = 'attention'} = view; // there was a time when a talk was of that tab alone
  if (typeof tab !== 'string' || !Object.hasOwn(READERS, tab)) return {read: null, dropped: ['the view, which is of no tab that a talk shows']};
  const {state, dropped} = READERS[tab](view.state);
  if (!state) return {read: null, dropped};
  const text = (name) => {
    const value = view[name] ?? '';
    if (typeof value === 'string' && value.length <= MAX_CAPTION) return value;
    dropped.push(`its ${name}`);
    return '';
  };
  const caption = text('caption');
  const says = text('says');
  const thumb = typeof view.thumb === 'string' && view.thumb.length <= MAX_THUMB && THUMB.test(view.thumb) ? view.thumb : '';
  if (view.thumb && !thumb) dropped.push('its picture');
  return {read: {tab: /** @type {View['tab']} */ (tab), state, caption, says, thumb}, dropped};
}
