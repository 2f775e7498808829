/** What silencing each head does, as a grid of numbers: looking is not yet using. */
import {make} from '../dom.js';
import {colour, letters} from '../common/colours.js';
import {chooseTab, pressHeads} from './roving.js';
import {headName, roleLine} from '../common/words.js';

const TOO_MANY = 'Silencing each head in turn would take too long with so many heads and so long a text: silence one, or shorten the text.';
/** The text has settled when nothing has changed for so long. */
const SETTLED_MS = 400;
/** Effects smaller than this are not told apart: below it no colour is full, and no head is named. */
const SMALL = 0.01;
const KEPT = 8;

/** @typedef {'kl' | 'loss'} Measure */
/** @type {[Measure, string][]} */
const MEASURES = [['kl', 'to the next character'], ['loss', 'to the loss on this text']];

/** @param {import('./app.js').App} app @param {HTMLElement} element */
export function mount(app, element) {
  element.classList.add('ge-effects');
  /** @type {Measure} */ let measure = 'kl';
  const words = MEASURES.map(([name, text]) => make('button', {class: 'gl-link', type: 'button', on: {click: () => { measure = name; draw(); }}}, text));
  const grid = make('div', {class: 'ge-effect-grid', role: 'group', 'aria-label': 'What silencing each head does, a row a layer'});
  const says = make('p', {class: 'ge-says', 'aria-live': 'polite'});
  element.append(
    make('div', {class: 'ge-headline'}, make('h2', {class: 'ge-heading'}, 'What silencing each head does'),
      make('span', {class: 'ge-aside ge-switch', role: 'group', 'aria-label': 'Effect'}, ...words, ' bits')),
    grid, says,
    make('p', {class: 'ge-aside'}, 'Attention is not an explanation. It shows where a head looks; only silencing shows whether the model uses what it finds there.'),
  );
  /** @type {HTMLElement[]} */ let cells = [];
  let shape = '';
  let visible = false;
  let timer = 0;
  let asking = '';
  /** What is shown, and for which request. */ let shown = {key: '', found: /** @type {Record<Measure, number[][]> | null} */ (null)};
  /** @type {Map<string, Record<Measure, number[][]>>} */ const known = new Map();

  pressHeads(app, grid, () => cells);
  new IntersectionObserver((entries) => {
    visible = entries[entries.length - 1].isIntersecting;
    settle();
  }, {rootMargin: '120px'}).observe(element);

  function build() {
    const {layers, heads} = /** @type {import('./wire.js').Trace} */ (app.trace);
    grid.style.setProperty('--ge-heads', String(heads));
    // By the number of heads: cells that each ask for their own width take longer to lay out than a frame has.
    grid.classList.toggle('ge-tight', heads > 6);
    grid.classList.toggle('ge-crowded', heads > 10);
    cells = Array.from({length: layers * heads}, () => make('button', {class: 'ge-effect', type: 'button'}, make('span')));
    grid.replaceChildren(
      make('span', {class: 'ge-small'}), ...Array.from({length: heads}, (_, h) => make('span', {class: 'ge-small', 'aria-hidden': 'true'}, String(h))),
      ...Array.from({length: layers}, (_, l) => [make('span', {class: 'ge-small', 'aria-hidden': 'true'}, String(l)), ...cells.slice(l * heads, (l + 1) * heads)]).flat(),
    );
    shape = `${layers} ${heads}`;
    shown = {key: '', found: null};
  }

  /** Ask for the numbers of what is shown, once it stays as it is and can be seen. */
  function settle() {
    clearTimeout(timer);
    if (!app.trace) return;
    const key = JSON.stringify(app.request());
    const found = known.get(key);
    if (found) shown = {key, found};
    else if (visible && app.trace.effects && !app.playing && asking !== key) timer = window.setTimeout(() => ask(key), SETTLED_MS);
    draw();
  }

  async function ask(key) {
    asking = key;
    const found = await app.attempt(() => app.source.effects(JSON.parse(key)), 'Silencing each head in turn');
    if (asking === key) asking = '';
    if (!found) return;
    if (known.size >= KEPT) known.delete(/** @type {string} */ (known.keys().next().value));
    known.set(key, found);
    if (app.trace && JSON.stringify(app.request()) === key) settle();
  }

  function draw() {
    const {trace, state} = app;
    if (!trace) return;
    const values = shown.found?.[measure].flat();
    const most = Math.max(SMALL, ...(values ?? []).map(Math.abs));
    const silenced = new Set(state.silenced.map(([l, h]) => headName(l, h)));
    const unit = measure === 'kl' ? 'bits' : 'bits a character';
    words.forEach((word, i) => word.setAttribute('aria-pressed', String(MEASURES[i][0] === measure)));
    grid.classList.toggle('gl-faded', shown.key !== JSON.stringify(app.request()));
    cells.forEach((cell, i) => {
      const layer = Math.floor(i / trace.heads);
      const name = headName(layer, i % trace.heads);
      const off = silenced.has(name);
      const value = values?.[i];
      const {background, ink} = tint(value ?? 0, most, app.dark);
      const said = off ? 'silenced' : value === undefined ? 'not yet known' : `${effectNumber(value, measure)} ${unit}`;
      cell.style.background = off ? '' : background;
      cell.style.color = off ? '' : ink;
      /** @type {HTMLElement} */ (cell.firstElementChild).textContent = off ? 'off' : value === undefined ? '' : effectNumber(value, measure);
      cell.classList.toggle('ge-off', off);
      cell.classList.toggle('ge-chosen', state.average === 'head' && layer === state.layer && i % trace.heads === state.head);
      cell.classList.toggle('ge-hovered', layer === app.hover.layer && i % trace.heads === app.hover.head);
      cell.setAttribute('aria-label', `Head ${name}: ${said}`);
      cell.title = `Head ${name}, ${roleLine(app.role(layer, i % trace.heads))}: ${said}`;
    });
    chooseTab(cells, state.layer * trace.heads + state.head);
    const asked = 'Each head is silenced by itself, and the model asked again.';
    const text = !trace.effects ? TOO_MANY : shown.found ? sentence(shown.found[measure], measure) : asked;
    if (says.textContent !== text) says.textContent = text;
  }

  app.on((changed) => {
    if (!app.trace) return;
    if (shape !== `${app.trace.layers} ${app.trace.heads}`) build();
    if (['trace', 'playing', 'silenced'].some((name) => changed.has(name))) settle();
    else if (['layer', 'head', 'average', 'hover', 'theme'].some((name) => changed.has(name))) draw();
  });
}

