/** The pinned row as bars, and as a table with exact numbers: for whoever cannot see the picture, and whoever wants the figures. */
import {make} from '../dom.js';
import {typeSize} from './axes.js';
import {drawingContext} from '../common/canvas.js';
import {strongestFirst} from './maps.js';
import {capacityFor} from './raster.js';
import {place} from '../common/scales.js';
import {DIFFERENCES, number, sign, signed, spoken} from '../common/words.js';

/** So many stand on a page of 900 with the controls under them, and on a projector. */
const SHOWN = 8;
const CONTEXT = 10;

/** @param {import('./app.js').App} app @param {HTMLElement} element */
export function mount(app, element) {
  const canvas = /** @type {HTMLCanvasElement} */ (make('canvas', {class: 'ge-bars', 'aria-hidden': 'true'}));
  const caption = make('caption');
  const body = make('tbody');
  const heading = make('th', {scope: 'col', class: 'ge-number'});
  const all = make('button', {class: 'gl-link', type: 'button', on: {click: () => { whole = !whole; draw(); }}});
  const table = make('table', {class: 'ge-table'}, caption,
    make('thead', {}, make('tr', {}, make('th', {scope: 'col'}, 'Position'), make('th', {scope: 'col'}, 'Character'), make('th', {scope: 'col'}, 'Where'), heading)), body);
  element.append(canvas, table, all);
  let whole = false;
  let geometry = {step: 1};

  canvas.addEventListener('pointermove', (event) => {
    const s = Math.floor((event.clientX - canvas.getBoundingClientRect().left) / geometry.step);
    const row = app.pinned() ?? (app.trace?.tokens ?? 1) - 1;
    app.point(s >= 0 && s <= row ? {row, column: s} : null);
  });
  canvas.addEventListener('pointerleave', () => app.point(null));
  body.addEventListener('pointerover', (event) => {
    const line = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest('tr'));
    if (line) app.point({row: app.pinned() ?? (app.trace?.tokens ?? 1) - 1, column: Number(line.dataset.s)});
  });
  body.addEventListener('pointerleave', () => app.point(null));

  function draw() {
    const {trace} = app;
    if (!trace) return;
    const row = app.row();
    const weights = app.weights(row);
    bars(trace, row, weights);
    const order = strongestFirst(weights);
    const exact = app.exactRow(row) !== null;
    const compared = app.compared();
    const minus = compared ? `, ${DIFFERENCES[compared].name}` : '';
    caption.textContent = `What ${spoken(trace.pieces[row])} at ${row + trace.start} looks at${minus}${exact ? '' : ', rounded'}`;
    heading.textContent = minus ? 'Difference' : 'Weight';
    if (app.hover.row === undefined || !body.childElementCount) {
      body.replaceChildren(...order.slice(0, whole ? order.length : SHOWN).map((s) => line(trace, s, minus ? signed(weights[s]) : exact ? weights[s].toFixed(4) : number(weights[s]))));
    }
    all.textContent = whole ? 'The strongest alone' : `All ${order.length} positions`;
    all.hidden = order.length <= SHOWN;
  }

  function bars(trace, row, weights) {
    const style = getComputedStyle(element);
    const type = typeSize(style);
    const width = Math.min(element.clientWidth - parseFloat(style.paddingLeft), parseFloat(style.getPropertyValue('--ge-side')) + (parseFloat(style.getPropertyValue('--ge-gutter')) || 0) || 600);
    const height = 200;
    const context = drawingContext(canvas, width, height);
    const step = width / capacityFor(trace.tokens, trace.blockSize);
    geometry = {step};
    const most = Math.max(1e-6, ...weights.map(Math.abs));
    const base = height - 2 * type;
    const colour = (name) => style.getPropertyValue(name).trim();
    weights.forEach((w, s) => {
      const tall = place(app.state.scale, Math.abs(w), most) * (base - 20);
      context.fillStyle = colour(w < 0 ? '--gl-ochre' : '--gl-blue');
      context.fillRect(s * step, base - tall, Math.max(1, step - (step > 4 ? 1 : 0)), tall);
    });
    context.fillStyle = colour('--gl-edge');
    context.fillRect(0, base, width, 1);
    context.textAlign = 'center';
    context.font = `${1.33 * type}px ${colour('--gl-serif')}`;
    context.fillStyle = colour('--gl-ink');
    /** @type {number[]} */ const named = []; // the strongest first: a weaker neighbour does not take its place
    for (const s of strongestFirst(weights).slice(0, 8)) {
      const x = (s + 0.5) * step;
      if (Math.abs(weights[s]) < 0.03 || named.some((other) => Math.abs(other - x) < 1.2 * type)) continue;
      context.fillText(sign(trace.pieces[s]), x, base + 1.5 * type);
      named.push(x);
    }
    context.fillStyle = colour('--gl-red');
    context.fillRect((row + 0.5) * step - 1, base - 8, 2, 16);
  }

  app.on((changed) => {
    if (element.hidden) return;
    if (['trace', 'size', 'map', 'layer', 'head', 'average', 'scale', 'hideFirst', 'theme', 'hover', 'pin', 'exact', 'view'].some((n) => changed.has(n))) draw();
  });
}

function line(trace, s, words) {
  const before = trace.pieces.slice(Math.max(0, s - CONTEXT), s).join('').split('\n').pop() ?? '';
  const after = trace.pieces.slice(s + 1, s + 1 + CONTEXT).join('').split('\n')[0];
  const found = make('tr', {}, make('td', {}, String(s + trace.start)), make('td', {class: 'gl-serif'}, spoken(trace.pieces[s])),
    make('td', {class: 'gl-serif ge-context'}, before, make('b', {}, sign(trace.pieces[s])), after),
    make('td', {class: 'ge-number'}, words));
  found.dataset.s = String(s);
  return found;
}
