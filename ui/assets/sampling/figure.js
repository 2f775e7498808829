/** The first figure: what the model believes and what the settings leave, with the characters between them. */
import {drawingContext} from '../common/canvas.js';
import {percent, sign} from '../common/words.js';
import {make} from '../dom.js';
import {STAGGER, heights, letterLines, paintBars} from './bars.js';
import {inksOf} from './inks.js';
import {ceiling} from './numbers.js';
import {columnWords} from './readout.js';
import {bitsWords, cutWords} from './sentence.js';

/** The headings stand where bars of a likely first character do not reach: this share of the width from the left. */
const ASIDE = 0.155;
const ASIDE_NARROW = 0.34;
/** Room of the number at the largest bar, and of a letter of a sentence, about. */
const NUMBER = 32;
const LETTER = 6.7;

/** @param {import('./lab.js').Lab} lab @param {HTMLElement} element @param {import('./stage.js').Stage} stage @param {{thousand: HTMLElement}} parts */
export function mount(lab, element, stage, {thousand}) {
  const canvas = /** @type {HTMLCanvasElement} */ (make('canvas', {class: 'gs-bars', 'aria-hidden': 'true'}));
  const letters = make('div', {class: 'gs-letters gl-serif', 'aria-hidden': 'true'});
  const most = make('span', {class: 'gs-most'});
  const mostLeft = make('span', {class: 'gs-most'});
  const line = make('div', {class: 'gs-cut-line'});
  const cut = make('div', {class: 'gs-cut'});
  const says = make('div', {class: 'gs-says'});
  const saysLeft = make('div', {class: 'gs-says'});
  const believes = make('div', {class: 'gs-title'}, make('h2', {class: 'gs-heading'}, 'What the model believes'), says);
  const leaves = make('div', {class: 'gs-title'}, make('h2', {class: 'gs-heading'}, 'What your settings leave'), saysLeft, thousand);
  const outline = make('div', {class: 'gs-outline', hidden: true});
  const plane = make('div', {class: 'gs-plane', tabIndex: 0, role: 'slider', 'aria-label': 'The next characters, by belief', 'aria-valuemin': '1'},
    canvas, letters, line, cut, believes, leaves, most, mostLeft, outline);
  element.append(plane);
  /** @type {HTMLElement[]} */ let signs = [];
  /** What the letters were laid for. @type {unknown[]} */ let laid = [];
  let lines = 1;
  let stands = heights(lines, stage.room());

  plane.addEventListener('pointermove', (event) => stage.point(stage.under(event)));
  plane.addEventListener('pointerdown', (event) => stage.point(stage.under(event)));
  plane.addEventListener('pointerleave', (event) => { if (event.pointerType === 'mouse') stage.point(null); });
  plane.addEventListener('blur', () => stage.point(null));
  plane.addEventListener('keydown', (event) => {
    const steps = {ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageUp: 10, PageDown: -10, Home: -Infinity, End: Infinity};
    const last = stage.count() - 1;
    if (!(event.key in steps) || last < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const from = lab.hover ?? (steps[event.key] > 0 ? -1 : last + 1);
    stage.point(Math.max(0, Math.min(last, from + steps[event.key])));
  });

  /** The characters, sorted once by belief: the settings never move them. @param {import('./numbers.js').Columns} columns */
  function layLetters({ids, others}) {
    const count = stage.count();
    const words = lab.unit() === 'token';
    lines = letterLines(stage.width / count, words);
    const room = stage.room();
    const {top, axis, letters: high, height, below} = stands = heights(lines, room, words);
    letters.classList.toggle('gs-words', words);
    plane.style.height = `${height}px`;
    letters.style.top = `${axis}px`;
    letters.style.height = `${high}px`;
    line.style.top = `${axis - 46}px`;
    line.style.height = `${high + 92}px`;
    cut.style.top = `${below + 26}px`;
    believes.style.top = `${top + 14}px`;
    leaves.style.bottom = `${height - below - room + (stage.narrow() ? -4 : 18)}px`;
    const shown = [...ids.map((id) => sign(lab.piece(id))), ...(others ? [`+${others.toLocaleString('en')}`] : [])];
    signs = shown.map((text, i) => {
      const long = words && [...text].length > 1;
      const span = make('span', {class: i === ids.length ? 'gs-letter gs-others' : 'gs-letter'}, lines === 0 ? '' : long ? make('span', {}, text) : text);
      span.style.left = `${stage.edge(i, count)}px`;
      span.style.width = `${stage.edge(i + 1, count) - stage.edge(i, count)}px`;
      span.style.top = `${(lines > 1 ? i % lines : 0) * STAGGER}px`;
      return span;
    });
    letters.replaceChildren(...signs);
  }

  function draw() {
    const seen = lab.numbers();
    if (!seen || !stage.width) return;
    const {belief, left} = seen;
    const columns = stage.columns(belief);
    const key = [lab.path?.vocabulary, columns, stage.width, stage.presented, lab.path?.names];
    if (key.some((part, i) => part !== laid[i])) { laid = key; layLetters(columns); }
    const count = signs.length;
    const edge = (column) => stage.edge(column, count);
    const believed = stage.shares(belief, belief.p);
    const kept = stage.shares(belief, left.p);
    const rolls = lab.rolls();
    const counts = rolls ? countsOf(columns, rolls) : [];
    const full = ceiling(believed.reduce(larger), kept.reduce(larger));
    const room = stage.room();
    const {axis, below, height} = stands;
    const context = drawingContext(canvas, stage.width, height);
    const sum = counts.reduce((a, b) => a + b, 0);
    paintBars(context, {edge, belief: believed, left: kept, rolls: rolls && Float64Array.from(counts, (c) => c / sum), counts, ceiling: full, axis, below, room}, inksOf(plane, lab.dark));
    signs.forEach((span, i) => span.classList.toggle('gs-gone', kept[i] <= 0));
    label(most, believed, edge, (share) => axis - (share / full) * room - 20);
    label(mostLeft, kept, edge, (share) => below + (share / full) * room + 2);
    mostLeft.hidden = rolls !== null;
    drawCut(seen, columns, edge);
    says.textContent = `${bitsWords(belief.bits)}, temperature 1`;
    saysLeft.textContent = `${bitsWords(left.bits)}, ${left.count.toLocaleString('en')} ${lab.unit()}${left.count === 1 ? '' : 's'}`;
    const aside = Math.round(stage.width * (stage.narrow() ? ASIDE_NARROW : ASIDE));
    believes.style.left = leaves.style.left = `${aside}px`;
  }

  /** One dashed line where those that stay are the first by belief; none where a penalty has mixed them. */
  function drawCut({left, belief}, columns, edge) {
    const size = belief.p.length;
    const whole = cutWords(left, size, lab.unit());
    const parted = whole !== '' && left.prefix && left.count <= columns.ids.length;
    line.hidden = !parted;
    cut.hidden = whole === '';
    if (whole === '') return;
    const x = parted ? edge(left.count) - 1.5 : stage.width * (stage.narrow() ? ASIDE_NARROW : ASIDE) - 10;
    if (parted) line.style.left = `${x}px`;
    const turned = x > stage.width * 0.62; // there is no room to the right of it
    const short = stage.narrow() || (turned ? x : stage.width - x) - 10 < LETTER * whole.length;
    cut.textContent = short ? cutWords(left, size, lab.unit(), true) : whole;
    cut.style.left = turned ? 'auto' : `${x + 10}px`;
    cut.style.right = turned ? `${parted ? stage.width - x + 10 : 0}px` : 'auto';
    cut.style.maxWidth = `${(turned ? x : stage.width - x) - 10}px`;
  }

  function point() {
    const column = lab.hover;
    outline.hidden = column === null || column >= signs.length;
    const words = columnWords(lab, stage, column ?? 0);
    plane.setAttribute('aria-valuemax', String(signs.length));
    plane.setAttribute('aria-valuenow', String((column ?? 0) + 1));
    plane.setAttribute('aria-valuetext', words.map(({text}) => text).join(', '));
    if (column === null) return;
    outline.style.left = `${stage.edge(column, signs.length) - 1}px`;
    outline.style.width = `${stage.edge(column + 1, signs.length) - stage.edge(column, signs.length)}px`;
  }

  lab.on((changed) => {
    if (['path', 'settings', 'seed', 'thousand', 'columns', 'theme'].some((name) => changed.has(name))) draw();
    if (['path', 'hover', 'columns', 'settings'].some((name) => changed.has(name))) point();
  });
}

/** @param {import('./numbers.js').Columns} columns @param {Int32Array} rolls for each id @returns {number[]} for each column */
export function countsOf({ids, others}, rolls) {
  const counts = ids.map((id) => rolls[id]);
  return others ? [...counts, rolls.reduce((a, b) => a + b, 0) - counts.reduce((a, b) => a + b, 0)] : counts;
}

/** The number at the largest bar. */
function label(element, shares, edge, top) {
  let best = 0;
  shares.forEach((share, i) => { if (share > shares[best]) best = i; });
  element.textContent = percent(shares[best]);
  element.style.left = `${Math.min(edge(best), edge(shares.length) - NUMBER)}px`;
  element.style.top = `${top(shares[best])}px`;
}

function larger(a, b) { return a > b ? a : b; }