/** Ochre for what is lost, blue for what is gained; by the square root, so that small effects are seen. */
function tint(value, most, dark) {
  const x = Math.sqrt(Math.abs(value) / most);
  const [name, at] = value < 0 ? /** @type {const} */ (['difference', 0.5 + x / 2]) : /** @type {const} */ (['surprise', x]);
  return {background: colour(name, dark, at), ink: letters(name, dark, at)};
}

/** @param {number} value @param {Measure} measure @returns {string} two places; a change of the loss with its sign */
export function effectNumber(value, measure) {
  const text = Math.abs(value).toFixed(2);
  if (measure === 'kl' || Number(text) === 0) return text;
  return `${value < 0 ? '−' : '+'}${text}`;
}

/**
 * The head that matters most.
 * @param {number[][]} values a row a layer
 * @returns {{layer: number, head: number, value: number}}
 */
export function largest(values) {
  let best = {layer: 0, head: 0, value: -Infinity};
  values.forEach((row, layer) => row.forEach((value, head) => { if (value > best.value) best = {layer, head, value}; }));
  return best;
}

/** @param {number[][]} values @param {Measure} measure @returns {string} what the grid shows, in one sentence */
export function sentence(values, measure) {
  const {layer, head, value} = largest(values);
  const name = headName(layer, head);
  if (measure === 'kl') {
    return value < SMALL
      ? `No head by itself changes the next character by as much as ${SMALL} bits: what one would bring, others bring too, or nobody needs it here.`
      : `Without head ${name} the next character changes by ${value.toFixed(2)} bits, more than without any other.`;
  }
  const least = largest(values.map((row) => row.map((v) => -v)));
  const gain = least.value >= SMALL ? ` Without head ${headName(least.layer, least.head)} it would even predict it better, by ${least.value.toFixed(2)}.` : '';
  return value < SMALL
    ? `Without any one head the model predicts this text about as well: none costs as much as ${SMALL} bits a character.${gain}`
    : `Without head ${name} the model predicts this text worse, by ${value.toFixed(2)} bits a character, more than without any other.${gain}`;
}
