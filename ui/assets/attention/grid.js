/** All heads as thumbnails, a row a layer: each with its role set into its empty triangle. */
import {make} from '../dom.js';
import {paintCanvas} from '../common/canvas.js';
import {mapOf, withoutFirst} from './maps.js';
import {capacityFor, paint, paintPooled} from './raster.js';
import {chooseTab, pressHeads} from './roving.js';
import {headName, number, roleLine} from '../common/words.js';

/** Thumbnails narrower than this carry no text. */
const TEXT_FROM = 60;
const GAP = 9;

/** @param {import('./app.js').App} app @param {HTMLElement} element */
export function mount(app, element) {
  const grid = make('div', {class: 'ge-grid', role: 'group', 'aria-label': 'All heads'});
  element.append(make('h2', {class: 'ge-heading'}, 'All heads ', make('span', {class: 'ge-aside'}, 'one row a layer')), grid);
  /** @type {{button: HTMLElement, canvas: HTMLCanvasElement, layer: number, head: number}[]} */ let cells = [];
  /** @type {HTMLElement[]} */ let buttons = [];
  let shape = '';
  let side = 0;
  let painted = '';

  pressHeads(app, grid, () => buttons);

  function build() {
    const {layers, heads} = /** @type {import('./wire.js').Trace} */ (app.trace);
    cells = Array.from({length: layers * heads}, (_, i) => {
      const canvas = /** @type {HTMLCanvasElement} */ (make('canvas', {'aria-hidden': 'true'}));
      const words = make('span', {class: 'ge-thumb-words', 'aria-hidden': 'true'});
      return {button: make('button', {class: 'ge-thumb', type: 'button'}, canvas, words), canvas, layer: Math.floor(i / heads), head: i % heads};
    });
    grid.style.setProperty('--ge-heads', String(heads));
    buttons = cells.map((cell) => cell.button);
    grid.replaceChildren(...buttons);
    shape = `${layers} ${heads}`;
    painted = '';
  }

  function size() {
    const heads = app.trace?.heads ?? 1;
    const gap = heads > 6 ? 4 : GAP;
    grid.style.setProperty('--ge-gap', `${gap}px`);
    const style = getComputedStyle(element);
    const most = (parseFloat(style.getPropertyValue('--ge-thumb-most')) || 84) * (parseFloat(style.getPropertyValue('--gl-unit')) || 1);
    const now = Math.floor(Math.min(most, (element.clientWidth - gap * (heads - 1)) / heads));
    if (now > 0 && now !== side) {
      side = now;
      painted = '';
      grid.style.setProperty('--ge-thumb', `${side}px`);
      grid.classList.toggle('ge-bare', side < TEXT_FROM);
    }
  }

  function words() {
    const silenced = new Set(app.state.silenced.map(([l, h]) => headName(l, h)));
    const shown = app.selection();
    const one = shown.average === 'head';
    for (const {button, layer, head} of cells) {
      const role = app.role(layer, head);
      const name = headName(layer, head);
      const off = silenced.has(name);
      const text = role ? [role.short, ...(role.role === 'mixed' ? [] : [number(role.score)])] : [];
      /** @type {HTMLElement} */ (button.lastElementChild).replaceChildren(...text.map((word) => make('span', {}, word)), ...(off ? [make('b', {}, 'silenced')] : []));
      button.classList.toggle('ge-off', off);
      button.classList.toggle('ge-chosen', one && app.state.average === 'head' && layer === app.state.layer && head === app.state.head);
      button.classList.toggle('ge-hovered', layer === app.hover.layer && head === app.hover.head);
      button.setAttribute('aria-label', `Head ${name}, ${roleLine(role)}${off ? ', silenced' : ''}`);
      button.setAttribute('aria-pressed', String(layer === app.state.layer && head === app.state.head));
      button.title = `Head ${name}: ${role?.words ?? 'no role'}${role && role.role !== 'mixed' ? ` ${number(role.score)}` : ''}. Shift-click silences it.`;
    }
    chooseTab(buttons, app.state.layer * (app.trace?.heads ?? 1) + app.state.head);
  }

  function paintAll() {
    const {trace} = app;
    if (!trace || !side) return;
    const ink = app.ink();
    const {hideFirst} = app.state;
    const key = [trace.start, trace.tokens, trace.ids.join(), trace.silenced.join(), trace.id, ink.scale, ink.colours, ink.dark, hideFirst, side].join(' ');
    if (key === painted) return;
    painted = key;
    const capacity = capacityFor(trace.tokens, trace.blockSize);
    const began = performance.now();
    for (const {canvas, layer, head} of cells) {
      paintCanvas(canvas, side, side, (pixels, w) => {
        if (trace.side) return paintPooled(pixels, w, trace, layer, head, ink);
        const map = mapOf(trace, {average: 'head', layer, head});
        paint(pixels, w, capacity, hideFirst ? withoutFirst(map) : map, ink);
      });
    }
    performance.measure('ge:thumbnails', {start: began, end: performance.now()});
  }

  app.on((changed) => {
    if (!app.trace) return;
    if (shape !== `${app.trace.layers} ${app.trace.heads}`) build();
    if (['trace', 'size'].some((name) => changed.has(name))) size();
    if (['trace', 'hover', 'layer', 'head', 'silenced', 'average'].some((name) => changed.has(name))) words();
    if (['trace', 'scale', 'colours', 'hideFirst', 'theme', 'size'].some((name) => changed.has(name))) paintAll();
  });
}
