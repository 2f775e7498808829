/** What can be done with a text: how fast it came, copy it, keep it as a file. */
import {make} from './dom.js';

const SAID_MS = 1500;

/** @param {import('./dom.js').View} view */
export function mount({element}) {
  let text = '';
  const state = make('span', {class: 'gl-state', 'aria-live': 'off'});
  const copy = make('button', {class: 'gl-button', type: 'button', on: {click: copyText}}, 'Copy');
  const download = make('button', {class: 'gl-button', type: 'button', on: {click: downloadText}}, 'Download');
  element.replaceChildren(make('div', {class: 'gl-part'}, make('div', {class: 'gl-actions'}, state, copy, download)));

  document.addEventListener('gl:text', (event) => {
    const value = /** @type {CustomEvent} */ (event).detail;
    text = (value.prompt ?? '') + (value.text ?? '');
    copy.disabled = download.disabled = text === '';
    if (value.speed) state.replaceChildren(make('b', {}, value.speed.toLocaleString('en')), ' characters a second');
    else state.replaceChildren();
  });

  async function copyText() {
    let done = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      done = copyBySelection(text); // a page without https, or in a frame that may not
    }
    say(copy, done ? 'Copied' : 'Not allowed here');
  }

  function downloadText() {
    const url = URL.createObjectURL(new Blob([text], {type: 'text/plain;charset=utf-8'}));
    make('a', {href: url, download: 'letter-by-letter.txt'}).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }
}

function say(button, words) {
  const usual = button.dataset.usual ?? button.textContent;
  button.dataset.usual = usual;
  button.textContent = words;
  setTimeout(() => { button.textContent = usual; }, SAID_MS);
}

function copyBySelection(text) {
  const area = make('textarea', {value: text});
  area.style.position = 'fixed';
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  return done;
}
