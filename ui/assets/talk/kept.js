/**
 * The talk of this page: one, whichever tab keeps a view for it or walks it. A view is shown by its tab, which says how
 * (`showsViews`) when it is there: a tab of gradio's is only once it has been open.
 */
import {toFront} from '../common/tabs.js';
import {EMPTY, MAX_VIEWS, add, read, walk, write} from './talk.js';

/** @typedef {import('./talk.js').Talk} Talk */
/** @typedef {import('./talk.js').View} View */

const STORE = 'gl-talk';
/** What stands on each tab. @type {Record<View['tab'], string>} */
const NAMES = {attention: 'Attention', training: 'Training'};

/** @type {{talk: Talk, stored: boolean} | null} */ let held = null;
/** What is to be shown as soon as its tab is there. @type {View | null} */ let waiting = null;
/** @type {Set<() => void>} */ const listeners = new Set();
/** @type {Map<View['tab'], (view: View) => void>} */ const shows = new Map();

/** @returns {Talk} */
export function talkNow() {
  held ??= {talk: stored(), stored: true};
  return held.talk;
}

/** A talk that came with the page; it is not kept in the browser. @param {View[]} views the first of them is what the page opens on */
export function openTalk(views) {
  held = {talk: {views, current: views.length ? 0 : -1}, stored: false};
}

/** @param {() => void} listener called when the talk is another one */
export function onTalk(listener) { listeners.add(listener); }

/** @param {Talk} talk @returns {string} a sentence where the browser does not keep it; else empty */
export function changeTalk(talk) {
  const before = talkNow();
  if (!held || talk === before) return '';
  held.talk = talk;
  const said = held.stored && talk.views !== before.views ? store(talk) : '';
  for (const listener of listeners) listener();
  return said;
}

/** Another view for the talk, after the one that is shown. @param {View} view @returns {{kept: boolean, said: string}} said: what a person should know; often empty */
export function keepView(view) {
  const talk = add(talkNow(), view);
  return talk === talkNow() ? {kept: false, said: `A talk has at most ${MAX_VIEWS} views.`} : {kept: true, said: changeTalk(talk)};
}

/** Show the view that is current in this talk, in its tab. @param {Talk} talk */
export function showTalk(talk) {
  const view = talk.views[talk.current];
  if (!view) return;
  changeTalk(talk);
  if (toFront(NAMES[view.tab])) window.scrollTo(0, 0);
  const show = shows.get(view.tab);
  waiting = show ? null : view;
  show?.(view);
}

/** @param {number} by +1 or -1 */
export function walkTalk(by) { showTalk(walk(talkNow(), by)); }

/** @param {View['tab']} tab @param {(view: View) => void} show how the tab shows a view of its own */
export function showsViews(tab, show) {
  shows.set(tab, show);
  if (waiting?.tab !== tab) return;
  show(waiting);
  waiting = null;
}

/** What a reload brings back. Storage may be refused or full: the talk then lives as long as the page. */
function store(talk) {
  try {
    localStorage.setItem(STORE, write(talk));
    return '';
  } catch {
    return 'This browser does not keep the talk: save it before you leave the page.';
  }
}

function stored() {
  try { return read(localStorage.getItem(STORE) ?? '').talk ?? EMPTY; } catch { return EMPTY; }
}
