/** Bars of the next character: what the model believes, and what it would without some heads. */
import {make} from '../dom.js';
import {percent, sign, spoken} from './words.js';

/**
 * @typedef {object} Bar
 * @property {string} text
 * @property {number} p
 * @property {number} [after] the same after what was changed
 */

/**
 * The likeliest next characters, and the rest as one.
 * @param {import('./wire.js').Said[]} before
 * @param {import('./wire.js').Said[] | null} after null: nothing was changed
 * @param {number} count
 * @returns {Bar[]}
 */
export function barsOf(before, after, count) {
  const bars = before.slice(0, count).map(({id, text, p}) => ({text, p, ...(after ? {after: after.find((said) => said.id === id)?.p ?? 0} : {})}));
  if (after && !bars.some((bar) => bar.text === after[0].text)) { // what it says now belongs in the picture
    bars[bars.length - 1] = {text: after[0].text, p: before.find((said) => said.id === after[0].id)?.p ?? 0, after: after[0].p};
  }
  const others = {text: 'others', p: Math.max(0, 1 - sum(bars.map((bar) => bar.p)))};
  return [...bars, after ? {...others, after: Math.max(0, 1 - sum(bars.map((bar) => bar.after ?? 0)))} : others];
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
