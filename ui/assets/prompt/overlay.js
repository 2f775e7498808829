/**
 * Bands under the characters, rules above passages, and the outline of the one that is pinned: drawn over and under the
 * text, which stays what it is. On canvases of TILE pixels, of which only those near the window exist.
 */
import {drawingContext} from '../common/canvas.js';
import {colour} from '../common/colours.js';
import {make} from '../dom.js';
import {desk, unitAt} from './desk.js';
import {rowAt} from './sheet.js';
import {TINTS} from './tint.js';

const TILE = 480;
/** Beyond the window, so that a quick hand finds them drawn. */
const MARGIN = 480;
const BAND = 8;
/** From the letters' baseline to the band, in heights of a letter's box. */
const BAND_GAP = 0.13;
const STEPS = 64;

/**
 * @param {HTMLElement} paper holds the play and nothing else that has a height
 * @param {HTMLElement} play
 * @param {{rows: import('./sheet.js').Row[]}} sheet
 * @param {ReturnType<import('./places.js').createPlaces>} places
 */
export function createOverlay(paper, play, sheet, places) {
  const under = make('div', {class: 'gp-under', 'aria-hidden': 'true'});
  const pin = make('div', {class: 'gp-pin', 'aria-hidden': 'true', hidden: true});
  const hover = make('div', {class: 'gp-hover', 'aria-hidden': 'true', hidden: true});
  paper.prepend(under);
  paper.append(pin, hover);
  /** @type {Map<number, HTMLCanvasElement>} */ const tiles = new Map();
  let due = 0;
  /** Tiles below this height are to be drawn anew. */
  let dirty = 0;
  let moved = true;
  let width = 0;
  let {sheet: text, laid} = desk.state;
  /** Where the rows stand: asking the page is dear while it scrolls. @type {{x: number, y: number, h: number}[]} */ let stands = [];

  const schedule = () => { due ||= requestAnimationFrame(paint); };
  const redraw = (from = 0) => { dirty = Math.min(dirty, from); moved = true; schedule(); };

  function paint() {
    due = 0;
    if (!play.clientWidth) return;
    const top = play.getBoundingClientRect().top;
    const high = play.clientHeight;
    const first = Math.max(0, Math.floor((-top - MARGIN) / TILE));
    const end = Math.min(Math.ceil(high / TILE), Math.ceil((window.innerHeight - top + MARGIN) / TILE));
    for (const [k, canvas] of tiles) {
      if (k < first || k >= end) { canvas.remove(); tiles.delete(k); }
    }
    /** @type {number[]} */ const wanted = [];
    for (let k = first; k < end; k++) if ((k + 1) * TILE > dirty || !tiles.has(k)) wanted.push(k);
    if (moved && wanted.length) {
      stands = sheet.rows.map(({element: {offsetLeft: x, offsetTop: y, offsetHeight: h}}) => ({x, y, h}));
      moved = false;
    }
    dirty = Infinity;
    const pens = wanted.map((k) => {
      const canvas = tiles.get(k) ?? /** @type {HTMLCanvasElement} */ (make('canvas', {class: 'gp-tile'}));
      if (!tiles.has(k)) { tiles.set(k, canvas); canvas.style.top = `${k * TILE}px`; under.append(canvas); }
      return {top: k * TILE, pen: drawingContext(canvas, play.clientWidth, TILE)};
    });
    if (pens.length) draw(pens);
    drawOutline(pin, desk.state.pin);
    drawOutline(hover, desk.state.hover === desk.state.pin ? null : desk.state.hover);
    redLetter();
  }

  /** @param {{top: number, pen: CanvasRenderingContext2D}[]} pens */
  function draw(pens) {
    const {tint, marks} = desk.state;
    const dark = document.documentElement.classList.contains('dark') || document.body.classList.contains('dark');
    const inks = getComputedStyle(document.documentElement);
    const of = (name) => getComputedStyle(play).getPropertyValue(`--gl-${name}`) || inks.getPropertyValue(`--gl-${name}`);
    const from = pens[0].top;
    const to = pens[pens.length - 1].top + TILE;
    const fill = (x, y, w, h) => {
      for (const {top, pen} of pens) if (y + h > top && y < top + TILE) pen.fillRect(x, y - top, w, h);
    };
    const style = (value) => { for (const {pen} of pens) pen.fillStyle = value; };
    const {value, map} = TINTS[tint];
    const inkOf = Array.from({length: STEPS + 1}, (_, level) => colour(map, dark, level / STEPS));
    let inked = -1;
    sheet.rows.forEach(({line}, i) => {
      const {x, y, h} = stands[i];
      if (y + h < from || y > to) return;
      const boxes = places.boxes(i);
      const drop = bandTop(boxes.h);
      if (tint !== 'none') {
        for (let k = 0; k < boxes.x.length; k++) {
          const unit = unitAt(line.start + k);
          const level = unit ? Math.round(value(unit) * STEPS) : 0;
          if (!level) continue;
          if (level !== inked) style(inkOf[inked = level]);
          const left = Math.round(x + boxes.x[k]);
          fill(left, Math.round(y + boxes.y[k] + drop), Math.max(1, Math.round(x + boxes.x[k] + boxes.w[k]) - left), BAND);
        }
      }
    });
    for (const [passages, dotted] of /** @type {const} */ ([[marks.rules, false], [marks.dotted, true]])) {
      style(of('ink-2'));
      for (const passage of passages) for (const box of visible(passage, from, to, false)) rule(fill, box, dotted);
    }
    style(of('rule'));
    for (const passage of marks.wash) for (const box of visible(passage, from, to, true)) fill(box.x - 1, box.y + 2, box.w + 2, box.h - 4);
  }

  /** Of a passage what is near the window, with its line breaks or without. */
  function visible([start, end], from, to, breaks) {
    const {rows} = sheet;
    if (!rows.length) return [];
    const touched = (i) => stands[i].y <= to && stands[i].y + stands[i].h >= from;
    const found = [];
    for (let i = rowAt(rows, start); i <= rowAt(rows, Math.max(start, end - 1)); i++) {
      const {line, last} = rows[i];
      if (touched(i)) found.push(...places.boxesOf(Math.max(start, line.start), Math.min(end, line.start + line.text.length + (breaks && !last ? 1 : 0))));
    }
    return found;
  }

  function drawOutline(element, offset) {
    const unit = unitAt(offset);
    const box = offset === null ? null : places.boxAt(unit ? unit.start : offset);
    element.hidden = !box;
    if (!box) return;
    const boxes = unit ? places.boxesOf(unit.start, unit.end) : [box];
    const {x, y, w, h} = boxes[0];
    const bottom = y + bandTop(h) + BAND + 2;
    Object.assign(element.style, {left: `${x - 2}px`, top: `${y - 1}px`, width: `${Math.max(w, 4) + 4}px`, height: `${bottom - y + 1}px`});
  }

  /** The pinned letter is red where the browser can paint a range; its outline says it everywhere. */
  function redLetter() {
    const registry = /** @type {any} */ (window.CSS).highlights;
    if (!registry) return;
    registry.delete('gp-pin');
    const offset = desk.state.pin;
    if (offset === null) return;
    const unit = unitAt(offset);
    const range = rangeOf(unit?.start ?? offset, unit?.end ?? offset + 1);
    if (range) registry.set('gp-pin', new /** @type {any} */ (window).Highlight(range));
  }

  function rangeOf(from, to) {
    const row = sheet.rows[rowAt(sheet.rows, from)];
    if (!row) return null;
    const walker = document.createTreeWalker(row.verse, NodeFilter.SHOW_TEXT);
    const range = document.createRange();
    let at = row.line.start;
    let begun = false;
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const {length} = /** @type {Text} */ (node);
      if (!begun && from >= at && from < at + length) { range.setStart(node, from - at); begun = true; }
      if (begun && to > at && to <= at + length) { range.setEnd(node, to - at); return range; }
      at += length;
    }
    return null;
  }

  new ResizeObserver(() => {
    if (play.clientWidth === width) { schedule(); return; } // longer: there may be a new tile
    width = play.clientWidth;
    places.forget();
    redraw();
  }).observe(play);
  for (const root of [document.body, document.documentElement]) new MutationObserver(() => redraw()).observe(root, {attributes: true, attributeFilter: ['class']});
  document.fonts?.addEventListener('loadingdone', () => { places.forget(); redraw(); });
  document.addEventListener('scroll', schedule, {passive: true, capture: true});
  window.addEventListener('resize', schedule);
  desk.on((changed) => {
    if (changed.has('tint') || changed.has('marks')) redraw();
    if (changed.has('sheet')) { // what has only grown is drawn already
      const {sheet: now} = desk.state;
      if (now.text.startsWith(text.text) && now.own === text.own) { moved = true; schedule(); } else redraw();
      text = now;
    }
    if (changed.has('laid')) {
      const count = laid.units.length;
      const before = laid.units[count - 1];
      laid = desk.state.laid;
      const now = laid.units[count - 1];
      const same = before && now && now.start === before.start && now.bits === before.bits;
      redraw(same ? places.boxAt(before.start)?.y ?? 0 : 0);
    }
    if (changed.has('pin') || changed.has('hover')) schedule();
  });
  return {redraw};
}

/** From the top of a letter's box to its band. */
function bandTop(h) { return Math.round(h * (0.8 + BAND_GAP)); }

/** A thin rule above a passage; dotted where it says a difference. */
function rule(fill, {x, y, w}, dotted) {
  const top = Math.round(y) - 1;
  if (!dotted) { fill(Math.round(x), top, Math.round(w), 1.5); return; }
  for (let at = Math.round(x); at < x + w; at += 5) fill(at, top, 2.5, 2);
}
