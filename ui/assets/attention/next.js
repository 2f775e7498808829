/** "Next character": what the model is about to say, and one press that writes it. */
import {make} from '../dom.js';
import {nextOf} from './predicted.js';
import {barsOf, drawBars} from '../common/bars.js';
import {headNumbers} from '../common/words.js';

const SHOWN = 5;

/** @param {import('./app.js').App} app @param {HTMLElement} element @param {{write: () => void}} actions */
export function mount(app, element, {write}) {
  const title = make('h2', {class: 'ge-heading'}, 'Next character');
  const button = /** @type {HTMLButtonElement} */ (make('button', {class: 'gl-button ge-primary', type: 'button', on: {click: write}}, 'Write it ', make('kbd', {}, 'N')));
  const list = make('ul', {class: 'gl-bars', 'aria-label': 'Probabilities of the next character'});
  const legend = make('div', {class: 'ge-bar-legend'});
  const drawn = make('div', {class: 'ge-drawn'});
  const temperature = numberInput('Temperature', {min: 0, max: 3, step: 0.05}, (value) => app.set({settings: {...app.state.settings, temperature: value}}), () => settings());
  const seed = numberInput('Seed', {min: 0, max: Number.MAX_SAFE_INTEGER, step: 1}, (value) => app.set({seed: Math.round(value)}), () => settings());
  drawn.append(make('span', {}, 'Drawn at temperature ', temperature), ' ', make('span', {}, 'with seed ', seed));
  element.append(make('div', {class: 'ge-next-head'}, title, ...(app.source.live ? [button] : [])), list, legend, ...(app.source.live ? [drawn] : []));

  function draw() {
    const next = nextOf(app);
    if (!next || !app.trace) return;
    drawBars(list, barsOf(next, SHOWN));
    list.classList.toggle('gl-ochre-only', next.offOnly);
    const keys = next.after ? [make('i', {class: 'ge-key gl-blue'}), 'all heads'] : [];
    if (next.after || next.offOnly) keys.push(make('i', {class: 'ge-key gl-ochre'}), `${headNumbers(app.trace.silenced)} silenced`);
    legend.replaceChildren(...keys);
  }

  function settings() {
    temperature.value = String(app.state.settings.temperature);
    seed.value = String(app.state.seed);
  }

  app.on((changed) => {
    if (['trace', 'base', 'exact', 'theme'].some((n) => changed.has(n))) draw();
    if (changed.has('settings') || changed.has('seed') || changed.has('trace')) settings();
  });
}

/** What is no number leaves the value as it was; the field then shows it again. */
function numberInput(label, {min, max, step}, change, settled) {
  const input = /** @type {HTMLInputElement} */ (make('input', {class: 'ge-number-input', type: 'text', inputMode: 'decimal', autocomplete: 'off', 'aria-label': label, on: {
    change: () => {
      const value = Number(input.value.replace(',', '.'));
      if (Number.isFinite(value) && input.value.trim() !== '') change(Math.min(max, Math.max(min, value)));
      settled();
    },
  }}));
  input.style.width = step < 1 ? '5ch' : '7ch';
  return input;
}
