/** What each layer would say: the logit lens as a ladder, the input at its foot. */
import {make} from '../dom.js';
import {colour, letters} from '../common/colours.js';
import {percent, sign, spoken} from '../common/words.js';

/** A box for each token that is at least this probable, the first one always. */
const LEAST = 0.01;
const MOST = {usual: 5, large: 6};

/** @typedef {import('./wire.js').Said} Said */

/** From this probability on there is room for it in the box. */
const ROOMY = 0.45;

/**
 * Draw a ladder, or draw it anew: its boxes are kept, for making them takes longer than a frame has.
 * @param {HTMLElement} place
 * @param {Said[][]} layers for the input and each layer what it would say, the most probable first
 * @param {{dark: boolean, large?: boolean}} options
 */
export function drawLadder(place, layers, {dark, large = false}) {
  const most = large ? MOST.large : MOST.usual;
  if (place.firstElementChild?.children.length !== layers.length) {
    const rungs = layers.map((_, i) => make('div', {class: 'ge-rung', role: 'img'}, make('span', {class: 'ge-rung-name'}, layerName(i)),
      make('span', {class: 'ge-rung-boxes'}, ...Array.from({length: most}, emptyBox))));
    place.replaceChildren(make('div', {class: `ge-rungs${large ? ' ge-large' : ''}`}, ...rungs.reverse()));
  }
  const rungs = [.../** @type {HTMLElement} */ (place.firstElementChild).children].reverse();
  layers.forEach((said, i) => {
    const shown = shownOf(said, most);
    rungs[i].setAttribute('aria-label', `${layerName(i)}: ${shown.map((s) => `${spoken(s.text)} ${percent(s.p)}`).join(', ')}`);
    const boxes = /** @type {HTMLElement[]} */ ([.../** @type {Element} */ (rungs[i].lastElementChild).children]);
    boxes.forEach((box, k) => fillBox(box, shown[k], shown.length, dark));
  });
}

function emptyBox() {
  return make('span', {class: 'ge-said'}, make('span', {class: 'ge-said-letter'}), make('span', {class: 'ge-said-p'}));
}

/** @param {HTMLElement} box @param {Said | undefined} said @param {number} count boxes in its row @param {boolean} dark */
function fillBox(box, said, count, dark) {
  box.hidden = said === undefined;
  if (!said) return;
  const tint = Math.max(0.08, said.p);
  box.title = `${spoken(said.text)} ${percent(said.p)}`;
  box.children[0].textContent = sign(said.text);
  box.children[1].textContent = said.p >= ROOMY ? percent(said.p) : '';
  box.style.setProperty('--ge-p', String(said.p));
  box.style.setProperty('--ge-count', String(count));
  box.style.background = colour('ink', dark, tint);
  box.style.color = letters('ink', dark, tint);
}

/** @param {Said[]} said @param {number} most @returns {Said[]} those that get a box */
export function shownOf(said, most) {
  return said.filter(({p}, i) => i === 0 || (i < most && p >= LEAST));
}

/** @param {number} i 0 is the input */
export function layerName(i) {
  return i === 0 ? 'input' : `layer ${i - 1}`;
}

/**
 * Where the last layer's answer first stands on top and stays there.
 * @param {Said[][]} layers
 * @returns {number} index of the layers given: 0 is the input
 */
export function settledAt(layers) {
  let from = layers.length - 1;
  while (from > 0 && layers[from - 1][0].id === layers[layers.length - 1][0].id) from--;
  return from;
}

/** @param {Said[][]} layers @param {string | undefined} truth what the text goes on with, where that is known */
export function ladderSentence(layers, truth) {
  const answer = spoken(layers[layers.length - 1][0].text);
  const from = settledAt(layers);
  const last = layers.length - 1;
  const says = from === 0 ? `The input alone already says ${answer}, and every layer agrees.`
    : from === last ? `Only the last layer says ${answer}.` : `From ${layerName(from)} on it says ${answer}.`;
  return truth === undefined ? says : `${says} The text goes on with ${spoken(truth)}.`;
}

/**
 * @param {import('./app.js').App} app
 * @param {HTMLElement} element
 * @param {{large?: boolean}} [options] large: in the main figure, drawn while that view is chosen
 */
export function mount(app, element, {large = false} = {}) {
  element.classList.add('ge-lens');
  const aside = make('span', {class: 'ge-aside'});
  const figure = make('div', {class: 'ge-rungs-place'});
  const says = make('p', {class: 'ge-says'});
  element.append(make('div', {class: 'ge-headline'}, make('h2', {class: 'ge-heading'}, 'What each layer would say'), aside), figure, says);
  if (!large) element.append(make('p', {class: 'ge-aside'}, 'The last step, from numbers to characters, taken after every layer and not only after the last.'));

  function draw() {
    const {trace} = app;
    if (!trace || (large && app.state.view !== 'lens')) return;
    const position = app.row();
    aside.textContent = whereSaid(trace, position, app.pinned());
    const layers = app.lens(position);
    figure.classList.toggle('gl-faded', layers === null);
    if (!layers) return; // being fetched: the old one stays
    drawLadder(figure, layers, {dark: app.dark, large});
    says.textContent = ladderSentence(layers, trace.pieces[position + 1]);
  }

  app.on((changed) => {
    if (['trace', 'hover', 'pin', 'exact', 'view', 'theme'].some((name) => changed.has(name))) draw();
  });
  draw();
}

/** @param {import('./wire.js').Trace} trace @param {number} position @param {number | null} pinned @returns {string} where the ladder stands */
export function whereSaid(trace, position, pinned) {
  const piece = spoken(trace.pieces[position]);
  if (position === pinned) return `at the pinned ${piece}, with its probability`;
  if (position === trace.tokens - 1) return `at the last ${piece}, with its probability`;
  return `at ${piece} (${trace.start + position}), with its probability`;
}
