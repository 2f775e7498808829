/** The tour: five stops for those who come alone, in a panel beside the figure. */
import {make} from '../dom.js';
import {GLOSSARY, explain} from './glossary.js';
import {STOPS, TEMPERATURES} from './stops.js';
import {lastLine, verse} from '../common/verse.js';

/** What the text goes on by at each temperature. */
const COUNT = 60;

/** Closes the tour that is open. @type {(() => void) | null} */
let close = null;

/** @param {import('./app.js').App} app */
export function openTour(app) {
  close?.();
  if (!app.trace) return;
  const opener = /** @type {HTMLElement | null} */ (document.activeElement);
  const stops = STOPS.filter((stop) => app.source.live || !stop.live);
  /** @type {import('./stops.js').Facts} */ const facts = {settings: app.state.settings, effects: null};
  /** Which stop explains which word: going back shows it again. @type {Map<string, number>} */ const explained = new Map();
  let at = 0;
  let open = true;
  let busy = false; // a stop is on its way: its state is being traced
  let measured = ''; // the request that the effects are of

  const where = make('span', {class: 'ge-aside'});
  const title = make('h2', {class: 'ge-tour-title gl-serif', id: 'ge-tour-title', tabIndex: -1});
  const body = make('div', {class: 'ge-tour-body'});
  const button = (text, click) => /** @type {HTMLButtonElement} */ (make('button', {class: 'gl-button', type: 'button', on: {click}}, text));
  const previous = button('Previous', () => void go(at - 1));
  const next = button('Next', () => { if (at + 1 < stops.length) void go(at + 1); else shut(); });
  const waits = make('span', {class: 'ge-aside ge-tour-waits', role: 'status'});
  const panel = make('div', {class: 'gl-part ge-tour', role: 'dialog', 'aria-labelledby': 'ge-tour-title'},
    make('div', {class: 'ge-tour-head'}, where, make('button', {class: 'gl-link', type: 'button', on: {click: () => shut()}}, 'Close ', make('kbd', {}, 'Esc'))),
    title, body, make('div', {class: 'ge-tour-foot'}, waits, previous, next));

  async function go(to) {
    if (busy) return;
    busy = true;
    panel.setAttribute('aria-busy', 'true');
    const stop = stops[to];
    if (stop.effects) await measure();
    // What is not the stop's own stays: the text above all. A saved page cannot silence, nor undo it.
    const fixed = app.source.live ? {} : {silenced: app.state.silenced};
    if (open) await app.restore({...app.state, caption: '', ...stop.state(app, facts), ...fixed});
    busy = false;
    if (!open) return;
    at = to;
    draw(stop);
  }

  /** The effect of each head on this text, once. */
  async function measure() {
    const request = {...app.request(), silenced: []};
    const key = JSON.stringify(request);
    if (measured === key) return;
    waits.textContent = 'Silencing each head in turn, to see which one matters …';
    facts.effects = await app.attempt(() => app.source.effects(request), 'Silencing each head in turn') ?? null;
    measured = facts.effects ? key : '';
    waits.textContent = '';
  }

  function draw(stop) {
    panel.removeAttribute('aria-busy');
    where.textContent = `A tour, ${at + 1} of ${stops.length}`;
    title.textContent = stop.title;
    const seen = new Set([...explained].filter(([, place]) => place !== at).map(([term]) => term));
    const paragraphs = stop.says(app, facts).map((text) => paragraph(text, seen));
    for (const term of seen) if (!explained.has(term)) explained.set(term, at);
    body.replaceChildren(...paragraphs, ...(stop.id === 'temperature' ? [temperatures()] : []), question(stop));
    body.scrollTop = 0;
    previous.disabled = at === 0;
    next.textContent = at + 1 < stops.length ? 'Next' : 'End the tour';
    title.focus({preventScroll: true});
  }

  function question(stop) {
    const answer = make('p', {class: 'ge-tour-answer', 'aria-live': 'polite', hidden: true});
    const show = make('button', {class: 'gl-link', type: 'button', on: {click: () => {
      answer.textContent = stop.answer(app, facts);
      answer.hidden = false;
      show.hidden = true;
    }}}, 'Show the answer');
    return make('div', {class: 'ge-tour-question'}, make('p', {class: 'gl-serif'}, stop.question(app, facts)), show, answer);
  }

  /** The text goes on at each of three temperatures: all draws are the same. */
  function temperatures() {
    const results = new Map(TEMPERATURES.map((temperature) => [temperature, make('div', {class: 'ge-verse', 'aria-live': 'polite'})]));
    const write = async (temperature) => {
      const settings = {...facts.settings, temperature};
      app.set({settings});
      const place = /** @type {HTMLElement} */ (results.get(temperature));
      place.replaceChildren('…');
      const request = {...app.request(), silenced: [], settings, seed: app.state.seed, count: COUNT};
      const found = await app.attempt(() => app.source.rewrite(request), 'Writing on');
      place.replaceChildren(...(found ? verse([{text: lastLine(app.trace?.text ?? ''), class: 'ge-shared'}, {text: found.on}]) : []));
    };
    return make('div', {class: 'ge-tour-temperatures'}, ...TEMPERATURES.flatMap((temperature) => [
      make('button', {class: 'gl-button', type: 'button', 'aria-label': `Write on at temperature ${temperature}`, on: {click: () => void write(temperature)}}, String(temperature)),
      /** @type {HTMLElement} */ (results.get(temperature)),
    ]));
  }

  function shut() {
    close = null;
    open = false;
    document.removeEventListener('keydown', escape, {capture: true});
    document.removeEventListener('click', left, {capture: true});
    panel.remove();
    app.set({settings: facts.settings});
    opener?.focus({preventScroll: true});
  }

  function escape(event) {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    event.stopImmediatePropagation(); // Escape also drops the pin, but not while it closes this
    shut();
  }

  /** Another tab of the page: the figure that the tour is about is gone. */
  function left(event) {
    if (/** @type {Element} */ (event.target).closest('[role=tab]')) shut();
  }

  close = shut;
  document.addEventListener('keydown', escape, {capture: true});
  document.addEventListener('click', left, {capture: true});
  document.body.append(panel);
  void go(0);
}

/** A paragraph; a word of the field shows its meaning when it is pressed. */
function paragraph(text, seen) {
  const meaning = make('span', {class: 'ge-meaning', 'aria-live': 'polite', hidden: true});
  const words = explain(text, seen).map(({text: word, term}) => {
    if (!term) return word;
    const button = make('button', {class: 'ge-term', type: 'button', 'aria-expanded': 'false', on: {click: () => {
      const open = button.getAttribute('aria-expanded') !== 'true';
      for (const other of button.parentElement?.querySelectorAll('.ge-term') ?? []) other.setAttribute('aria-expanded', 'false');
      button.setAttribute('aria-expanded', String(open));
      meaning.hidden = !open;
      meaning.replaceChildren(...(open ? [make('b', {}, `${term[0].toUpperCase()}${term.slice(1)}. `), GLOSSARY[term]] : []));
    }}}, word);
    return button;
  });
  return make('p', {}, ...words, meaning);
}
