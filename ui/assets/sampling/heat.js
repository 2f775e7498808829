/** Twelve temperatures: the distribution at each, in the same columns. The red frame holds the present one; drag it. */
import {paintCanvas, pixelRatio} from '../common/canvas.js';
import {table} from '../common/colours.js';
import {place} from '../common/scales.js';
import {make} from '../dom.js';
import {TEMPERATURES, rowAt, rowOf, temperatureOf} from './numbers.js';

const STEP = 0.05;
const MAX = TEMPERATURES[TEMPERATURES.length - 1];

/** @param {import('./lab.js').Lab} lab @param {HTMLElement} element @param {import('./stage.js').Stage} stage @param {(temperature: number) => void} change */
export function mount(lab, element, stage, change) {
  const canvas = /** @type {HTMLCanvasElement} */ (make('canvas', {'aria-hidden': 'true'}));
  const now = /** @type {HTMLCanvasElement} */ (make('canvas', {'aria-hidden': 'true'}));
  const frame = make('div', {class: 'gs-frame'}, now);
  const label = make('span', {class: 'gs-now', 'aria-hidden': 'true'});
  const ends = [TEMPERATURES[0], MAX].map((temperature) => make('span', {class: 'gs-end', 'aria-hidden': 'true'}, String(temperature)));
  const outline = make('div', {class: 'gs-outline', hidden: true});
  const says = make('span', {class: 'gs-says'});
  const plane = make('div', {class: 'gs-heat', tabIndex: 0, role: 'slider', 'aria-label': 'Temperature', 'aria-orientation': 'vertical', 'aria-valuemin': '0', 'aria-valuemax': String(MAX)},
    canvas, frame, outline, label, ...ends);
  element.append(make('div', {class: 'gs-line'}, make('h2', {class: 'gs-heading'}, 'Twelve temperatures'), says),
    plane, make('div', {class: 'gs-scale'}, 'probability, square root scale'));
  let dragging = false;

  const drag = (event) => {
    const {top, height} = plane.getBoundingClientRect();
    change(temperatureOf(((event.clientY - top) / height) * TEMPERATURES.length - 0.5));
  };
  plane.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    dragging = true;
    plane.setPointerCapture(event.pointerId);
    stage.point(stage.under(event));
    drag(event);
  });
  plane.addEventListener('pointermove', (event) => {
    stage.point(stage.under(event));
    if (dragging) drag(event);
  });
  for (const end of ['pointerup', 'pointercancel']) plane.addEventListener(end, () => { dragging = false; });
  plane.addEventListener('pointerleave', (event) => { if (event.pointerType === 'mouse') stage.point(null); });
  plane.addEventListener('keydown', (event) => {
    const {temperature} = lab.state.settings;
    const row = rowOf(temperature);
    const to = {
      ArrowUp: temperature + STEP, ArrowRight: temperature + STEP, ArrowDown: temperature - STEP, ArrowLeft: temperature - STEP,
      PageUp: temperatureOf(Math.floor(row) + 1), PageDown: temperatureOf(Math.ceil(row) - 1), Home: 0, End: MAX,
    }[event.key];
    if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    change(Math.round(Math.max(0, Math.min(MAX, to)) * 100) / 100);
  });

  /** @param {HTMLCanvasElement} onto @param {number} high @param {number[]} temperatures */
  function paint(onto, high, temperatures) {
    const seen = lab.numbers();
    if (!seen || !stage.width) return;
    const columns = stage.columns(seen.belief);
    const count = stage.count();
    const rows = temperatures.map((temperature) => rowAt(seen.logits, columns, temperature));
    const colours = table('ink', lab.dark);
    const ratio = pixelRatio(onto);
    const edges = Array.from({length: count + 1}, (_, i) => Math.round(stage.edge(i, count) * ratio));
    paintCanvas(onto, stage.width, high, (pixels, width, height) => {
      rows.forEach((row, r) => {
        const from = Math.round((r * height) / rows.length);
        const to = Math.round(((r + 1) * height) / rows.length);
        row.forEach((p, i) => pixels.fill(colours[Math.round(255 * place('sqrt', p))], from * width + edges[i], from * width + edges[i + 1]));
        for (let y = from + 1; y < to; y++) pixels.copyWithin(y * width, from * width, (from + 1) * width);
      });
    });
  }

  function mark() {
    const {temperature} = lab.state.settings;
    const high = stage.rowHeight();
    const whole = high * TEMPERATURES.length;
    const top = rowOf(temperature) * high;
    plane.style.height = `${whole}px`;
    plane.style.lineHeight = `${high}px`;
    ends[1].style.top = `${whole - high}px`;
    frame.style.transform = `translateY(${top}px)`;
    label.style.transform = `translateY(${top}px)`;
    label.textContent = String(temperature);
    says.textContent = `the same ${lab.unit()}s in the same order; drag along it`;
    ends[0].hidden = top < high;
    ends[1].hidden = top > whole - 2 * high;
    plane.setAttribute('aria-valuenow', String(temperature));
    plane.setAttribute('aria-valuetext', temperature.toFixed(2));
    paint(now, high, [temperature]);
  }

  lab.on((changed) => {
    if (['path', 'columns', 'theme'].some((name) => changed.has(name))) paint(canvas, stage.rowHeight() * TEMPERATURES.length, TEMPERATURES);
    if (['path', 'columns', 'theme', 'settings'].some((name) => changed.has(name))) mark();
    if (!changed.has('hover') && !changed.has('columns')) return;
    const column = lab.hover;
    outline.hidden = column === null || column >= stage.count();
    if (column === null) return;
    outline.style.left = `${stage.edge(column)}px`;
    outline.style.width = `${stage.edge(column + 1) - stage.edge(column)}px`;
  });
}
