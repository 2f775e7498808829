/** The text as a strip of characters: spaces and line breaks visible, lit up by what the pinned one looks at. */
import {make} from '../dom.js';
import {colour, letters} from '../common/colours.js';
import {place} from '../common/scales.js';
import {spoken} from '../common/words.js';

/** Weights above this much of the scale fill the box. */
const FILLED = 0.1;
/** An arc is drawn from the pin to weights of at least this. */
const ARC = 0.1;
const SVG = 'http://www.w3.org/2000/svg';
/** @typedef {{x: number, y: number, width: number, height: number}} Place */
const SPEAKER = /^[A-Z][A-Za-z'&. -]{0,38}:$/;

/** @param {import('./app.js').App} app @param {HTMLElement} element */
export function mount(app, element) {
  const lines = make('div', {class: 'ge-lines', tabIndex: 0, role: 'listbox', 'aria-label': 'The text. Arrow keys move the pin, Escape drops it.'});
  const arcs = document.createElementNS(SVG, 'svg');
  arcs.setAttribute('class', 'ge-strip-arcs');
  arcs.setAttribute('aria-hidden', 'true');
  const strip = make('div', {class: 'ge-strip'}, lines, arcs);
  element.append(strip);
  /** For each position the boxes of its characters, one for each line it is on. @type {HTMLElement[][]} */ let boxes = [];
  /** @type {import('./wire.js').Trace | null} */ let laid = null;
  /** @type {Set<number>} */ let lit = new Set();
  /** Where the boxes stand: asked once a layout, for asking makes the browser lay the page out. @type {Place[]} */ let places = [];
  let rightEdge = 0;

  strip.addEventListener('pointermove', (event) => {
    const t = positionAt(event);
    if (t === null) return;
    app.point({row: t});
  });
  strip.addEventListener('pointerleave', () => app.point(null));
  strip.addEventListener('click', (event) => {
    const t = positionAt(event);
    if (t !== null && event.detail < 2) app.pin(t); // the second click of a double one is none of its own
  });
  // On touch a drag previews; the pointer is captured by what it went down on, so ask what lies under it.
  strip.addEventListener('touchmove', (event) => {
    const {clientX, clientY} = event.touches[0];
    const t = positionOf(document.elementFromPoint(clientX, clientY));
    if (t === null) return;
    event.preventDefault();
    app.point({row: t});
  }, {passive: false});
  strip.addEventListener('touchend', () => app.point(null));

  function positionAt(event) { return positionOf(/** @type {Element} */ (event.target)); }

  function lay() {
    const {trace} = app;
    if (!trace) return;
    if (trace === laid) return arrange();
    if (laid && laid.start === trace.start && laid.rows === trace.rows && laid.tokens + 1 === trace.tokens) {
      append(trace.tokens - 1); // one character more: nothing else moves
    } else if (laid && laid.start === trace.start && laid.rows === trace.rows && laid.tokens === trace.tokens + 1) {
      removeLast();
    } else {
      lines.replaceChildren(make('div', {class: 'ge-line'}));
      boxes = [];
      lit = new Set();
      for (let t = 0; t < trace.tokens; t++) append(t);
    }
    laid = trace;
    names();
    arrange();
  }

  function arrange() {
    fitSize();
    measure();
  }

  function measure() {
    places = boxes.map(([first]) => (first ? {x: first.offsetLeft, y: first.offsetTop, width: first.offsetWidth, height: first.offsetHeight} : {x: 0, y: 0, width: 0, height: 0}));
    rightEdge = Math.max(0, ...places.map(({x, width}) => x + width));
  }

  function append(t) {
    const piece = app.trace?.pieces[t] ?? '';
    const parts = piece.split('\n');
    boxes[t] = [];
    parts.forEach((part, i) => {
      const line = /** @type {HTMLElement} */ (lines.lastElementChild);
      const text = i < parts.length - 1 ? `${part}\n` : part;
      if (text !== '' || piece === '') {
        const box = boxOf(text, t);
        boxes[t].push(box);
        line.append(box);
      }
      if (i < parts.length - 1) lines.append(make('div', {class: 'ge-line'}));
    });
  }

  function removeLast() {
    for (const box of /** @type {HTMLElement[]} */ (boxes.pop())) {
      if (box.dataset.breaks) lines.lastElementChild?.remove();
      box.remove();
    }
    lit.delete(boxes.length);
  }

  /** A speaker's name stands in small capitals, as in a play. */
  function names() {
    let before = '';
    for (const line of lines.children) {
      const text = [...line.children].map((box) => box.textContent?.replace(/[·¶]/g, (c) => (c === '·' ? ' ' : ''))).join('');
      line.classList.toggle('ge-speaker', before.trim() === '' && SPEAKER.test(text));
      before = text;
    }
  }

  /** The size at which the longest line fits, but never under the smallest: then lines are turned over at a word. */
  function fitSize() {
    const style = getComputedStyle(strip);
    const unit = parseFloat(style.getPropertyValue('--ge-unit')) || 1;
    const usual = unit * (parseFloat(style.getPropertyValue('--ge-strip-size')) || 18);
    const least = unit * (parseFloat(style.getPropertyValue('--ge-strip-least')) || 15);
    strip.style.fontSize = `${usual}px`;
    lines.classList.remove('ge-turned');
    const room = strip.clientWidth - usual;
    if (room <= 0) return;
    let widest = 0;
    for (const line of lines.children) {
      const last = /** @type {HTMLElement | null} */ (line.lastElementChild);
      if (last) widest = Math.max(widest, last.offsetLeft + last.offsetWidth - /** @type {HTMLElement} */ (line).offsetLeft);
    }
    const size = Math.max(least, Math.min(usual, Math.floor((10 * usual * room) / Math.max(widest, 1)) / 10));
    strip.style.fontSize = `${size}px`;
    lines.classList.toggle('ge-turned', (widest * size) / usual > room + 1);
  }

  function light() {
    const {trace} = app;
    if (!trace || !boxes.length) return;
    const row = app.row();
    const pinned = app.pinned();
    const ink = app.ink();
    const weights = app.weights(row);
    const most = Math.max(1e-6, ...weights);
    /** @type {Set<number>} */ const now = new Set([row]);
    const column = app.hover.column;
    weights.forEach((w, s) => {
      if (place(ink.scale, w, most) >= FILLED && w > 0.004) now.add(s);
    });
    if (column !== undefined) now.add(column);
    if (pinned !== null) now.add(pinned);
    for (const s of lit) if (!now.has(s)) for (const box of boxes[s] ?? []) { box.removeAttribute('style'); box.className = 'ge-box'; }
    for (const s of now) {
      const w = s < weights.length ? weights[s] : 0;
      const x = place(ink.scale, w, most);
      const filled = x >= FILLED && w > 0.004;
      for (const box of boxes[s] ?? []) {
        box.style.background = filled ? colour(ink.colours, ink.dark, x) : '';
        box.style.color = filled ? letters(ink.colours, ink.dark, x) : '';
        box.className = `ge-box${filled ? ' ge-lit' : ''}${s === pinned ? ' ge-pinned' : ''}${s === row && s !== pinned ? ' ge-here' : ''}${s === column ? ' ge-there' : ''}`;
      }
    }
    lit = now;
    const last = trace.tokens - 1;
    lines.setAttribute('aria-activedescendant', boxes[row]?.[0]?.id ?? '');
    strip.classList.toggle('ge-at-end', row === last);
    draw(row, weights);
  }

  /** From the pin to what it looks at, curved through the white to the right of the text. */
  function draw(row, weights) {
    const a = places[row];
    const paths = [];
    if (a && app.state.average !== 'rollout') {
      weights.forEach((w, s) => {
        const b = places[s];
        if (w < ARC || s === row || !b) return;
        if (Math.abs(row - s) < 3 && b.y === a.y) return; // neighbours: the boxes say it
        const path = document.createElementNS(SVG, 'path');
        path.setAttribute('d', curve(a, b, rightEdge));
        path.setAttribute('stroke-width', String(0.75 + 1.75 * w));
        path.setAttribute('opacity', String(0.35 + 0.65 * w));
        paths.push(path);
      });
    }
    arcs.replaceChildren(...paths);
  }

  app.on((changed) => {
    if (changed.has('trace') || changed.has('size')) lay();
    if (['trace', 'hover', 'pin', 'exact', 'map', 'layer', 'head', 'scale', 'colours', 'average', 'hideFirst', 'theme', 'size'].some((name) => changed.has(name))) light();
  });
  let wide = 0;
  new ResizeObserver(() => { // its height is the text's, and changes with it
    if (strip.clientWidth && strip.clientWidth !== wide) { wide = strip.clientWidth; app.touch('size'); }
  }).observe(element);
  lay();
  light();
}

function curve(a, b, right) {
  const from = [a.x + a.width + 1, a.y + a.height / 2];
  if (a.y === b.y) { // on one line: over it
    const to = [b.x + b.width / 2, b.y];
    const top = a.y - 14;
    return `M${a.x + a.width / 2},${a.y} C${a.x + a.width / 2},${top} ${to[0]},${top} ${to[0]},${to[1]}`;
  }
  const to = [b.x + b.width / 2, b.y + b.height];
  const out = Math.min(right, Math.max(from[0], to[0]) + 40 + Math.abs(from[0] - to[0]) / 4);
  return `M${from[0]},${from[1]} C${out},${from[1] - 6} ${to[0]},${(from[1] + to[1]) / 2} ${to[0]},${to[1]}`;
}

function boxOf(text, t) {
  const box = make('span', {class: 'ge-box', id: `ge-t${t}-${text.endsWith('\n') ? 'n' : 'c'}`, role: 'option'});
  box.dataset.t = String(t);
  if (text.endsWith('\n')) box.dataset.breaks = '1';
  for (const part of text.match(/ +|\n|[^ \n]+/g) ?? []) {
    if (part[0] === ' ') box.append(...[...part].map(() => make('span', {class: 'ge-space'}, ' ')));
    else if (part === '\n') box.append(make('span', {class: 'ge-break'}, '¶'));
    else box.append(part);
  }
  box.setAttribute('aria-label', `${t}: ${spoken(text)}`);
  return box;
}

function positionOf(target) {
  const box = /** @type {HTMLElement | null} */ (target?.closest?.('.ge-box') ?? null);
  return box ? Number(box.dataset.t) : null;
}

