/** Silencing: looking is not yet using. What the model would say without a head. */
import {make} from '../dom.js';
import {nextProbability} from './wire.js';
import {headName, headNumbers, percent, spoken} from '../common/words.js';

/** @param {import('./app.js').App} app @param {HTMLElement} element */
export function mount(app, element) {
  const question = make('h2', {class: 'ge-heading'});
  const button = /** @type {HTMLButtonElement} */ (make('button', {class: 'gl-button', type: 'button', on: {click: () => app.toggleSilenced([app.state.layer, app.state.head])}}));
  const says = make('p', {class: 'ge-silence-says', 'aria-live': 'polite'});
  const all = make('button', {class: 'gl-link', type: 'button', on: {click: () => app.set({silenced: []})}}, 'Restore all heads');
  element.append(make('div', {class: 'ge-next-head'}, question, button), says, all);

  function draw() {
    const {state: {layer, head, silenced}, trace, base} = app;
    const off = silenced.some(([l, h]) => l === layer && h === head);
    const name = headName(layer, head);
    question.textContent = off ? `${name} is silenced` : `What if ${name} were silent?`;
    button.replaceChildren(off ? 'Restore ' : 'Silence ', make('kbd', {}, 'S'));
    all.hidden = silenced.length < 1 || (off && silenced.length === 1);
    all.textContent = silenced.length > 1 ? `Restore all ${silenced.length} heads` : `Restore ${headNumbers(silenced)}`;
    if (!silenced.length) says.textContent = 'Looking is not yet using. Silence the head, and see whether the prediction changes.';
    else if (trace && base) says.textContent = effect(trace, base);
  }

  function effect(trace, base) {
    const before = app.lens(trace.tokens - 1, base)?.at(-1);
    if (!before || base.ids.join() !== trace.ids.join()) return `Without ${headNumbers(trace.silenced)} from here on.`;
    const was = before[0];
    const p = nextProbability(trace, trace.tokens - 1, was.id) ?? undefined;
    const word = spoken(was.text);
    const now = p === undefined ? `falls from ${percent(was.p)} to almost nothing` : percent(p) === percent(was.p) ? `stays at ${percent(was.p)}` : `${p < was.p ? 'falls' : 'rises'} from ${percent(was.p)} to ${percent(p)}`;
    if (trace.loss === null || base.loss === null) return `${word} ${now}.`;
    const change = trace.loss - base.loss;
    return `${word} ${now}. The loss on this text ${Math.abs(change) < 0.005 ? 'hardly changes' : `${change > 0 ? 'rises' : 'falls'} by ${Math.abs(change).toFixed(2)} bits a character`}.`;
  }

  app.on((changed) => {
    if (['trace', 'base', 'silenced', 'layer', 'head'].some((n) => changed.has(n))) draw();
  });
}
