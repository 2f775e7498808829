/** Rolling, the seed, and the five sliders. */
import {SETTINGS, inUnits} from '../common/settings.js';
import {slider} from '../common/slider.js';
import {make} from '../dom.js';

/** A new seed is below this: short enough to be said aloud. */
const NEW_SEEDS = 10_000;
const MAX_TOP_K = 100;

/** @typedef {{settings: (fields: Partial<import('../common/settings.js').Settings>) => void, seed: (seed: number, keep: boolean) => void}} Change */

/** @param {import('./lab.js').Lab} lab @param {HTMLElement} element @param {Change} change */
export function mountRolls(lab, element, change) {
  const button = (words, key, action, red = false) => /** @type {HTMLButtonElement} */ (make('button', {class: `gl-button${red ? ' gs-red' : ''}`, type: 'button', on: {click: action}}, words, ...(key ? [make('kbd', {}, key)] : [])));
  const roll = button('Roll', 'R', () => lab.roll(), true);
  const ten = button('Roll ten', '', () => lab.roll(10));
  const on = button('Roll on', '', () => (lab.rolling === 'on' ? lab.pause() : lab.roll(Infinity)));
  const seed = /** @type {HTMLInputElement} */ (make('input', {type: 'text', inputMode: 'numeric', autocomplete: 'off', 'aria-label': 'Seed', on: {change: () => {
    const digits = seed.value.replace(/[^0-9]/g, '');
    if (digits) change.seed(Math.min(Number(digits), Number.MAX_SAFE_INTEGER), true); // who types a seed wants that one
    draw();
  }}}));
  const another = make('button', {class: 'gl-link', type: 'button', title: 'Other draws at the same places (S)', on: {click: renew}}, 'another');
  const position = make('span', {class: 'gs-position'});
  element.append(make('div', {class: 'gs-rolls'}, roll, ten, on), make('div', {class: 'gs-seed'}, make('label', {}, 'Seed', seed), another, position));

  function renew() { change.seed(Math.floor(Math.random() * NEW_SEEDS), false); }

  function draw() {
    seed.value = String(lab.state.seed);
    position.textContent = lab.path ? `position ${lab.position().toLocaleString('en')}` : '';
    position.title = 'The draw here is a hash of the seed and this position, and of nothing else';
    on.textContent = lab.rolling === 'on' ? 'Pause' : 'Roll on';
    ten.textContent = lab.rolling === 'ten' ? 'Rolling …' : 'Roll ten';
    for (const one of [roll, ten, on]) {
      one.disabled = !lab.path;
      one.title = lab.path ? '' : 'There is no text yet';
    }
  }

  lab.on((changed) => { if (['path', 'seed', 'rolling'].some((name) => changed.has(name))) draw(); });
  draw();
  return {renew};
}

/** @param {import('./lab.js').Lab} lab @param {HTMLElement} element @param {Change} change */
export function mountSliders(lab, element, change) {
  const sliders = SETTINGS.map((setting) => ({setting, name: setting.name, ...slider(setting, (value) => change.settings({[setting.name]: value}), {id: `gs-${setting.name.replaceAll('_', '-')}`})}));
  element.append(...sliders.map(({part}) => part));

  let unit = 'character';

  function draw() {
    if (lab.unit() !== unit) {
      unit = lab.unit();
      for (const {setting, explain} of sliders) explain(inUnits(setting, unit));
    }
    for (const {name, input, show} of sliders) {
      const value = lab.state.settings[name];
      const most = name === 'top_k' && lab.path ? Math.min(lab.path.vocabSize, MAX_TOP_K) : undefined;
      if (Number(input.value) !== value || (most && Number(input.max) !== most) || !input.style.length) show(value, most);
    }
  }

  lab.on((changed) => { if (['settings', 'path'].some((name) => changed.has(name))) draw(); });
  draw();
}
