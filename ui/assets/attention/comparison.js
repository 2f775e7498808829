/** Three maps of one selection: of this text, of the other, and their difference, linked cell by cell. */
import {make} from '../dom.js';
import {frameSide, paintCanvas} from '../common/canvas.js';
import {colour} from '../common/colours.js';
import {align, rowOf} from './maps.js';
import {capacityFor, paint} from './raster.js';
import {placeSigned, signed, signedTicks} from '../common/scales.js';
import {DIFFERENCES, spoken, title} from '../common/words.js';

/** @typedef {import('./wire.js').Trace} Trace */
/** @typedef {import('./maps.js').AttentionMap} AttentionMap */
/** @typedef {{row: number, column: number}} Cell */

const STOPS = 17;

/** @param {import('./app.js').App} app @param {HTMLElement} element */
export function comparisonMaps(app, element) {
  const names = ['This text', 'The other', 'This minus the other'];
  const panels = names.map((name, i) => {
    const canvas = /** @type {HTMLCanvasElement} */ (make('canvas', {'aria-hidden': 'true'}));
    const mark = make('span', {class: 'ge-cell', hidden: true});
    const words = make('span', {}, name);
    const place = make('div', {class: 'ge-comparison-map'}, canvas, mark);
    const figure = make('figure', {class: 'ge-one'}, make('figcaption', {class: 'ge-aside'}, words), place);
    place.addEventListener('pointermove', (event) => aim(i, event));
    place.addEventListener('pointerleave', () => { own = null; app.point(null); markCells(); });
    return {canvas, mark, words, place, figure};
  });
  const says = make('p', {class: 'ge-says', 'aria-live': 'polite'});
  const legend = make('div', {class: 'ge-signs'});
  const row = make('div', {class: 'ge-three', tabIndex: 0, role: 'group', 'aria-label': 'Three maps. Arrow keys move a cell.', on: {keydown: walk, blur: () => { own = null; app.point(null); markCells(); }}}, ...panels.map((p) => p.figure));
  element.append(row, says, legend);
  /** @type {'text' | 'silenced'} */ let kind = 'text';
  /** @type {Trace | null} */ let other = null;
  /** @type {[AttentionMap, AttentionMap, AttentionMap] | null} */ let maps = null;
  let alignment = new Int32Array();
  let back = new Int32Array(); // from the other to this
  let sides = [0, 0, 0];
  /** A cell of the other text that this one does not have, or one that the keys chose. @type {{of: 0 | 1, cell: Cell} | null} */ let own = null;

  new ResizeObserver(() => { if (element.clientWidth) redraw(); }).observe(element);

  function capacity() {
    return capacityFor(Math.max(app.trace?.tokens ?? 1, other?.tokens ?? 1), app.trace?.blockSize ?? 1);
  }

  function redraw() {
    const {trace} = app;
    maps = null;
    if (!trace || !other || !element.clientWidth) return;
    const selection = app.selection();
    if (trace.side || other.side) {
      says.textContent = 'Maps of so long a window come one at a time, and are not compared.';
      row.hidden = legend.hidden = true;
      return;
    }
    row.hidden = legend.hidden = false;
    const [a, b, d] = [app.plain(selection, trace), app.plain(selection, other), app.difference(selection, other)];
    if (!a || !b || !d) return;
    maps = [a, b, d];
    alignment = align(trace.ids, other.ids);
    back = align(other.ids, trace.ids);
    const shown = title(selection);
    const silenced = kind === 'silenced';
    [silenced ? 'with heads silenced' : 'this text', silenced ? 'with all heads' : 'the other', DIFFERENCES[kind].name]
      .forEach((text, i) => { panels[i].words.textContent = `${shown}, ${text}`; });
    const size = capacity();
    const ink = app.ink();
    panels.forEach(({canvas, place}, i) => {
      sides[i] = frameSide(place.clientWidth, size);
      paintCanvas(canvas, sides[i], sides[i], (pixels, w) => paint(pixels, w, size, /** @type {any} */ (maps)[i], ink));
    });
    drawLegend(ink);
    markCells();
  }

  function drawLegend({scale, dark}) {
    const stops = Array.from({length: STOPS}, (_, i) => colour('difference', dark, i / (STOPS - 1)));
    const bar = make('span', {class: 'ge-signs-bar', 'aria-hidden': 'true'});
    bar.style.background = `linear-gradient(to right, ${stops.join(', ')})`;
    const ticks = signedTicks(scale).map(({value, text}) => {
      const at = make('span', {class: 'ge-small'}, text);
      at.style.left = `${100 * placeSigned(scale, value)}%`;
      return at;
    });
    const {less, more} = DIFFERENCES[kind];
    legend.replaceChildren(make('span', {class: 'ge-aside'}, less), make('span', {class: 'ge-signs-scale'}, bar, ...ticks), make('span', {class: 'ge-aside'}, more));
  }

  /** The pointer is over a cell of one of the maps. */
  function aim(i, event) {
    const box = panels[i].canvas.getBoundingClientRect();
    const cellAt = (offset) => Math.floor((offset / sides[i]) * capacity());
    const cell = {row: cellAt(event.clientY - box.top), column: cellAt(event.clientX - box.left)};
    const tokens = (i === 1 ? other : app.trace)?.tokens ?? 0;
    if (cell.column > cell.row || cell.row >= tokens || cell.column < 0) choose(null);
    else choose({of: i === 1 ? 1 : 0, cell});
  }

  /** @param {{of: 0 | 1, cell: Cell} | null} chosen */
  function choose(chosen) {
    own = chosen;
    const here = chosen?.of === 1 ? {row: back[chosen.cell.row], column: back[chosen.cell.column]} : chosen?.cell;
    app.point(here && here.row >= 0 && here.column >= 0 ? here : null);
    markCells();
  }

  function walk(event) {
    const move = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]}[event.key];
    if (!move || !app.trace) return;
    event.preventDefault();
    event.stopPropagation();
    const from = own?.of === 0 ? own.cell : largest() ?? {row: 0, column: 0};
    const to = own?.of === 0 ? {row: from.row + move[0], column: from.column + move[1]} : from;
    if (to.row >= 0 && to.row < app.trace.tokens && to.column >= 0 && to.column <= to.row) choose({of: 0, cell: to});
  }

  /** Where the two differ most. @returns {Cell | null} */
  function largest() {
    if (!maps) return null;
    const {values, tokens} = maps[2];
    let best = {row: 0, column: 0, size: 0};
    for (let t = 0, at = 0; t < tokens; at += t + 1, t++) {
      for (let s = 0; s <= t; s++) if (Math.abs(values[at + s]) > best.size) best = {row: t, column: s, size: Math.abs(values[at + s])};
    }
    return best.size > 0 ? best : null;
  }

  function markCells() {
    if (!maps || !other || !app.trace) return;
    const {row: t, column: s} = app.hover;
    const hovered = own ?? (t !== undefined && s !== undefined ? {of: /** @type {const} */ (0), cell: {row: t, column: s}} : null);
    const found = hovered ? null : largest();
    const at = hovered ?? (found && {of: /** @type {const} */ (0), cell: found});
    const here = at && (at.of === 0 ? at.cell : across(at.cell, back));
    const there = at && (at.of === 1 ? at.cell : across(at.cell, alignment));
    [here, there, here].forEach((cell, i) => markCell(panels[i], cell, sides[i]));
    says.textContent = at ? `${hovered ? '' : 'Where they differ most: '}${cellSentence(app.trace, other, here, there, maps)}` : 'Where both texts are the same up to a character, so are the maps: nothing after it can be seen from there.';
  }

  function markCell({mark}, cell, side) {
    mark.hidden = cell === null;
    if (!cell) return;
    const size = side / capacity();
    const drawn = Math.max(7, size + 2);
    mark.style.cssText = `left:${(cell.column + 0.5) * size - drawn / 2}px;top:${(cell.row + 0.5) * size - drawn / 2}px;width:${drawn}px;height:${drawn}px`;
  }

  return {
    /** @param {'text' | 'silenced'} compared @param {Trace | null} trace the other one */
    show(compared, trace) {
      if (kind === compared && other === trace) return;
      kind = compared;
      other = trace;
      own = null;
      redraw();
    },
    /** @param {Set<string>} changed */
    update(changed) {
      if (!other) return;
      const heads = changed.has('hover') && maps !== null && title(app.selection()) !== panels[0].words.textContent?.split(',')[0];
      if (heads || ['trace', 'layer', 'head', 'average', 'scale', 'colours', 'hideFirst', 'theme'].some((name) => changed.has(name))) redraw();
      else if (changed.has('hover')) markCells();
    },
  };
}

