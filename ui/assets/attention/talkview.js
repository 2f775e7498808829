/** "Your talk": the views that were kept, as a row of cards; walked with PageDown and PageUp. */
import {make} from '../dom.js';
import {viewOf} from './bundle.js';
import {saveText} from '../common/download.js';
import {toDataURL} from './figurecanvas.js';
import {fileName} from './numbers.js';
import {capacityFor, paint, paintPooled} from './raster.js';
import {sentenceOf} from './sentence.js';
import {MAX_CAPTION} from './state.js';
import {EMPTY, MAX_BYTES, MAX_VIEWS, add, move, read, remove, rename, show, walk, write} from './talk.js';
import {canMake, makePage} from './whole.js';

const STORE = 'gl-talk';
const THUMB = 110;

/** @typedef {import('./app.js').App} App */
/** @typedef {import('./talk.js').Talk} Talk */

/** One talk an application: the section and the keys act on the same. @type {WeakMap<App, {talk: Talk, kept: boolean}>} */
const talks = new WeakMap();

/** A talk that came with the file; it is not kept in the browser. @param {App} app @param {import('./talk.js').View[]} views */
export function openTalk(app, views) {
  talks.set(app, {talk: {views, current: views.length ? 0 : -1}, kept: false});
}

/**
 * What keys do with the talk.
 * @param {App} app
 */
export function talkActions(app) {
  return {
    /** The view on screen joins the talk. */
    keep() {
      if (!app.trace) return;
      const before = talkOf(app);
      const talk = add(before, {...viewOf(app), says: sentenceOf(app).map(({text}) => text).join('').slice(0, MAX_CAPTION), thumb: thumbOf(app)});
      if (talk === before) { app.notes = [`A talk has at most ${MAX_VIEWS} views.`]; app.touch('notes'); }
      change(app, talk);
    },
    next() { go(app, walk(talkOf(app), 1)); },
    previous() { go(app, walk(talkOf(app), -1)); },
    get count() { return talkOf(app).views.length; },
    /** Which is shown, counted from 0; -1 for none. */
    get current() { return talkOf(app).current; },
  };
}

