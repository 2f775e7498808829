/** Two texts, or one with heads silenced and not: their maps, the difference, and what it does to the next character. */
import {make} from '../dom.js';
import {comparisonMaps} from './comparison.js';
import {lensAt, nextProbability} from './wire.js';
import {align} from './maps.js';
import {verse} from '../common/verse.js';
import {drawBars, inList, leastOf} from '../common/bars.js';
import {headNames} from '../common/words.js';

const WAIT_MS = 300;
const BARS = 6;

/** @param {import('./app.js').App} app @param {HTMLElement} element */
export function mount(app, element) {
  element.classList.add('ge-compare');
  /** @type {'text' | 'silenced'} */ let wanted = 'text';
  let timer = 0;
  const choose = {text: choice('text', 'another text'), silenced: choice('silenced', 'the same with no head silenced')};
  const field = /** @type {HTMLTextAreaElement} */ (make('textarea', {class: 'ge-second', rows: 4, spellcheck: false, 'aria-label': 'The other text', on: {input: typed}}));
  const copy = make('button', {class: 'gl-button', type: 'button', on: {click: begin}}, 'Compare with an edited copy');
  const large = make('button', {class: 'gl-button', type: 'button', on: {click: () => { const of = kind(); app.set({difference: app.state.difference === of ? 'none' : of}); }}}, 'In the large map ', make('kbd', {}, 'D'));
  const stop = make('button', {class: 'gl-button', type: 'button', on: {click: clear}}, 'End the comparison');
  const says = make('p', {class: 'ge-says', 'aria-live': 'polite'});
  const strips = make('div', {class: 'ge-two ge-strips'});
  const swatches = make('span', {class: 'ge-aside'});
  const list = make('ul', {class: 'gl-bars'});
  const bars = make('div', {class: 'ge-pairs'}, make('h3', {class: 'ge-heading'}, 'Next character ', swatches), list);
  const maps = make('div', {class: 'ge-comparison'});
  const body = make('div', {class: 'ge-compare-body'}, strips, maps, bars);
  element.append(
    make('div', {class: 'ge-bar-over'}, make('div', {class: 'ge-headline'}, make('h2', {class: 'ge-heading'}, 'Two texts'),
      make('span', {class: 'ge-aside ge-switch', role: 'group', 'aria-label': 'Compared with'}, 'compared with', choose.text, choose.silenced)),
    make('div', {class: 'ge-buttons'}, copy, large, stop)),
    field, says, body,
  );
  const figure = comparisonMaps(app, maps);

  function choice(name, text) {
    return /** @type {HTMLButtonElement} */ (make('button', {class: 'gl-link', type: 'button', on: {click: () => { wanted = name; draw(); }}}, text));
  }

  function begin() {
    wanted = 'text';
    app.set({second: app.state.text});
    draw();
    field.focus();
  }

  function typed() {
    clearTimeout(timer);
    timer = window.setTimeout(() => app.set({second: field.value}), WAIT_MS);
  }

  function clear() {
    clearTimeout(timer);
    field.value = '';
    app.set({second: ''});
    copy.focus();
  }

  /** What is compared: a text where one is given or wanted, else the heads. */
  function kind() {
    return wanted === 'silenced' && app.state.silenced.length ? 'silenced' : 'text';
  }

  function draw() {
    const {trace, state} = app;
    if (!trace) return;
    const now = kind();
    const other = now === 'silenced' ? app.base : app.other;
    const comparing = now === 'text' && state.second !== '';
    choose.silenced.disabled = !state.silenced.length;
    choose.silenced.title = state.silenced.length ? '' : 'No head is silenced';
    for (const [name, button] of Object.entries(choose)) button.setAttribute('aria-pressed', String(name === now));
    copy.hidden = now === 'silenced' || comparing;
    stop.hidden = !comparing;
    large.hidden = app.comparable(now) === null;
    large.setAttribute('aria-pressed', String(app.compared() === now));
    field.hidden = !comparing;
    if (field !== document.activeElement || field.value === '') field.value = state.second;
    says.textContent = sentence(now, other, comparing);
    body.hidden = !other;
    body.classList.toggle('gl-faded', now === 'text' && other !== null && comparing && other.text !== state.second && app.busy !== '');
    figure.show(now, other);
    if (!other) return;
    const alignment = align(trace.ids, other.ids);
    strips.hidden = now === 'silenced';
    if (now === 'text') strips.replaceChildren(stripOf('This text', trace, differing(trace, other, alignment)), stripOf('The other', other, differing(other, trace, align(other.ids, trace.ids))));
    showBars(trace, other, now);
  }

  function sentence(now, other, comparing) {
    if (now === 'silenced') return `This text twice: with ${headNames(app.state.silenced)} silenced, and with no head silenced. Layers below a silenced head look as before.`;
    if (!comparing) return 'Change one character of a text and see what else changes: which heads look elsewhere, and what the model would say next.';
    if (!other) return 'The other text is being read.';
    const count = differing(app.trace, other, align(app.trace?.ids ?? [], other.ids)).size;
    if (count === 0 && other.tokens === app.trace?.tokens) return 'The two texts are the same so far. Change one character of the other.';
    return `${count === 1 ? 'One character differs' : `${count} characters differ`}. Positions at the same place of the same beginning and the same end are compared.`;
  }

  function stripOf(name, trace, marked) {
    const parts = trace.pieces.map((text, t) => ({text, class: marked.has(t) ? 'ge-differs' : ''}));
    return make('figure', {class: 'ge-one'}, make('figcaption', {class: 'ge-aside'}, name), make('div', {class: 'ge-verse'}, ...verse(joined(parts))));
  }

  function showBars(trace, other, now) {
    const [a, b] = [trace, other].map((of) => lensAt(of, of.tokens - 1)?.at(-1));
    bars.hidden = !a || !b;
    if (!a || !b) return;
    const [thisName, otherName] = now === 'silenced' ? [`without ${headNames(app.state.silenced)}`, 'with all heads'] : ['this text', 'the other'];
    const key = (ink, name) => make('span', {class: 'ge-whole'}, make('i', {class: `ge-swatch ${ink}`}), name);
    swatches.replaceChildren(key('gl-blue', thisName), ' ', key('gl-ochre', otherName));
    list.setAttribute('aria-label', `Probabilities of the next character: ${thisName}, then ${otherName}`);
    const of = (one) => (id) => nextProbability(one, one.tokens - 1, id);
    drawBars(list, paired(a, b, BARS, of(trace), of(other)));
  }

  app.on((changed) => {
    if (['trace', 'base', 'other', 'second', 'silenced', 'busy', 'model', 'difference'].some((name) => changed.has(name))) draw();
    figure.update(changed);
  });
  draw();
}

