/** Side by side: the chosen model and another one write from the same beginning, and read each other. */
import {askJson} from '../common/ask.js';
import {shownName} from '../common/ownmodels.js';
import {part} from '../common/part.js';
import {lastLine, verse} from '../common/verse.js';
import {USUAL} from '../common/settings.js';
import {make} from '../dom.js';
import {createPair, verdict} from './pair.js';

const BEGINNING = 'ROMEO:\n';
const MAX_BEGINNING = 2_000;
const FIRST_SEED = 11;

/** @typedef {import('./shelf.js').Row} Row */

/**
 * @param {() => void} closed
 * @param {() => void} used the models are in memory now
 */
export function createCompare(closed, used) {
  const pair = createPair({write: askJson('write'), score: askJson('score')}, draw);
  const name = make('span');
  const other = /** @type {HTMLSelectElement} */ (make('select', {class: 'gm-pair-other', 'aria-label': 'The other model', on: {change: () => { forget(); layOut(); }}}));
  const heading = make('h2', {class: 'gm-pair-heading gl-serif'}, name, ' and ', make('span', {class: 'gl-choice'}, other));
  const close = make('button', {class: 'gl-link', type: 'button', on: {click: () => { hide(); closed(); }}}, 'Close');
  const area = /** @type {HTMLTextAreaElement} */ (make('textarea', {class: 'gm-field gm-pair-text gl-serif', rows: 2, spellcheck: false, maxLength: MAX_BEGINNING, 'aria-label': 'What both go on from', value: BEGINNING}));
  const button = (words, action) => /** @type {HTMLButtonElement} */ (make('button', {class: 'gl-button', type: 'button', on: {click: action}}, words));
  const write = button('Write side by side', () => start(FIRST_SEED));
  const again = button('With other dice', () => start(pair.seed + 1));
  const more = button('Go on', () => void pair.goOn());
  const stop = button('Stop', () => pair.stop());
  const failed = make('p', {class: 'gl-error', role: 'alert', hidden: true});
  const says = make('p', {class: 'gm-pair-says gl-serif', 'aria-live': 'polite'});
  const columns = make('div', {class: 'gm-pair-columns'});
  const element = make('section', {class: 'gm-pair', 'aria-label': 'Side by side', hidden: true},
    make('div', {class: 'gm-pair-top'}, heading, close),
    make('label', {class: 'gm-label'}, 'What both go on from', area),
    make('div', {class: 'gm-buttons gm-pair-buttons'}, write, again, more, stop), failed, says, columns);
  area.addEventListener('keydown', (event) => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !write.disabled) { event.preventDefault(); start(FIRST_SEED); } });

  /** @type {Row[]} */ let rows = [];
  let first = '', laidOut = '';
  /** @type {{text: HTMLElement, notes: HTMLElement, readings: HTMLElement}[]} */ let shown = [];

  const names = () => [first, other.value];

  /** @param {string} chosen @param {string} preferred the other one, if it is there @param {Row[]} all */
  function show(chosen, preferred, all) {
    forget();
    first = chosen;
    laidOut = '';
    element.hidden = false;
    update(all, preferred);
    element.scrollIntoView({block: 'nearest', behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth'});
    area.focus({preventScroll: true});
  }

  /** The models that there are now. @param {Row[]} all @param {string} [preferred] */
  function update(all, preferred = other.value) {
    rows = all.filter((row) => !row.error);
    if (element.hidden) return;
    if (!rows.some((row) => row.name === first)) { hide(); return; }
    const others = rows.map((row) => row.name).filter((name) => name !== first);
    const kept = others.includes(preferred) ? preferred : others[0] ?? '';
    const laid = JSON.stringify([first, kept, others]);
    if (laid === laidOut) return;
    if (kept !== other.value && pair.sides.length) forget();
    laidOut = laid;
    other.replaceChildren(...others.map((name) => make('option', {value: name, selected: name === kept}, shownName(name))));
    layOut();
  }

  function hide() {
    forget();
    element.hidden = true;
  }

  function forget() {
    pair.stop();
    pair.sides = [];
    pair.readings = [];
    pair.error = '';
  }

  function start(seed) {
    const models = names().map((name) => ({name, letters: rows.find((row) => row.name === name)?.letters ?? true}));
    void pair.begin(models, area.value || BEGINNING, seed).then(used);
  }

  function layOut() {
    name.textContent = shownName(first);
    shown = names().map(() => ({text: make('div', {class: 'gm-pair-written gl-serif'}), notes: make('p', {class: 'gm-hint'}), readings: make('dl', {class: 'gl-facts gm-readings'})}));
    columns.replaceChildren(...names().map((name, i) => make('article', {'aria-label': shownName(name)}, make('h3', {class: 'gl-serif'}, shownName(name)), shown[i].notes, shown[i].text, shown[i].readings)));
    draw();
  }

  function draw() {
    const {sides, doing, prompt, readings} = pair;
    const {shared, parted} = part(sides.map(({text}) => text));
    shown.forEach(({text, notes, readings: list}, i) => {
      const side = sides[i];
      text.replaceChildren(...(side ? verse([{text: lastLine(prompt), class: 'gm-given'}, {text: side.text.slice(0, shared)}, {text: side.text.slice(shared)}]) : []));
      notes.textContent = side?.notes.join(' ') ?? '';
      list.replaceChildren(...names().flatMap((name, reader) => {
        const bits = readings[reader]?.[i];
        return typeof bits === 'number' ? [make('dt', {}, shownName(name)), make('dd', {}, `reads this with ${bits.toFixed(2)} bits a character`)] : [];
      }));
    });
    failed.textContent = pair.error;
    failed.hidden = !pair.error;
    const written = sides.some(({text}) => text);
    stop.hidden = !doing;
    write.hidden = !!doing;
    again.hidden = more.hidden = !!doing || !written;
    write.disabled = !other.value;
    says.textContent = sentence(shared, parted);
  }

  function sentence(shared, parted) {
    const {sides, doing, seed, readings} = pair;
    if (!other.value) return 'There is no other model here. Open one from the Hub.';
    if (!sides.length) return `One beginning, one seed, temperature ${USUAL.temperature}: what makes the difference is the model.`;
    const where = !parted ? (doing === 'writing' ? 'so far they are the same' : 'they are the same to the end') : shared ? `they part after ${shared} ${shared === 1 ? 'character' : 'characters'}` : 'they part at the first character';
    const then = doing === 'reading' ? 'Now each reads what both have written.' : verdict(names().map(shownName), readings);
    return `With seed ${seed}, ${where}.${then ? ` ${then}` : ''}`;
  }

  return {element, show, update};
}
