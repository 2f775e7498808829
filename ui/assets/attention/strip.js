/** The text as a strip of characters, lit up by what the pinned one looks at. */
import {colour, letters} from '../common/colours.js';
import {place} from '../common/scales.js';
import {createStrip} from '../common/strip.js';

/** Weights above this much of the scale fill the box. */
const FILLED = 0.1;
/** An arc is drawn from the pin to weights of at least this. */
const ARC = 0.1;
const SVG = 'http://www.w3.org/2000/svg';

/** @param {import('./app.js').App} app @param {HTMLElement} element */
export function mount(app, element) {
  const strip = createStrip({label: 'The text. Arrow keys move the pin, Escape drops it.', boxClass: 'ge-box', pickable: true});
  const {boxes, lines} = strip;
  const arcs = document.createElementNS(SVG, 'svg');
  arcs.setAttribute('class', 'ge-strip-arcs');
  arcs.setAttribute('aria-hidden', 'true');
  strip.element.classList.add('ge-strip');
  strip.element.append(arcs);
  element.append(strip.element);
  /** @type {import('./wire.js').Trace | null} */ let laid = null;
  /** Boxes that are marked. @type {Set<HTMLElement>} */ let lit = new Set();

  strip.element.addEventListener('pointermove', (event) => {
    const t = strip.positionOf(event.target);
    if (t === null) return;
    app.point({row: t});
  });
  strip.element.addEventListener('pointerleave', () => app.point(null));
  strip.element.addEventListener('click', (event) => {
    const t = strip.positionOf(event.target);
    if (t !== null && event.detail < 2) app.pin(t); // the second click of a double one is none of its own
  });
  // On touch a drag previews; the pointer is captured by what it went down on, so ask what lies under it.
  strip.element.addEventListener('touchmove', (event) => {
    const {clientX, clientY} = event.touches[0];
    const t = strip.positionOf(document.elementFromPoint(clientX, clientY));
    if (t === null) return;
    event.preventDefault();
    app.point({row: t});
  }, {passive: false});
  strip.element.addEventListener('touchend', () => app.point(null));

  function lay() {
    if (!app.trace) return;
    if (app.trace === laid) return strip.fit();
    laid = app.trace;
    strip.lay(laid.pieces);
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
    const marked = new Set([...now].flatMap((s) => boxes[s] ?? []));
    for (const box of lit) if (!marked.has(box)) { box.removeAttribute('style'); box.className = strip.classes; }
    for (const s of now) {
      const w = s < weights.length ? weights[s] : 0;
      const x = place(ink.scale, w, most);
      const filled = x >= FILLED && w > 0.004;
      for (const box of boxes[s] ?? []) {
        box.style.background = filled ? colour(ink.colours, ink.dark, x) : '';
        box.style.color = filled ? letters(ink.colours, ink.dark, x) : '';
        box.className = `${strip.classes}${filled ? ' ge-lit' : ''}${s === pinned ? ' ge-pinned' : ''}${s === row && s !== pinned ? ' ge-here' : ''}${s === column ? ' ge-there' : ''}`;
      }
    }
    lit = marked;
    lines.setAttribute('aria-activedescendant', boxes[row]?.[0]?.id ?? '');
    draw(row, weights);
  }

  /** From the pin to what it looks at, curved through the white to the right of the text. */
  function draw(row, weights) {
    const a = strip.places[row];
    const paths = [];
    if (a && app.state.average !== 'rollout') {
      weights.forEach((w, s) => {
        const b = strip.places[s];
        if (w < ARC || s === row || !b) return;
        if (Math.abs(row - s) < 3 && b.y === a.y) return; // neighbours: the boxes say it
        const path = document.createElementNS(SVG, 'path');
        path.setAttribute('d', curve(a, b, strip.right));
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
    const {clientWidth} = strip.element;
    if (clientWidth && clientWidth !== wide) { wide = clientWidth; app.touch('size'); }
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