/**
 * Positions of a text that the other does not have, or has otherwise.
 * @param {import('./wire.js').Trace} trace
 * @param {import('./wire.js').Trace} other
 * @param {Int32Array} alignment of the first with the second
 * @returns {Set<number>}
 */
export function differing(trace, other, alignment) {
  return new Set([...alignment.keys()].filter((t) => alignment[t] < 0 || trace.ids[t] !== other.ids[alignment[t]]));
}

/**
 * The most probable tokens of two predictions, side by side.
 * @param {import('../common/bars.js').Said[]} a best first
 * @param {import('../common/bars.js').Said[]} b
 * @param {number} most
 * @param {(id: number) => number | null} [aOf] probability of any token, null where it is not known; by default of those in the list
 * @param {(id: number) => number | null} [bOf]
 * @returns {import('../common/bars.js').Bar[]}
 */
export function paired(a, b, most, aOf = inList(a), bOf = inList(b)) {
  const texts = new Map([...a, ...b].map((said) => [said.id, said.text]));
  const larger = ({p, after}) => Math.max(p ?? 0, after ?? 0);
  return [...texts].map(([id, text]) => ({text, p: aOf(id), after: bOf(id), least: leastOf(a), leastAfter: leastOf(b)}))
    .sort((x, y) => larger(y) - larger(x)).slice(0, most);
}

/** Neighbours of one kind as one part. */
function joined(parts) {
  const runs = [];
  for (const part of parts) {
    const last = runs[runs.length - 1];
    if (last && last.class === part.class) last.text += part.text;
    else runs.push({...part});
  }
  return runs;
}
