/** The rows of the models: their numbers, and their bits a character on one scale. */
import {shownName} from '../common/ownmodels.js';
import {make} from '../dom.js';
import {bytes, place, scaleOf} from './scale.js';

/**
 * @typedef {object} Row as ui/models.py tells it
 * @property {string} name @property {string} says where it is from, and of what kind @property {boolean} loaded
 * @property {boolean} can_push @property {string} [error] it cannot be read, and why
 * @property {string} [parameters] @property {[number, number, number]} [shape] layers, heads, width
 * @property {number | null} [loss] nats a token @property {number | null} [bits] @property {boolean} [letters]
 * @property {string} [text] what it was trained on @property {number} [bytes]
 */

const TITLES = {'gm-shape': 'layers × heads × width', 'gm-loss': 'nats a token, on text it has not read', 'gm-bits': 'on text it has not read; fewer is better'};
const MOVES = {ArrowDown: 1, ArrowUp: -1};

/**
 * @param {(name: string) => void} select a row was chosen to be looked at
 * @returns {{element: HTMLElement, draw: (rows: Row[], state: {selected: string, chosen: string, opened: boolean}) => void, focus: () => void, move: (by: number) => void, slot: (name: string) => HTMLElement | null}}
 */
export function createShelf(select) {
  const body = make('div', {role: 'rowgroup', class: 'gm-body'});
  const head = make('div', {role: 'rowgroup'}, make('div', {role: 'row', class: 'gm-row gm-names'},
    ...[['Model', 'gm-name'], ['Parameters', 'gm-parameters'], ['Shape', 'gm-shape'], ['Loss', 'gm-loss'], ['Bits a character', 'gm-bits'], ['On disk', 'gm-size']]
      .map(([words, kind]) => make('span', {role: 'columnheader', class: kind, title: TITLES[kind] ?? ''}, words))));
  const element = make('div', {role: 'table', class: 'gm-table', 'aria-label': 'Models'}, head, body);
  body.addEventListener('keydown', (event) => {
    const by = MOVES[event.key];
    if (!by || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    move(by);
  });

  /** @type {HTMLElement[]} */ let buttons = [];
  let names = [], now = '';
  function move(by) {
    const to = Math.min(names.length - 1, Math.max(0, names.indexOf(now) + by));
    if (names[to] === undefined) return;
    select(names[to]);
    buttons[to]?.focus();
  }

  /** @param {Row[]} rows @param {{selected: string, chosen: string, opened: boolean}} state */
  function draw(rows, {selected, chosen, opened}) {
    const focused = buttons.indexOf(/** @type {HTMLElement} */ (document.activeElement)) >= 0;
    const scale = scaleOf(rows.map((row) => row.bits ?? NaN));
    const text = rows.find((row) => row.bits !== null && row.bits !== undefined)?.text ?? '';
    names = rows.map((row) => row.name);
    now = selected;
    buttons = rows.map((row, i) => make('button', {class: 'gm-open', type: 'button', tabIndex: row.name === selected || (i === 0 && !rows.some((one) => one.name === selected)) ? 0 : -1, 'aria-expanded': String(row.name === selected && opened)}, shownName(row.name)));
    body.replaceChildren(...rows.map((row, i) => {
      const state = row.name === chosen ? 'in use' : row.loaded ? 'in memory' : '';
      const name = make('span', {role: 'cell', class: 'gm-name'}, buttons[i], make('span', {class: 'gm-says'}, row.says, ...(state ? [make('b', {}, `, ${state}`)] : [])));
      const cells = row.error
        ? [make('span', {role: 'cell', class: 'gm-error'}, row.error)]
        : [
          cell('gm-parameters', row.parameters ?? ''), cell('gm-shape', (row.shape ?? []).join(' × ')),
          cell('gm-loss', typeof row.loss === 'number' ? row.loss.toFixed(2) : '–'), bitsCell(row, scale, selected, text), cell('gm-size', bytes(row.bytes ?? 0)),
        ];
      const element = make('div', {role: 'row', class: `gm-row${row.name === selected ? ' gm-selected' : ''}`, on: {click: () => select(row.name)}}, name, ...cells);
      element.dataset.name = row.name;
      return element;
    }));
    if (focused) buttons[names.indexOf(selected)]?.focus();
  }

  return {
    element, draw, move,
    focus: () => buttons[Math.max(0, names.indexOf(now))]?.focus(),
    slot: (name) => /** @type {HTMLElement | null} */ ([...body.children].find((row) => /** @type {HTMLElement} */ (row).dataset.name === name) ?? null),
  };
}

function cell(kind, words) {
  return make('span', {role: 'cell', class: kind}, words);
}

/** @param {Row} row @param {{low: number, high: number, ticks: number[]} | null} scale @param {string} selected @param {string} text dots are filled for models that learned this one */
function bitsCell(row, scale, selected, text) {
  const line = make('span', {class: 'gm-line', 'aria-hidden': 'true'});
  if (scale) line.append(...scale.ticks.slice(1, -1).map((tick) => mark('gm-tick', place(tick, scale))));
  if (typeof row.bits !== 'number' || !scale) {
    const why = row.letters === false && typeof row.loss === 'number' ? 'Its loss is of a subword, not of a character' : '';
    return make('span', {role: 'cell', class: 'gm-bits', title: why}, line, make('span', {class: 'gm-unknown'}, 'not measured'));
  }
  const at = place(row.bits, scale);
  const other = row.text !== text;
  const dot = mark(`gm-dot${row.name === selected ? ' gm-here' : ''}${other ? ' gm-other' : ''}`, at);
  const number = make('span', {class: 'gm-number', title: other ? `Measured on another text: ${row.text}` : ''}, row.bits.toFixed(2));
  number.style.left = `${at * 100}%`;
  return make('span', {role: 'cell', class: 'gm-bits'}, line, dot, number);
}

function mark(kind, at) {
  const element = make('i', {class: kind});
  element.style.left = `${at * 100}%`;
  return element;
}
