/** The large map: who looks at whom. Its words stand in the half that a causal map leaves empty. */
import {make} from '../dom.js';
import {frameSide, paintCanvas} from '../common/canvas.js';
import {onDrag} from '../common/drag.js';
import {axisLabels, diagonalWords, typeSize} from './axes.js';
import {strongest} from './maps.js';
import {capacityFor, paint, paintRow} from './raster.js';
import {number, short, signed, spoken} from '../common/words.js';

const SVG = 'http://www.w3.org/2000/svg';
/** Height of the row that is drawn again under the map. */
const ROW = 16;

/** @param {import('./app.js').App} app @param {HTMLElement} element */
export function mount(app, element) {
  const canvas = /** @type {HTMLCanvasElement} */ (make('canvas', {class: 'ge-cells', 'aria-hidden': 'true'}));
  const rowCanvas = /** @type {HTMLCanvasElement} */ (make('canvas', {class: 'ge-row-cells', 'aria-hidden': 'true'}));
  const axes = svg('svg', {class: 'ge-axes', 'aria-hidden': 'true'});
  const marks = svg('svg', {class: 'ge-marks', 'aria-hidden': 'true'});
  const tag = make('div', {class: 'ge-tag', 'aria-hidden': 'true'});
  const rowLetter = make('div', {class: 'ge-row-letter gl-serif', 'aria-hidden': 'true'});
  const plane = make('div', {
    class: 'ge-plane', tabIndex: 0, role: 'application', 'aria-roledescription': 'map',
  }, canvas, rowCanvas, axes, marks, tag, rowLetter);
  element.append(plane);
  let side = 0;
  let capacity = 0;
  let tagHeight = 26;
  /** A cell that the keyboard is on. @type {{row: number, column: number} | null} */ let cursor = null;

  plane.addEventListener('pointermove', (event) => preview(event));
  plane.addEventListener('pointerleave', () => app.point(null));
  plane.addEventListener('click', (event) => {
    const cell = cellAt(event);
    if (cell) app.pin(cell.row);
  });
  onDrag(plane, preview, () => app.point(null));
  plane.addEventListener('blur', () => { cursor = null; app.point(null); });
  plane.addEventListener('keydown', (event) => {
    const step = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]}[event.key];
    if (!app.trace || event.altKey || event.ctrlKey || event.metaKey) return;
    if (step && event.shiftKey) {
      cursor ??= {row: app.row(), column: app.row()};
      cursor.row = Math.max(0, Math.min(app.trace.tokens - 1, cursor.row + step[0]));
      cursor.column = Math.max(0, Math.min(cursor.row, cursor.column + step[1]));
    } else if (event.key === 'Enter' && cursor) {
      app.pin(cursor.row);
    } else {
      return;
    }
    app.point(cursor && {...cursor});
    event.preventDefault();
    event.stopPropagation();
  });

  function preview(event) {
    const cell = cellAt(event);
    app.point(cell && (cell.column <= cell.row ? cell : {row: cell.row}));
  }

  /** The cell under the pointer, by arithmetic; the row under the map is the row that is shown. */
  function cellAt({clientX, clientY}) {
    if (!app.trace || !side) return null;
    const box = canvas.getBoundingClientRect();
    const column = Math.floor(((clientX - box.left) / side) * capacity);
    const y = clientY - box.top;
    const last = app.trace.tokens - 1;
    if (y > side) return y < side + ROW + 4 ? {row: app.pinned() ?? last, column: Math.max(0, Math.min(column, last))} : null;
    const row = Math.floor((y / side) * capacity);
    if (row < 0 || row > last || column < 0 || column > row) return null;
    return {row, column};
  }

  function size() {
    if (!app.trace || !element.clientWidth) return;
    const style = getComputedStyle(element);
    const unit = parseFloat(style.getPropertyValue('--gl-unit')) || 1;
    const gutter = parseFloat(style.getPropertyValue('--ge-gutter')) || 0;
    const tall = unit * (parseFloat(style.getPropertyValue('--ge-map-most')) || 600);
    const spare = unit * (parseFloat(style.getPropertyValue('--ge-spare')) || 290); // what stands above and below the map
    capacity = capacityFor(app.trace.tokens, app.trace.blockSize);
    const room = Math.max(120, Math.min(element.clientWidth - gutter, tall, Math.max(320, window.innerHeight - spare)));
    side = frameSide(room, capacity);
    tagHeight = unit * (parseFloat(style.getPropertyValue('--ge-tag-height')) || 26);
    element.parentElement?.classList.toggle('ge-narrow', side < 460 * unit);
    element.parentElement?.style.setProperty('--ge-side', `${side}px`);
    plane.style.setProperty('--ge-side', `${side}px`);
    element.style.setProperty('--ge-side', `${side}px`);
  }

  function paintMap() {
    if (!app.trace || !side) return;
    const map = app.map();
    canvas.classList.toggle('ge-stale', map === null);
    if (!map) return;
    const began = performance.now();
    paintCanvas(canvas, side, side, (pixels, w) => paint(pixels, w, capacity, map, app.ink()));
    performance.measure('ge:map', {start: began, end: performance.now()});
  }

  function drawAxes() {
    if (!app.trace || !side) return;
    const cell = side / capacity;
    const narrow = element.clientWidth < 480;
    const large = typeSize(getComputedStyle(element));
    const {ticks, labels, apart} = axisLabels(app.trace, capacity, cell, large);
    const parts = [];
    for (const {at, text, left, below} of labels) {
      if (at > 0) parts.push(line(0, at, at, at, 'ge-hair'), line(at, at, at, app.trace.tokens * cell, 'ge-hair'));
      if (narrow) continue;
      parts.push(line(-6, at, 0, at, 'ge-tick'), line(at, side + ROW + 2, at, side + ROW + 8, 'ge-tick'));
      if (left) parts.push(words(-10, at + large / 3, text, 'ge-axis ge-end'));
      if (below) parts.push(words(at, side + ROW + 12 + large, text, 'ge-axis ge-middle'));
    }
    if (!narrow) {
      const y = Math.min(side * 0.56, (app.trace.tokens * cell) / 2 + 20);
      const across = words(0, 0, 'the character that looks', 'ge-axis-name ge-middle');
      across.setAttribute('transform', `translate(${-apart},${y}) rotate(-90)`);
      parts.push(across, words(side / 2, side + ROW + 18 + 2 * large, 'what it looks at', 'ge-axis-name ge-middle'));
    }
    for (const {t, text} of diagonalWords(app.trace, ticks, cell, side, narrow, large + 2)) {
      parts.push(words(t * cell + cell + 12, t * cell + 5 + (t === 0 ? 8 : 0), text, 'ge-first-words'));
    }
    axes.replaceChildren(...parts);
  }

  function drawRow() {
    if (!app.trace || !side) return;
    const cell = side / capacity;
    const row = app.row();
    const pinned = app.pinned();
    const here = row === pinned || (pinned === null && app.hover.row === undefined);
    const weights = app.weights(row);
    paintCanvas(rowCanvas, side, ROW, (pixels, w, h) => {
      paintRow(pixels.subarray(0, w), capacity, weights, app.ink());
      for (let y = 1; y < h; y++) pixels.copyWithin(y * w, 0, w);
    });
    const kind = here ? 'ge-red' : 'ge-black';
    const top = row * cell;
    const height = Math.max(cell, 3);
    const end = Math.min(side, (row + 1) * cell);
    const parts = [];
    if (top + height < side - 4) {
      parts.push(rect(-1, top - 1, end + 2, height + 2, kind), rect(-1, side + 1, side + 2, ROW, kind), line(end, top + height + 1, end, side + 1, `${kind} ge-joint`));
    } else {
      parts.push(rect(-1, top - 1, side + 2, side + ROW + 1 - top + 1, kind)); // the last rows join what is under the map
    }
    if (pinned !== null && row !== pinned) parts.push(rect(-1, pinned * cell - 1, (pinned + 1) * cell + 2, height + 2, 'ge-red'));
    let column = app.hover.column ?? strongest(weights);
    if (column > row) column = strongest(weights);
    const x = (column + 0.5) * cell;
    parts.push(line(x, column * cell, x, side + ROW, `ge-column ${kind}`));
    marks.replaceChildren(...parts);
    const piece = app.trace.pieces[column];
    const compared = app.compared() !== null;
    const value = (compared ? signed : number)(weights[column] ?? 0);
    tag.replaceChildren(make('span', {class: 'gl-serif'}, short(piece)), value);
    tag.classList.toggle('ge-preview', !here);
    // Above the row; to the right of the column, or to its left where there is little room.
    const above = Math.max(0, Math.min(top, side) - tagHeight - 8);
    tag.style.transform = x > 110 && (x > 0.7 * side || x + 120 > end) ? `translate(calc(${Math.round(x - 8)}px - 100%), ${Math.round(above)}px)` : `translate(${Math.round(x + 8)}px, ${Math.round(above)}px)`;
    rowLetter.textContent = short(app.trace.pieces[row]);
    rowLetter.classList.toggle('ge-preview', !here);
    plane.setAttribute('aria-label', `Map. ${row + app.trace.start}, ${spoken(app.trace.pieces[row])}, looks at ${column + app.trace.start}, ${spoken(piece)}, with ${compared ? 'a difference of ' : ''}${value}. Shift and arrow keys move over the cells, Enter pins.`);
  }

  app.on((changed) => {
    const has = (...names) => names.some((name) => changed.has(name));
    if (has('trace', 'size')) { const before = `${side} ${capacity}`; size(); if (before !== `${side} ${capacity}` || has('trace')) drawAxes(); }
    if (element.hidden) return;
    if (has('trace', 'size', 'map', 'layer', 'head', 'average', 'scale', 'colours', 'hideFirst', 'theme', 'view') || (has('hover') && headHovered())) paintMap();
    if (has('trace', 'size', 'map', 'layer', 'head', 'average', 'scale', 'colours', 'hideFirst', 'theme', 'hover', 'pin', 'exact', 'view')) drawRow();
  });
  const headNow = () => `${app.hover.layer} ${app.hover.head}`;
  let hovered = headNow();
  function headHovered() {
    const now = headNow();
    const moved = now !== hovered;
    hovered = now;
    return moved;
  }
  let wide = 0;
  new ResizeObserver(() => {
    if (element.clientWidth && element.clientWidth !== wide) { wide = element.clientWidth; app.touch('size'); }
  }).observe(element);
  window.addEventListener('resize', () => app.touch('size'));
}

function svg(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}
function line(x1, y1, x2, y2, name) { return svg('line', {x1, y1, x2, y2, class: name}); }
function rect(x, y, width, height, name) { return svg('rect', {x, y, width, height, class: `ge-outline ${name}`}); }
function words(x, y, text, name) {
  const element = svg('text', {x, y, class: name});
  element.textContent = text;
  return element;
}
