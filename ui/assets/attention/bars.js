/** Bars of the next character: what the model believes, and what it would without some heads. */
import {make} from '../dom.js';
import {nextProbability} from './wire.js';
import {percent, sign, spoken} from '../common/words.js';

/**
 * @typedef {object} Bar
 * @property {string} text
 * @property {number} p
 * @property {number} [after] the same after what was changed
 */

/**
 * What the model says next; with heads silenced, before and after.
 * @typedef {object} Next
 * @property {import('./wire.js').Said[]} before the likeliest
 * @property {import('./wire.js').Said[] | null} after null: nothing is silenced, or it is not known what was said before
 * @property {boolean} offOnly heads are silenced, and `before` is without them
 * @property {(id: number) => number} [beforeOf] probability of any token; by default of those in the list
 * @property {(id: number) => number} [afterOf]
 */

/** @param {import('./app.js').App} app @returns {Next | null} null while it is fetched */
export function nextOf(app) {
  const {trace, base} = app;
  if (!trace) return null;
  const last = trace.tokens - 1;
  const now = app.lens(last)?.at(-1);
  if (!now) return null;
  const silenced = trace.silenced.length > 0;
  const same = silenced && base && base.start === trace.start && base.tokens >= trace.tokens && base.ids.slice(0, trace.tokens).join() === trace.ids.join();
  const before = same ? app.lens(last, base)?.at(-1) : null;
  if (!before || !base) return {before: now, after: null, offOnly: silenced};
  return {before, after: now, offOnly: false, beforeOf: (id) => nextProbability(base, last, id) ?? of(before)(id), afterOf: (id) => nextProbability(trace, last, id) ?? of(now)(id)};
}

/**
 * The likeliest next characters, and the rest as one.
 * @param {Next} next
 * @param {number} count
 * @returns {Bar[]}
 */
export function barsOf({before, after, beforeOf = of(before), afterOf = of(after ?? [])}, count) {
  const shown = before.slice(0, count);
  if (after && !shown.some(({id}) => id === after[0].id)) { // what it says now belongs in the picture
    shown[shown.length - 1] = {...after[0], p: beforeOf(after[0].id)};
  }
  const bars = shown.map(({id, text, p}) => ({text, p, ...(after ? {after: afterOf(id)} : {})}));
  const others = {text: 'others', p: Math.max(0, 1 - sum(bars.map((bar) => bar.p)))};
  return [...bars, after ? {...others, after: Math.max(0, 1 - sum(bars.map((bar) => bar.after ?? 0)))} : others];
}

function of(list) {
  return (id) => list.find((said) => said.id === id)?.p ?? 0;
}

/**
 * @param {HTMLElement} element a list; its rows are kept, so that bars grow to their new lengths
 * @param {Bar[]} bars
 */
export function drawBars(element, bars) {
  while (element.children.length > bars.length) element.lastElementChild?.remove();
  while (element.children.length < bars.length) {
    element.append(make('li', {class: 'ge-bar'}, make('span', {class: 'ge-bar-name gl-serif'}), make('span', {class: 'ge-bar-room'}, make('i', {class: 'ge-blue'}), make('i', {class: 'ge-ochre'})),
      make('span', {class: 'ge-bar-number'}, make('span'), make('span', {class: 'ge-ochre-ink'}))));
  }
  bars.forEach((bar, i) => {
    const [name, room, numbers] = /** @type {HTMLElement[]} */ ([...element.children[i].children]);
    const last = bar.text === 'others' && i === bars.length - 1;
    const word = last ? 'others' : bar.text === ' ' || bar.text === '\n' ? spoken(bar.text) : '';
    name.textContent = word || sign(bar.text);
    name.classList.toggle('ge-word', word !== '');
    /** @type {HTMLElement} */ (room.children[0]).style.width = `${100 * bar.p}%`;
    /** @type {HTMLElement} */ (room.children[1]).style.width = `${100 * (bar.after ?? 0)}%`;
    numbers.children[0].textContent = percent(bar.p);
    numbers.children[1].textContent = bar.after === undefined ? '' : percent(bar.after);
    element.children[i].classList.toggle('ge-paired', bar.after !== undefined);
  });
}

function sum(numbers) { return numbers.reduce((a, b) => a + b, 0); }
