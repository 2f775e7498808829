/** What each layer would say: the logit lens as a ladder, the input at its foot. */
import {make} from '../dom.js';
import {colour, letters} from './colours.js';
import {percent, sign, spoken} from './words.js';

/** A box for each token that is at least this probable, the first one always. */
const LEAST = 0.01;
const MOST = {usual: 5, large: 6};

/** @typedef {import('./wire.js').Said} Said */

/**
 * @param {Said[][]} layers for the input and each layer what it would say, the most probable first
 * @param {{dark: boolean, large?: boolean}} options
 * @returns {HTMLElement}
 */
export function ladder(layers, {dark, large = false}) {
  const rungs = layers.map((said, i) => {
    const boxes = shownOf(said, large ? MOST.large : MOST.usual);
    const name = layerName(i);
    const row = make('div', {class: 'ge-rung', role: 'img', 'aria-label': `${name}: ${boxes.map((s) => `${spoken(s.text)} ${percent(s.p)}`).join(', ')}`},
      make('span', {class: 'ge-rung-name'}, name),
      make('span', {class: 'ge-rung-boxes'}, ...boxes.map((s) => boxOf(s, boxes.length, dark))));
    return row;
  });
  return make('div', {class: `ge-rungs${large ? ' ge-large' : ''}`}, ...rungs.reverse());
}

/** @param {Said} said @param {number} count boxes in its row @param {boolean} dark */
function boxOf({text, p}, count, dark) {
  const tint = Math.max(0.08, p);
  const box = make('span', {class: 'ge-said', title: `${spoken(text)} ${percent(p)}`},
    make('span', {class: 'ge-said-letter'}, sign(text)), make('span', {class: 'ge-said-p'}, percent(p)));
  box.style.setProperty('--ge-p', String(p));
  box.style.setProperty('--ge-count', String(count));
  box.style.background = colour('ink', dark, tint);
  box.style.color = letters('ink', dark, tint);
  return box;
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
    figure.replaceChildren(ladder(layers, {dark: app.dark, large}));
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
