/**
 * How the next character is chosen, for all tabs: the sliders of the Prompt tab, and the seed. Whoever comes later asks
 * for them by `gl:ask-settings` and hears of each change by `gl:settings`; another tab changes them by `gl:set-settings`.
 */
import {SETTINGS, inUnits} from './common/settings.js';
import {slider} from './common/slider.js';
import {make} from './dom.js';

const MAX_SEED = Number.MAX_SAFE_INTEGER;

/** @param {import('./dom.js').View} view */
export function mount({element, props, watch}) {
  const root = make('div', {class: 'gl-settings', role: 'group', 'aria-label': 'Settings'});
  element.replaceChildren(make('div', {class: 'gl-part'}, root));
  const tell = () => document.dispatchEvent(new CustomEvent('gl:settings', {detail: props.value}));
  const set = (fields) => {
    props.value = {...props.value, ...fields};
    sum();
    tell();
  };

  const length = {name: 'length', title: 'Length', min: 50, max: props.value.max_length, step: 50, format: (v) => `${v} ${props.value.unit ?? 'character'}s`};
  const all = [SETTINGS[0], length, ...SETTINGS.slice(1)].map((setting) => ({setting, name: setting.name, ...slider({...setting, maths: undefined}, (value) => set({[setting.name]: value}))}));

  const seed = /** @type {HTMLInputElement} */ (make('input', {type: 'text', inputMode: 'numeric', autocomplete: 'off', 'aria-label': 'Seed', on: {
    change: () => {
      const value = Number(seed.value.replace(/[^0-9]/g, ''));
      set({seed: Math.min(value, MAX_SEED), keep_seed: true}); // who types a seed wants that one
      draw();
    },
  }}));
  const keep = /** @type {HTMLInputElement} */ (make('input', {type: 'checkbox', on: {change: () => set({keep_seed: keep.checked})}}));
  const seedRow = make('div', {class: 'gl-seed'}, make('label', {}, 'Seed', seed), make('label', {class: 'gl-check'}, keep, 'keep it; same seed, same text'));

  // The four that are rarely used say what they are in one line, which opens.
  const part = Object.fromEntries(all.map((one) => [one.name, one.part]));
  const rest = make('div', {class: 'gl-rest', id: 'gl-rest', hidden: true}, make('div', {class: 'gl-pair'}, part.top_k, part.top_p), make('div', {class: 'gl-pair'}, part.min_p, part.repetition_penalty));
  const line = make('button', {class: 'gl-rest-line', type: 'button', 'aria-expanded': 'false', 'aria-controls': 'gl-rest', title: 'Top-k, top-p, min-p and the repetition penalty', on: {click: () => {
    rest.hidden = !rest.hidden;
    line.setAttribute('aria-expanded', String(!rest.hidden));
  }}});
  root.append(part.temperature, part.length, seedRow, line, rest);

  function sum() {
    const names = {top_k: 'Top-k', top_p: 'Top-p', min_p: 'Min-p', repetition_penalty: 'Penalty'};
    line.replaceChildren(...SETTINGS.slice(1).map(({name, format}) => make('span', {}, `${names[name]} `, make('b', {}, format(props.value[name])))));
  }

  function draw() {
    for (const {setting, explain} of all) explain(inUnits(setting, props.value.unit ?? 'character'));
    for (const {name, show} of all) show(props.value[name], name === 'top_k' ? Math.min(props.value.vocab_size, 100) : undefined);
    seed.value = String(props.value.seed);
    keep.checked = props.value.keep_seed;
    sum();
    tell();
  }
  document.addEventListener('gl:ask-settings', tell);
  document.addEventListener('gl:set-settings', (event) => {
    props.value = {...props.value, ...(/** @type {CustomEvent} */ (event).detail)};
    draw();
  });
  watch('value', draw);
  draw();
}
