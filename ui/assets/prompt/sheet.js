/** The text as a play: a row for each line, drawn anew only where it has changed. */
import {make} from '../dom.js';
import {divide, lines} from '../play.js';

/**
 * @typedef {object} Row
 * @property {HTMLElement} element
 * @property {HTMLElement} verse
 * @property {import('../play.js').Line} line
 * @property {boolean} last no line break follows
 */

/** @param {HTMLElement} play */
export function createSheet(play) {
  /** @type {Row[]} */ let rows = [];
  /** @type {string[]} */ let keys = [];

  /** @param {{prompt: string, text: string, writing: boolean, first?: string}} shown `first`: what stands beside the first line, where it is neither the person's nor the model's */
  function draw({prompt, text, writing, first = ''}) {
    const all = lines(prompt + text);
    const firstWritten = text === '' ? -1 : all.findIndex((line) => line.start >= prompt.length && (line.text || line.start > prompt.length));
    all.forEach((line, i) => {
      const note = i === 0 && (first || prompt.trim() !== '') ? first || 'You' : i === firstWritten && !first ? 'The model' : '';
      const last = i === all.length - 1;
      const caret = writing && last;
      const key = JSON.stringify([line.text, line.speaker, note, caret, Math.min(line.text.length, Math.max(0, prompt.length - line.start))]);
      if (keys[i] === key) {
        Object.assign(rows[i], {line, last});
        return;
      }
      const row = rowOf(line, prompt.length, note, caret);
      if (rows[i]) rows[i].element.replaceWith(row.element); else play.append(row.element);
      rows[i] = {...row, line, last};
      keys[i] = key;
    });
    for (const {element} of rows.slice(all.length)) element.remove();
    rows = rows.slice(0, all.length);
    keys = keys.slice(0, all.length);
  }

  return {draw, get rows() { return rows; }};
}

/** @param {Row[]} rows @param {number} offset @returns {number} the row that holds it */
export function rowAt(rows, offset) {
  let low = 0;
  let high = rows.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (rows[middle].line.start <= offset) low = middle; else high = middle - 1;
  }
  return low;
}

function rowOf(line, given, note, caret) {
  const [typed, written] = divide(line, given);
  const verse = make('div', {class: line.speaker ? 'gl-verse gl-speaker' : 'gl-verse'});
  if (typed) verse.append(make('span', {class: 'gl-given'}, typed));
  if (written) verse.append(written);
  if (caret) verse.append(make('span', {class: 'gl-caret', 'aria-hidden': 'true'}));
  return {element: make('div', {class: 'gl-row'}, make('div', {class: 'gl-note'}, note), verse), verse};
}
