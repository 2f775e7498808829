/** "Your talk": the views that were kept, as a row of cards; walked with PageDown and PageUp. */
import {make} from '../dom.js';
import {viewOf} from './bundle.js';
import {saveText} from '../common/download.js';
import {toDataURL} from './figurecanvas.js';
import {fileName} from './numbers.js';
import {capacityFor, paint, paintPooled} from './raster.js';
import {sentenceOf} from './sentence.js';
import {MAX_CAPTION} from './state.js';
import {canMake, makePage} from './whole.js';
import {changeTalk, keepView, onTalk, showTalk, showsViews, talkNow, walkTalk} from '../talk/kept.js';
import {MAX_BYTES, move, read, remove, rename, show, write} from '../talk/talk.js';

const THUMB = 110;

/** @typedef {import('./app.js').App} App */

/**
 * What keys do with the talk.
 * @param {App} app
 */
export function talkActions(app) {
  return {
    /** The view on screen joins the talk. */
    keep() {
      if (!app.trace) return;
      note(app, keepView({...viewOf(app), says: sentenceOf(app).map(({text}) => text).join('').slice(0, MAX_CAPTION), thumb: thumbOf(app)}).said);
    },
    next() { walkTalk(1); },
    previous() { walkTalk(-1); },
    get count() { return talkNow().views.length; },
    /** Which is shown, counted from 0; -1 for none. */
    get current() { return talkNow().current; },
  };
}

/** From now on the talk's views of this tab are shown here. @param {App} app */
export function showViews(app) {
  showsViews('attention', ({state, caption}) => void app.restore({...state, caption}));
}

/** @param {App} app @param {HTMLElement} element */
export function mount(app, element) {
  const says = make('span', {class: 'ge-aside', role: 'status'});
  const file = /** @type {HTMLInputElement} */ (make('input', {type: 'file', accept: '.json,application/json', hidden: true, 'aria-label': 'A saved talk', on: {change: load}}));
  const save = button('Save', () => say(`Saved ${saveText(write(talkNow()), fileName(['talk', app.state.model], 'json'), 'application/json')}`));
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
    const {views, current} = talkNow();
    empty.hidden = views.length > 0;
    cards.hidden = views.length === 0;
    /** @type {HTMLButtonElement} */ (save).disabled = /** @type {HTMLButtonElement} */ (page).disabled = views.length === 0;
    cards.replaceChildren(...views.map((view, i) => card(view, i, i === current, views.length)));
    if (!says.dataset.told) says.textContent = views.length ? 'PageDown and PageUp walk it' : '';
  }

  function card(view, i, shown, count) {
    const words = view.caption || view.says;
    const picture = make('button', {class: 'ge-card-open', type: 'button', 'aria-label': `Show view ${i + 1}: ${words}`, on: {click: () => showTalk(show(talkNow(), i))}},
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

  function change(talk) { note(app, changeTalk(talk)); }

  function recaption(i, words) {
    change(rename(talkNow(), i, words));
    const {views, current} = talkNow();
    if (i === current && views[i].tab === 'attention') app.set({caption: views[i].caption});
  }

  function shift(i, by) {
    change(move(talkNow(), i, by));
    draw();
    focusTool(i + by, by < 0 ? 0 : 1);
  }

  function drop(i) {
    change(remove(talkNow(), i));
    draw();
    focusTool(Math.min(i, talkNow().views.length - 1), 2);
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
    const take = () => { change(talk); answer([`${views(talk)} loaded.`, ...said].join(' ')); };
    const present = talkNow();
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
      const {html, said} = await makePage(app, talkNow().views, {title: 'A talk: GPT, letter by letter', talk: true, say});
      say(`Saved ${saveText(html, fileName(['talk', app.state.model], 'html'), 'text/html')}, ${said}`);
    } catch (error) {
      say(`The page was not made: ${/** @type {Error} */ (error).message}`);
    }
  }

  function say(words) {
    says.textContent = words;
    says.dataset.told = '1';
  }

  onTalk(() => app.touch('talk'));
  app.on((changed) => { if (changed.has('talk')) draw(); });
  draw();
}

/** What the person should know. @param {App} app @param {string} said may be empty */
function note(app, said) {
  if (!said) return;
  app.notes = [said];
  app.touch('notes');
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
