/** A slider: name and value on one line, the track, a sentence, its maths on demand. */
import {make} from '../dom.js';

/**
 * @param {{name: string, title: string, says?: string, maths?: string, min: number, max: number, step: number, format: (value: number) => string}} slider
 * @param {(value: number) => void} changed
 * @param {{id?: string}} [options] of the input; by default from its name
 * @returns {{part: HTMLElement, input: HTMLInputElement, show: (value: number, max?: number) => void, explain: (setting: {says?: string, maths?: string}) => void}}
 *   `show` sets it, and its upper bound, without a change; `explain` says its sentence, and its maths, in other words
 */
export function slider({name, title, says, maths, min, max, step, format}, changed, {id = `gl-${name.replaceAll('_', '-')}`} = {}) {
  const output = make('output', {for: id});
  const input = /** @type {HTMLInputElement} */ (make('input', {id, type: 'range', min, max, step, on: {
    input: () => { say(Number(input.value)); changed(Number(input.value)); },
  }}));
  const sentence = make('span', {}, says ?? '');
  const formula = make('span', {class: 'gl-maths', hidden: true}, maths ?? '');
  const about = says ? [make('p', {}, sentence, ...(maths ? [' ', opener(formula), formula] : []))] : [];
  const part = make('div', {class: 'gl-slider'}, make('div', {class: 'gl-slider-head'}, make('label', {for: id}, title), output), input, ...about);

  function say(value) {
    output.textContent = format(value);
    input.setAttribute('aria-valuetext', format(value));
    const filled = (Math.min(value, Number(input.max)) - Number(input.min)) / (Number(input.max) - Number(input.min));
    input.style.setProperty('--gl-filled', `${100 * filled}%`);
  }

  return {part, input, show(value, most = Number(input.max)) {
    input.max = String(most);
    input.value = String(value);
    say(value);
  }, explain({says: words = '', maths: more = ''}) {
    sentence.textContent = words;
    formula.textContent = more;
  }};
}

/** @param {HTMLElement} words that it shows and hides */
function opener(words) {
  const button = make('button', {class: 'gl-link', type: 'button', 'aria-expanded': 'false', on: {click: () => {
    words.hidden = !words.hidden;
    button.setAttribute('aria-expanded', String(!words.hidden));
  }}}, 'Maths');
  return button;
}
