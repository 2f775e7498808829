/** Bars of the next character, one chart for all tabs: what the model believes, and beside it what it says after a change. */
import {make} from '../dom.js';
import {percent, spoken, short} from './words.js';

/** @typedef {{id: number, text: string, p: number}} Said a token and its probability */

/**
 * @typedef {object} Bar
 * @property {string} text
 * @property {number | null} p null: not known, but less than `least`
 * @property {number | null} [after] the same after what was changed; without it the bar is single
 * @property {number} [least] the least probability that is known
 * @property {number} [leastAfter]
 * @property {boolean} [others] all that have no bar of their own
 */

/**
 * What is said next; where something was changed, before and after.
 * @typedef {object} Next
 * @property {Said[]} before the likeliest
 * @property {Said[] | null} after null: nothing is changed, or it is not known what was said before
 * @property {(id: number) => number | null} [beforeOf] probability of any token, null where it is not known; by default of those in the list
 * @property {(id: number) => number | null} [afterOf]
 */

/**
 * The likeliest next characters, and the rest as one.
 * @param {Next} next
 * @param {number} count
 * @returns {Bar[]}
 */
export function barsOf({before, after, beforeOf = inList(before), afterOf = inList(after ?? [])}, count) {
  /** @type {{id: number, text: string, p: number | null}[]} */ const shown = before.slice(0, count);
  if (after && !shown.some(({id}) => id === after[0].id)) { // what it says now belongs in the picture
    shown[shown.length - 1] = {...after[0], p: beforeOf(after[0].id)};
  }
  const least = leastOf(before);
  const bars = shown.map(({id, text, p}) => ({text, p, least, ...(after ? {after: afterOf(id), leastAfter: leastOf(after)} : {})}));
  const rest = (of) => Math.max(0, 1 - bars.reduce((sum, bar) => sum + (of(bar) ?? 0), 0));
  return [...bars, {text: 'others', others: true, p: rest((bar) => bar.p), ...(after ? {after: rest((bar) => bar.after)} : {})}];
}

/** @param {Said[]} list @returns {(id: number) => number | null} */
export function inList(list) {
  return (id) => list.find((said) => said.id === id)?.p ?? null;
}

/** @param {Said[]} list best first @returns {number} */
export function leastOf(list) { return list[list.length - 1].p; }

/** @param {number | null} p @param {number} [least] @returns {string} in percent; where it is not known, than what it is less: "<0.3 %" */
export function barNumber(p, least = 0) {
  return p === null ? `<${percent(least).replace('<', '')}` : percent(p);
}

/** @param {Bar} bar @returns {string} what stands at its left */
export function barName({text, others}) { return others ? 'others' : short(text); }

/** What a press on a row of a list does. @type {WeakMap<Element, (i: number) => void>} */
const picks = new WeakMap();

/**
 * @param {HTMLElement} element a list of class `gl-bars`; its rows are kept, so that bars grow to their new lengths
 * @param {Bar[]} bars
 * @param {{onPick?: (i: number) => void}} [options] onPick: each row but that of the others is a button
 */
export function drawBars(element, bars, {onPick} = {}) {
  if (onPick) picks.set(element, onPick); else picks.delete(element);
  while (element.children.length > bars.length) element.lastElementChild?.remove();
  bars.forEach((bar, i) => {
    const tag = onPick && !bar.others ? 'button' : 'div';
    if (element.children[i]?.firstElementChild?.localName !== tag) {
      const line = make('li', {class: 'gl-bar'}, newRow(element, tag));
      if (element.children[i]) element.children[i].replaceWith(line); else element.append(line);
    }
    fill(/** @type {HTMLElement} */ (element.children[i].firstElementChild), bar);
  });
}

function newRow(element, tag) {
  const row = make(tag, {class: 'gl-bar-row'}, make('span', {class: 'gl-bar-name gl-serif'}), make('span', {class: 'gl-bar-room'}, make('i', {class: 'gl-blue'}), make('i', {class: 'gl-ochre'})),
    make('span', {class: 'gl-bar-number'}, make('span'), make('span', {class: 'gl-ochre-ink'})));
  if (tag === 'button') {
    row.setAttribute('type', 'button');
    row.addEventListener('click', () => picks.get(element)?.([...element.children].indexOf(/** @type {Element} */ (row.parentElement))));
  }
  return row;
}

function fill(row, bar) {
  const [name, room, numbers] = /** @type {HTMLElement[]} */ ([...row.children]);
  const paired = bar.after !== undefined;
  name.textContent = barName(bar);
  name.classList.toggle('gl-bar-word', bar.others === true || bar.text === ' ' || bar.text === '\n');
  /** @type {HTMLElement} */ (room.children[0]).style.width = `${100 * (bar.p ?? 0)}%`;
  /** @type {HTMLElement} */ (room.children[1]).style.width = `${100 * (bar.after ?? 0)}%`;
  numbers.children[0].textContent = barNumber(bar.p, bar.least);
  numbers.children[1].textContent = paired ? barNumber(bar.after, bar.leastAfter) : '';
  row.parentElement.classList.toggle('gl-paired', paired);
  if (row.localName === 'button') row.setAttribute('aria-label', `${spoken(bar.text)}, ${[...numbers.children].map((one) => one.textContent).filter(Boolean).join(', then ')}`);
}
