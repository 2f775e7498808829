/** What can be done with a text: tint it, look at its attention, copy it, keep it as a file; and how fast it came. */
import {copyText} from './common/copy.js';
import {saveText} from './common/download.js';
import {make} from './dom.js';
import {desk} from './prompt/desk.js';
import {openAttention} from './prompt/doors.js';
import {tintBar} from './prompt/tintbar.js';

const SAID_MS = 1500;

/** @param {import('./dom.js').View} view */
export function mount({element}) {
  const state = make('span', {class: 'gl-state', 'aria-live': 'off'});
  const attention = button('Its attention', openAttention);
  attention.append(' ', make('kbd', {class: 'gp-key'}, 'A'));
  attention.title = 'Open the Attention tab at the character that is pinned, or at the last one';
  const copy = button('Copy', () => void copyAll());
  const download = button('Download', () => saveText(desk.state.sheet.text, 'letter-by-letter.txt', 'text/plain'));
  element.replaceChildren(make('div', {class: 'gl-part'}, make('div', {class: 'gl-actions'}, tintBar(), state, attention, copy, download)));

  let unit = 'character';
  document.addEventListener('gl:settings', (event) => { unit = /** @type {CustomEvent} */ (event).detail.unit ?? unit; });
  document.addEventListener('gl:text', (event) => {
    const {speed} = /** @type {CustomEvent} */ (event).detail;
    if (speed) state.replaceChildren(make('b', {}, speed.toLocaleString('en')), ` ${unit}s a second`);
    else state.replaceChildren();
  });
  const draw = () => { attention.disabled = copy.disabled = download.disabled = desk.state.sheet.text === ''; };
  desk.on((changed) => { if (changed.has('sheet')) draw(); });
  draw();

  async function copyAll() {
    say(copy, await copyText(desk.state.sheet.text) ? 'Copied' : 'Not allowed here');
  }
}

/** @returns {HTMLButtonElement} */
function button(words, click) {
  return /** @type {HTMLButtonElement} */ (make('button', {class: 'gl-button', type: 'button', on: {click}}, words));
}

function say(copy, words) {
  const usual = copy.dataset.usual ?? copy.textContent;
  copy.dataset.usual = usual;
  copy.textContent = words;
  setTimeout(() => { copy.textContent = usual; }, SAID_MS);
}
