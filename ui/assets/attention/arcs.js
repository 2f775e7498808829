/** Arcs between the characters: the text along a line, an arc from each character to what it looks at. */
import {make} from '../dom.js';
import {axisTicks, firstWords, typeSize} from './axes.js';
import {drawingContext} from '../common/canvas.js';
import {rowOf} from './maps.js';
import {capacityFor} from './raster.js';
import {place} from '../common/scales.js';
import {sign} from '../common/words.js';

/** Weights below this have no arc; and so many arcs are drawn at most, the strongest. */
const LEAST = 0.1;
const MOST = 900;

/** @param {import('./app.js').App} app @param {HTMLElement} element */
export function mount(app, element) {
  const canvas = /** @type {HTMLCanvasElement} */ (make('canvas', {class: 'ge-arcs', role: 'img', 'aria-label': 'Arcs from each character to what it looks at'}));
  element.append(canvas);
  let geometry = {x0: 0, step: 1, base: 0};

  canvas.addEventListener('pointermove', (event) => {
    const t = positionAt(event);
    app.point(t === null ? null : {row: t});
  });
  canvas.addEventListener('pointerleave', () => app.point(null));
  canvas.addEventListener('click', (event) => { const t = positionAt(event); if (t !== null) app.pin(t); });

  function positionAt({clientX}) {
    const t = Math.floor((clientX - canvas.getBoundingClientRect().left - geometry.x0) / geometry.step);
    return app.trace && t >= 0 && t < app.trace.tokens ? t : null;
  }

  function draw() {
    const {trace} = app;
    const map = app.map();
    if (!trace || !map) return;
    const style = getComputedStyle(element);
    const width = element.clientWidth - parseFloat(style.paddingLeft);
    if (width <= 16) return;
    const type = typeSize(style);
    const side = parseFloat(style.getPropertyValue('--ge-side')) || 600;
    const height = side + 16;
    const context = drawingContext(canvas, width, height);
    const colour = (name) => style.getPropertyValue(name).trim();
    const capacity = capacityFor(trace.tokens, trace.blockSize);
    const step = (width - 16) / capacity;
    const base = height - 3.7 * type;
    geometry = {x0: 8, step, base};
    const centre = (t) => 8 + (t + 0.5) * step;
    const row = app.row();
    const {scale} = app.state;
    const reach = base - 8;
    const arc = (t, s, value) => {
      const weight = Math.abs(value);
      const middle = (centre(t) + centre(s)) / 2;
      const radius = Math.max((centre(t) - centre(s)) / 2, 1);
      context.strokeStyle = colour(value < 0 ? '--gl-ochre' : '--gl-blue');
      context.lineWidth = 0.5 + 2 * weight;
      context.beginPath();
      context.ellipse(middle, base, radius, Math.min(radius, reach), 0, Math.PI, 2 * Math.PI);
      context.stroke();
    };
    context.globalAlpha = 0.28;
    for (const {t, s, w} of strongestArcs(map)) if (t !== row) arc(t, s, place(scale, Math.abs(w)) * w);
    const weights = app.weights(row);
    weights.forEach((w, s) => {
      if (Math.abs(w) < 0.02 || s === row) return;
      context.globalAlpha = Math.min(1, 0.25 + Math.abs(w));
      arc(row, s, w);
    });
    context.globalAlpha = 1;
    context.fillStyle = colour('--gl-edge');
    context.fillRect(8, base, trace.tokens * step, 1);
    context.textAlign = 'center';
    context.fillStyle = colour('--gl-ink-3');
    context.font = `${type}px ${colour('--gl-sans')}`;
    if (step >= 7) {
      context.font = `${Math.min(1.5 * type, step * 1.4)}px ${colour('--gl-serif')}`;
      context.fillStyle = colour('--gl-ink');
      trace.pieces.forEach((piece, t) => context.fillText(sign(piece).slice(0, 3), centre(t), base + 1.5 * type));
    } else {
      let free = 0;
      context.textAlign = 'left';
      for (const t of axisTicks(trace, capacity)) {
        const words = firstWords(trace.pieces.slice(t, t + 24).join(''));
        context.fillRect(centre(t), base, 1, 6);
        if (centre(t) < free) continue;
        context.fillText(words, centre(t) - 2, base + 1.7 * type);
        free = centre(t) + context.measureText(words).width + type;
      }
    }
    context.font = `600 ${1.5 * type}px ${colour('--gl-serif')}`;
    context.textAlign = 'center';
    context.fillStyle = colour('--gl-red');
    context.fillRect(centre(row) - 0.75, base - 6, 1.5, 14);
    context.fillText(sign(trace.pieces[row]), centre(row), base + 3.2 * type);
  }

  app.on((changed) => {
    if (element.hidden) return;
    if (['trace', 'size', 'map', 'layer', 'head', 'average', 'scale', 'hideFirst', 'theme', 'hover', 'pin', 'exact', 'view'].some((n) => changed.has(n))) draw();
  });
}

/** @param {import('./maps.js').AttentionMap} map @returns {{t: number, s: number, w: number}[]} weakest first; those of a difference have its sign */
export function strongestArcs(map) {
  const found = [];
  for (let t = 1; t < map.tokens; t++) {
    const row = rowOf(map, t);
    for (let s = 0; s < t; s++) if (Math.abs(row[s]) >= LEAST) found.push({t, s, w: row[s]});
  }
  return found.sort((a, b) => Math.abs(a.w) - Math.abs(b.w)).slice(-MOST);
}
