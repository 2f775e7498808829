/** How the next character is chosen: sliders, and the seed. Whoever comes later asks for them by `gl:ask-settings`. */
import {make} from './dom.js';

const MAX_SEED = Number.MAX_SAFE_INTEGER;

/**
 * @typedef {object} Slider
 * @property {string} name the field's name, the same as in Python and in links
 * @property {string} title
 * @property {string} [says] one sentence
 * @property {number} min
 * @property {number} max
 * @property {number} step
 * @property {(value: number) => string} format
 */

/** @returns {Slider[]} */
function sliders({max_length: maxLength, vocab_size: vocabSize}) {
  return [
    {name: 'temperature', title: 'Temperature', says: 'Below 1 sharpens, above 1 evens out.', min: 0, max: 3, step: 0.05, format: (v) => v.toFixed(2)},
    {name: 'length', title: 'Length', min: 50, max: maxLength, step: 50, format: (v) => `${v} characters`},
    {name: 'top_k', title: 'Top-k', says: 'Only the k most likely.', min: 0, max: Math.min(vocabSize, 100), step: 1, format: (v) => (v === 0 ? 'off' : String(v))},
    {name: 'top_p', title: 'Top-p', says: 'The fewest that reach p.', min: 0.01, max: 1, step: 0.01, format: (v) => (v === 1 ? 'off' : v.toFixed(2))},
  ];
}

/** @param {import('./dom.js').View} view */
export function mount({element, props, watch}) {
  const root = make('div', {class: 'gl-settings', role: 'group', 'aria-label': 'Settings'});
  element.replaceChildren(make('div', {class: 'gl-part'}, root));
  /** The Attention tab draws with the same settings: it is told. */
  const tell = () => document.dispatchEvent(new CustomEvent('gl:settings', {detail: props.value}));
  const set = (name, value) => {
    props.value = {...props.value, [name]: value};
    tell();
  };

  const parts = sliders(props.value).map((slider) => {
    const id = `gl-${slider.name.replace('_', '-')}`;
    const output = make('output', {for: id});
    const input = /** @type {HTMLInputElement} */ (make('input', {id, type: 'range', min: slider.min, max: slider.max, step: slider.step, on: {
      input: () => { set(slider.name, Number(input.value)); show(); },
    }}));
    function show() {
      const value = Number(input.value);
      output.textContent = slider.format(value);
      input.setAttribute('aria-valuetext', slider.format(value));
      input.style.setProperty('--gl-filled', `${(100 * (value - Number(input.min))) / (Number(input.max) - Number(input.min))}%`);
    }
    const says = slider.says ? [make('p', {}, slider.says)] : [];
    const part = make('div', {class: 'gl-slider'}, make('div', {class: 'gl-slider-head'}, make('label', {for: id}, slider.title), output), input, ...says);
    const draw = () => {
      if (slider.name === 'top_k') input.max = String(Math.min(props.value.vocab_size, 100));
      input.value = String(props.value[slider.name]);
      show();
    };
    return {part, draw};
  });

  const seed = /** @type {HTMLInputElement} */ (make('input', {type: 'text', inputMode: 'numeric', autocomplete: 'off', 'aria-label': 'Seed', on: {
    change: () => {
      const value = Number(seed.value.replace(/[^0-9]/g, ''));
      set('seed', Math.min(value, MAX_SEED));
      set('keep_seed', true); // who types a seed wants that one
      draw();
    },
  }}));
  const keep = /** @type {HTMLInputElement} */ (make('input', {type: 'checkbox', on: {change: () => set('keep_seed', keep.checked)}}));
  const seedRow = make('div', {class: 'gl-seed'}, make('label', {}, 'Seed', seed), make('label', {class: 'gl-check'}, keep, 'keep it; same seed, same text'));
  root.append(parts[0].part, parts[1].part, make('div', {class: 'gl-pair'}, parts[2].part, parts[3].part), seedRow);

  function draw() {
    for (const part of parts) part.draw();
    seed.value = String(props.value.seed);
    keep.checked = props.value.keep_seed;
    tell();
  }
  document.addEventListener('gl:ask-settings', tell);
  watch('value', draw);
  draw();
}
