/** A text of the person's own, scored: the way in, and what the model made of it. */
import {askJson} from '../common/ask.js';
import {short} from '../common/words.js';
import {make} from '../dom.js';
import {desk} from './desk.js';
import {bitsPerCharacter, extremes} from './thoughts.js';

const MAX_TEXT_CHARACTERS = 20_000;
const SHOWN = 5;
/** Characters before an extreme one that say where it stands. */
const CONTEXT = 18;
/** Between two looks at all that is known, while it is read. */
const LOOK_MS = 600;

/** The way in: a quiet panel under the beginnings. @returns {HTMLElement} */
export function ownPanel() {
  const first = askJson('score');
  const area = /** @type {HTMLTextAreaElement} */ (make('textarea', {class: 'gp-own-text gl-serif', rows: 7, spellcheck: false, placeholder: 'Paste or type a text, up to 20,000 characters', 'aria-label': 'A text of your own'}));
  const said = make('p', {class: 'gp-hint', 'aria-live': 'polite'});
  const score = /** @type {HTMLButtonElement} */ (make('button', {class: 'gl-button', type: 'button', on: {click: () => void begin()}}, 'Score it'));
  const close = make('button', {class: 'gl-button', type: 'button', on: {click: () => open(false)}}, 'Close');
  const panel = make('div', {class: 'gp-own', hidden: true}, area, make('div', {class: 'gp-own-buttons'}, score, close), said);
  const way = /** @type {HTMLButtonElement} */ (make('button', {class: 'gl-link gp-own-way', type: 'button', 'aria-expanded': 'false', on: {click: () => open(panel.hidden)}}, 'Score a text of your own'));

  function open(on) {
    panel.hidden = !on;
    way.setAttribute('aria-expanded', String(on));
    if (on) area.focus(); else way.focus();
  }

  async function begin() {
    const text = area.value;
    if (text.trim() === '') { said.textContent = 'There is nothing to score yet.'; return; }
    const long = text.length > MAX_TEXT_CHARACTERS;
    score.disabled = true;
    said.textContent = '';
    try {
      const {model} = desk.state.sheet;
      const read = await first({model, text: text.slice(-MAX_TEXT_CHARACTERS), start: 0, count: 1});
      const cut = `Of your ${text.length.toLocaleString('en')} characters the last ${MAX_TEXT_CHARACTERS.toLocaleString('en')} are kept, the limit of this page.`;
      desk.actions.score(read.text, [...(long ? [cut] : []), ...read.notes]);
      open(false);
    } catch (error) {
      said.textContent = /** @type {Error} */ (error).message;
    } finally {
      score.disabled = false;
    }
  }

  return make('div', {class: 'gp-own-part'}, way, panel);
}

/** What the model made of it, under the text; progress while it reads. @param {HTMLElement} holder */
export function mountScore(holder) {
  const body = make('div', {class: 'gp-score-words'});
  const row = make('div', {class: 'gl-row gp-score', hidden: true}, make('h2', {class: 'gp-note'}, 'Score'), body);
  holder.append(row);
  const bar = make('div', {class: 'gp-progress', role: 'progressbar', 'aria-label': 'Reading your text'}, make('i'));
  const far = make('span', {class: 'gp-far'});
  const stop = /** @type {HTMLButtonElement} */ (make('button', {class: 'gl-link', type: 'button', on: {click: () => desk.set({paused: !desk.state.paused})}}));
  const reading = make('div', {class: 'gp-reading'}, far, bar, stop);
  const found = make('div', {});
  const back = make('button', {class: 'gl-link', type: 'button', on: {click: () => desk.actions.back()}}, 'Back to the model’s text');
  body.append(reading, found, back);

  let looked = 0;

  function draw() {
    const {sheet, progress, problem, laid, quality, paused} = desk.state;
    row.hidden = !sheet.own;
    if (!sheet.own) return;
    const known = progress?.known ?? 0;
    const total = progress?.total ?? sheet.text.length;
    const done = progress !== null && known >= total;
    const windows = windowsOf(total, sheet.block);
    reading.hidden = done;
    far.textContent = problem || (paused ? `Stopped at window ${windowsOf(known, sheet.block)} of ${windows}` : `Reading window ${Math.min(windows, windowsOf(known + 1, sheet.block))} of ${windows}`);
    stop.textContent = paused || problem ? 'Go on' : 'Stop';
    bar.setAttribute('aria-valuenow', String(Math.round((100 * known) / Math.max(total, 1))));
    /** @type {HTMLElement} */ (bar.firstElementChild).style.width = `${(100 * known) / Math.max(total, 1)}%`;
    if (!done && known && performance.now() - looked < LOOK_MS) return;
    looked = performance.now();
    const bits = bitsPerCharacter(laid.units);
    if (bits === null) {
      found.replaceChildren(...(done ? [make('p', {class: 'gp-hint'}, 'There is nothing to expect: no character comes before the first.')] : []));
      return;
    }
    const held = quality?.held_out_bits;
    const than = typeof held === 'number' ? `; Shakespeare that the model never read, ${held.toFixed(2)}` : '';
    const {most, least} = extremes(laid.units, SHOWN);
    found.replaceChildren(
      make('p', {class: 'gp-score-line gl-serif'}, make('b', {}, `${bits.toFixed(2)} bits a character`), `${done ? '' : ' so far'}${than}.`),
      make('div', {class: 'gp-extremes'}, extremeList('Least expected', least), extremeList('Most expected', most)));
  }

  desk.on((changed) => { if (['sheet', 'laid', 'progress', 'problem', 'quality', 'paused'].some((n) => changed.has(n))) draw(); });
  draw();
}

function extremeList(title, units) {
  const {text} = desk.state.sheet;
  const items = units.map((unit) => {
    const before = text.slice(Math.max(0, unit.start - CONTEXT), unit.start).replace(/\n/g, ' ¶ ');
    const button = make('button', {class: 'gp-extreme', type: 'button', title: 'Pin it', on: {click: () => desk.actions.show(unit.start)}},
      make('span', {class: 'gp-context gl-serif'}, before, make('b', {class: unit.piece.trim() === '' ? 'gp-invisible' : ''}, short(unit.piece))), make('span', {class: 'gp-bits'}, `${(unit.bits ?? 0).toFixed(unit.bits < 0.1 ? 3 : 1)} bits`));
    return make('li', {}, button);
  });
  return make('div', {}, make('h3', {class: 'gp-small'}, title), make('ul', {}, ...items));
}

/** Windows that are read for so many tokens: the first whole, then half a window further each time. */
export function windowsOf(tokens, block) {
  return tokens <= block ? 1 : 1 + Math.ceil((tokens - block) / Math.max(1, Math.floor(block / 2)));
}
