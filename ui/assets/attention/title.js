/** What the large figure shows: the head, its role, what that role does, and the legend. */
import {make} from '../dom.js';
import {CHOICES, coloursOf, table} from '../common/colours.js';
import {paintCanvas} from '../common/canvas.js';
import {SCALES, legendWords, signedTicks, tick} from '../common/scales.js';
import {DIFFERENCES, selectionWords} from '../common/words.js';

const LEGEND = [164, 8];

/** @param {import('./app.js').App} app @param {HTMLElement} element */
export function mount(app, element) {
  const name = make('div', {class: 'ge-title gl-serif'});
  const role = make('div', {class: 'ge-role'});
  const says = make('div', {class: 'ge-role-says'});
  const canvas = /** @type {HTMLCanvasElement} */ (make('canvas', {'aria-hidden': 'true'}));
  const ticks = make('div', {class: 'ge-ticks', 'aria-hidden': 'true'});
  const scale = make('span');
  const colours = /** @type {HTMLSelectElement} */ (make('select', {class: 'ge-quiet', 'aria-label': 'Colour map', on: {change: () => app.set({colours: /** @type {any} */ (colours.value)})}},
    ...CHOICES.map((value) => make('option', {value}, value))));
  const first = /** @type {HTMLInputElement} */ (make('input', {type: 'checkbox', on: {change: () => app.set({hideFirst: first.checked})}}));
  const map = make('span', {}, ', ', colours);
  /** What can be taken from this map: each is offered while it is there. */
  const minus = Object.entries(DIFFERENCES).map(([value, {from}]) => {
    const of = /** @type {'text' | 'silenced'} */ (value);
    const box = /** @type {HTMLInputElement} */ (make('input', {type: 'checkbox', on: {change: () => app.set({difference: box.checked ? of : 'none'})}}));
    return {of, box, label: make('label', {class: 'ge-scale ge-hide-first', hidden: true, title: 'Show the difference (D)'}, box, `minus ${from}`)};
  });
  element.append(name, role, says, make('div', {class: 'ge-legend'}, canvas, ticks, make('div', {class: 'ge-scale'}, scale, map),
    make('label', {class: 'ge-scale ge-hide-first', title: 'Take the weight of the first position out, and share what is left among the others (0)'}, first, 'without the first position'),
    ...minus.map(({label}) => label)));

  function draw() {
    const selection = app.selection();
    const words = selectionWords(selection, app.role(selection.layer, selection.head), app.state.silenced, app.compared());
    name.textContent = words.name;
    role.textContent = words.role;
    says.textContent = words.says;
    element.classList.toggle('ge-off', words.off);
  }

  function legend() {
    const {scale: chosen, hideFirst, difference} = app.state;
    const compared = app.compared() !== null;
    paintCanvas(canvas, LEGEND[0], LEGEND[1], (pixels, w, h) => {
      const of = table(coloursOf(app.ink()), app.dark);
      for (let x = 0; x < w; x++) pixels[x] = of[Math.round((255 * x) / (w - 1))];
      for (let y = 1; y < h; y++) pixels.copyWithin(y * w, 0, w);
    });
    const marked = compared ? signedTicks(chosen).map(({text}) => text) : SCALES[chosen].ticks.map(tick);
    ticks.replaceChildren(...marked.map((text) => make('span', {}, text)));
    first.checked = hideFirst;
    scale.textContent = legendWords(chosen, {difference: compared});
    map.hidden = compared;
    colours.value = app.state.colours;
    for (const {of, box, label} of minus) {
      box.checked = difference === of;
      label.hidden = app.comparable(of) === null;
    }
  }

  app.on((changed) => {
    if (['trace', 'hover', 'layer', 'head', 'average', 'silenced', 'map'].some((n) => changed.has(n))) draw();
    if (['trace', 'scale', 'colours', 'theme', 'hideFirst', 'size', 'map'].some((n) => changed.has(n))) legend();
  });
}
