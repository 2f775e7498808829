/** The choice of what stands under each character, and its scale. */
import {colour} from '../common/colours.js';
import {make} from '../dom.js';
import {desk} from './desk.js';
import {TINTS} from './tint.js';

const STOPS = 9;

/** @returns {HTMLElement} */
export function tintBar() {
  const select = /** @type {HTMLSelectElement} */ (make('select', {'aria-label': 'Tint', on: {change: () => desk.set({tint: /** @type {any} */ (select.value)})}},
    ...Object.keys(TINTS).map((name) => make('option', {value: name}, name))));
  const low = make('span');
  const ramp = make('i', {class: 'gp-ramp'});
  const high = make('span');
  const legend = make('span', {class: 'gp-legend', 'aria-hidden': 'true'}, low, ramp, high);
  const part = make('div', {class: 'gp-tint'}, make('span', {class: 'gp-tint-name'}, 'Tint'), make('span', {class: 'gp-tint-choice'}, make('span', {class: 'gl-choice'}, select)), legend);

  function draw() {
    const tint = TINTS[desk.state.tint];
    const dark = document.documentElement.classList.contains('dark') || document.body.classList.contains('dark');
    select.value = desk.state.tint;
    part.title = tint.says;
    legend.classList.toggle('gp-away', desk.state.tint === 'none'); // its room stays
    if (desk.state.tint === 'none') return;
    low.textContent = tint.low;
    high.textContent = tint.high;
    const stops = Array.from({length: STOPS}, (_, i) => colour(tint.map, dark, i / (STOPS - 1)));
    ramp.style.background = `linear-gradient(to right, ${stops.join(', ')})`;
  }

  desk.on((changed) => { if (changed.has('tint')) draw(); });
  for (const root of [document.body, document.documentElement]) new MutationObserver(draw).observe(root, {attributes: true, attributeFilter: ['class']});
  draw();
  return part;
}