/** @param {App} app @param {HTMLElement} element @param {{restore: (state: any) => Promise<void> | void}} actions */
export function mount(app, element, {restore}) {
  restores.set(app, restore);
  const says = make('span', {class: 'ge-aside', role: 'status'});
  const file = /** @type {HTMLInputElement} */ (make('input', {type: 'file', accept: '.json,application/json', hidden: true, 'aria-label': 'A saved talk', on: {change: load}}));
  const save = button('Save', () => say(`Saved ${saveText(write(talkOf(app)), fileName(['talk', app.state.model], 'json'), 'application/json')}`));
  const opener = button('Load', () => file.click());
  const page = button('One offline page', toPage);
  const cards = make('ol', {class: 'ge-cards'});
  const question = make('div', {class: 'ge-talk-question', role: 'group', 'aria-label': 'The talk that was loaded', hidden: true, on: {keydown: (event) => {
    if (event.key !== 'Escape') return;
    event.preventDefault(); // Escape also drops the pin, but not while it answers this
    answer('Your talk is as it was.');
  }}});
  const empty = make('p', {class: 'ge-talk-empty gl-serif'}, '“Keep this view” puts what is on screen here, with a caption; PageDown and PageUp, or a clicker, then walk from one to the next.');
  element.append(
    make('div', {class: 'ge-talk-head'}, make('h2', {class: 'ge-heading'}, 'Your talk ', says),
      make('div', {class: 'ge-talk-buttons'}, save, opener, ...(app.source.live && canMake() ? [page] : []), file)),
    question, empty, cards);

  function draw() {
    const {views, current} = talkOf(app);
    empty.hidden = views.length > 0;
    cards.hidden = views.length === 0;
    /** @type {HTMLButtonElement} */ (save).disabled = /** @type {HTMLButtonElement} */ (page).disabled = views.length === 0;
    cards.replaceChildren(...views.map((view, i) => card(view, i, i === current, views.length)));
    if (!says.dataset.told) says.textContent = views.length ? 'PageDown and PageUp walk it' : '';
  }

  function card(view, i, shown, count) {
    const words = view.caption || view.says;
    const picture = make('button', {class: 'ge-card-open', type: 'button', 'aria-label': `Show view ${i + 1}: ${words}`, on: {click: () => go(app, show(talkOf(app), i))}},
      ...(view.thumb ? [make('img', {src: view.thumb, alt: '', width: THUMB, height: THUMB})] : [make('span', {class: 'ge-card-blank'})]));
    const caption = /** @type {HTMLTextAreaElement} */ (make('textarea', {class: 'ge-caption gl-serif', rows: 1, maxLength: MAX_CAPTION, value: words, 'aria-label': `Caption of view ${i + 1}`, on: {
      keydown: (event) => { if (event.key === 'Enter' || event.key === 'Escape') { event.preventDefault(); caption.blur(); } },
      change: () => recaption(i, caption.value),
    }}));
    const quiet = (words_, label, act, off = false) => make('button', {class: 'gl-link', type: 'button', disabled: off, 'aria-label': label, title: label, on: {click: act}}, words_);
    const found = make('li', {class: `ge-card${shown ? ' ge-shown' : ''}`}, picture,
      make('div', {class: 'ge-card-words'}, make('span', {class: 'gl-serif', 'aria-hidden': 'true'}, `${i + 1}.`), caption),
      make('div', {class: 'ge-card-tools'},
        quiet('←', `Move view ${i + 1} left`, () => shift(i, -1), i === 0), quiet('→', `Move view ${i + 1} right`, () => shift(i, 1), i === count - 1),
        quiet('Remove', `Remove view ${i + 1}`, () => drop(i))));
    if (shown) found.setAttribute('aria-current', 'true');
    return found;
  }

  function recaption(i, words) {
    change(app, rename(talkOf(app), i, words));
    const {views, current} = talkOf(app);
    if (i === current) app.set({caption: views[i].caption});
  }

  function shift(i, by) {
    change(app, move(talkOf(app), i, by));
    draw();
    focusTool(i + by, by < 0 ? 0 : 1);
  }

  function drop(i) {
    change(app, remove(talkOf(app), i));
    draw();
    focusTool(Math.min(i, talkOf(app).views.length - 1), 2);
  }

  /** The control that was pressed has been drawn anew: the keyboard stays where it was. */
  function focusTool(i, which) {
    const tools = cards.children[i]?.querySelectorAll('.ge-card-tools button') ?? [];
    const wanted = /** @type {HTMLButtonElement | undefined} */ (tools[which]);
    (wanted?.disabled ? /** @type {HTMLElement} */ (tools[2]) : wanted)?.focus();
  }

  async function load() {
    const [chosen] = file.files ?? [];
    if (!chosen) return;
    const {talk, said} = chosen.size > MAX_BYTES ? read(' '.repeat(MAX_BYTES + 1)) : read(await chosen.text());
    file.value = '';
    if (!talk) { say(said.join(' ')); return; }
    const take = () => { change(app, talk); answer([`${views(talk)} loaded.`, ...said].join(' ')); };
    const present = talkOf(app);
    if (!present.views.length) { take(); return; }
    // What would be lost is not lost by a wrong click.
    const replace = button('Replace it', take);
    question.replaceChildren(make('p', {class: 'gl-serif'}, `There is a talk already, of ${views(present)}. The file has ${views(talk)}.`),
      make('div', {class: 'ge-talk-buttons'}, replace, button('Keep mine', () => answer('Your talk is as it was.'))));
    question.hidden = false;
    replace.focus();
  }

  /** The question has been answered, or there was none. */
  function answer(words) {
    const asked = question.contains(document.activeElement);
    question.hidden = true;
    question.replaceChildren();
    if (asked) opener.focus();
    say(words);
  }

  async function toPage() {
    try {
      const {html, said} = await makePage(app, talkOf(app).views, {title: 'A talk: GPT, letter by letter', talk: true, say});
      say(`Saved ${saveText(html, fileName(['talk', app.state.model], 'html'), 'text/html')}, ${said}`);
    } catch (error) {
      say(`The page was not made: ${/** @type {Error} */ (error).message}`);
    }
  }

  function say(words) {
    says.textContent = words;
    says.dataset.told = '1';
  }

  app.on((changed) => { if (changed.has('talk')) draw(); });
  draw();
}

/** How a view is shown, from where the section was mounted. @type {WeakMap<App, (state: any) => Promise<void> | void>} */
const restores = new WeakMap();

/** Show the current view. @param {App} app @param {Talk} talk */
function go(app, talk) {
  const view = talk.views[talk.current];
  if (!view) return;
  change(app, talk);
  void restores.get(app)?.({...view.state, caption: view.caption});
}

/** @param {App} app @returns {Talk} */
function talkOf(app) {
  let held = talks.get(app);
  if (!held) {
    held = {talk: stored(), kept: true};
    talks.set(app, held);
  }
  return held.talk;
}

function change(app, talk) {
  const held = talks.get(app);
  if (!held || held.talk === talk) return;
  const same = held.talk.views === talk.views;
  held.talk = talk;
  if (held.kept && !same) store(app, talk);
  app.touch('talk');
}

/** What a reload brings back. Storage may be refused or full: the talk then lives as long as the page, which is said. */
function store(app, talk) {
  try {
    localStorage.setItem(STORE, write(talk));
  } catch {
    app.notes = ['This browser does not keep the talk: save it before you leave the page.'];
    app.touch('notes');
  }
}

function stored() {
  try { return read(localStorage.getItem(STORE) ?? '').talk ?? EMPTY; } catch { return EMPTY; }
}

/** The map on screen, small. */
function thumbOf(app) {
  const {trace} = app;
  const map = app.map();
  const pixels = new Uint32Array(THUMB * THUMB);
  if (map) paint(pixels, THUMB, capacityFor(trace.tokens, trace.blockSize), map, app.ink());
  else paintPooled(pixels, THUMB, trace, app.state.layer, app.state.head, app.ink());
  return toDataURL(pixels, THUMB, THUMB);
}

/** "1 view", "3 views". @param {Talk} talk */
function views({views: {length}}) { return `${length} ${length === 1 ? 'view' : 'views'}`; }

function button(words, act) {
  return make('button', {class: 'gl-button', type: 'button', on: {click: act}}, words);
}