/** @param {Cell} cell @param {Int32Array} alignment @returns {Cell | null} the same cell of the other text, if it has one */
export function across(cell, alignment) {
  const row = alignment[cell.row] ?? -1;
  const column = alignment[cell.column] ?? -1;
  return row >= 0 && column >= 0 ? {row, column} : null;
}

/**
 * @param {{pieces: string[]}} trace
 * @param {{pieces: string[]}} other
 * @param {Cell | null} here
 * @param {Cell | null} there
 * @param {AttentionMap[]} maps
 * @returns {string} "t looks at m: 0.83, 0.12, +0.71"
 */
export function cellSentence(trace, other, here, there, [a, b]) {
  const looks = (pieces, cell) => `${spoken(pieces[cell.row])} looks at ${spoken(pieces[cell.column])}`;
  if (here && there) {
    const [x, y] = [rowOf(a, here.row)[here.column], rowOf(b, there.row)[there.column]];
    const one = looks(trace.pieces, here);
    const two = looks(other.pieces, there);
    return `${one === two ? one : `${one}, in the other ${two}`}: ${x.toFixed(2)}, ${y.toFixed(2)}, ${signed(x - y)}`;
  }
  if (here) return `${looks(trace.pieces, here)}: ${rowOf(a, here.row)[here.column].toFixed(2)}; the other text has no such place`;
  if (there) return `In the other text ${looks(other.pieces, there)}: ${rowOf(b, there.row)[there.column].toFixed(2)}; this one has no such place`;
  return '';
}
