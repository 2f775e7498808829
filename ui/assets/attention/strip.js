/** The text as a strip of characters, lit up by what the pinned one looks at. */
import {onDrag} from '../common/drag.js';
import {createStrip} from '../common/strip.js';
import {arcsOf, lights} from './light.js';

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
    const double = event.detail > 1 && /** @type {PointerEvent} */ (event).pointerType !== 'touch'; // the second click of a double one is none of its own; a second tap is
    if (t !== null && !double) app.pin(t);
  });
  // A touch is captured by what it went down on: ask what lies under it.
  onDrag(strip.element, ({clientX, clientY}) => {
    const t = strip.positionOf(document.elementFromPoint(clientX, clientY));
    if (t !== null) app.point({row: t});
  }, () => app.point(null));

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
    const {column} = app.hover;
    const weights = app.weights(row);
    const tints = lights(weights, app.ink());
    const now = new Set([row, ...tints.keys(), ...(column === undefined ? [] : [column]), ...(pinned === null ? [] : [pinned])]);
    const marked = new Set([...now].flatMap((s) => boxes[s] ?? []));
    for (const box of lit) if (!marked.has(box)) { box.removeAttribute('style'); box.className = strip.classes; }
    for (const s of now) {
      const tint = tints.get(s);
      for (const box of boxes[s] ?? []) {
        box.style.background = tint?.box ?? '';
        box.style.color = tint?.letter ?? '';
        box.className = `${strip.classes}${tint ? ' ge-lit' : ''}${s === pinned ? ' ge-pinned' : ''}${s === row && s !== pinned ? ' ge-here' : ''}${s === column ? ' ge-there' : ''}`;
      }
    }
    lit = marked;
    lines.setAttribute('aria-activedescendant', boxes[row]?.[0]?.id ?? '');
    draw(row, weights);
  }

  /** From the pin to what it looks at, curved through the white to the right of the text. */
  function draw(row, weights) {
    const found = app.state.average === 'rollout' || app.compared() ? [] : arcsOf(row, weights, (s) => strip.places[s], strip.right);
    arcs.replaceChildren(...found.map(({d, width, opacity}) => {
      const path = document.createElementNS(SVG, 'path');
      for (const [name, value] of Object.entries({d, opacity, 'stroke-width': width})) path.setAttribute(name, String(value));
      return path;
    }));
  }

  /** Where the text is longer than its room, the pin, or the place that is written at, stays in sight. */
  function follow() {
    const place = strip.places[app.pinned() ?? boxes.length - 1];
    if (!place || element.scrollHeight <= element.clientHeight) return;
    const {scrollTop, clientHeight} = element;
    const {y, height} = place;
    if (y < scrollTop) element.scrollTop = y - height;
    else if (y + 1.5 * height > scrollTop + clientHeight) element.scrollTop = y + 1.5 * height - clientHeight;
  }

  app.on((changed) => {
    if (changed.has('trace') || changed.has('size')) lay();
    if (['trace', 'hover', 'pin', 'exact', 'map', 'layer', 'head', 'scale', 'colours', 'average', 'hideFirst', 'theme', 'size'].some((name) => changed.has(name))) light();
    if (['trace', 'pin', 'size'].some((name) => changed.has(name))) follow();
  });
  let wide = 0;
  new ResizeObserver(() => { // its height is the text's, and changes with it
    const {clientWidth} = strip.element;
    if (clientWidth && clientWidth !== wide) { wide = clientWidth; app.touch('size'); }
    follow();
  }).observe(element);
  lay();
  light();
}
