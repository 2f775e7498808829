/** A text that is edited in its place: a field takes the place of what shows it, and what is typed is used after a moment. */
import {make} from '../dom.js';

const USE_MS = 300;

/**
 * @param {object} text
 * @param {HTMLElement} text.shown what shows the text; the field stands after it
 * @param {HTMLElement} text.home holds the button and what belongs to it: a press outside of it ends the editing
 * @param {string} text.field class of the field
 * @param {string} text.words of the button
 * @param {string} text.placeholder
 * @param {() => string} text.read
 * @param {(text: string) => void} text.use
 * @param {() => void} text.opens before it opens
 * @param {() => void} text.closed
 * @param {() => void} text.leave Escape was pressed in the field
 * @returns {{area: HTMLTextAreaElement, button: HTMLElement, open: () => void, close: () => void, drop: () => void, editing: boolean}} `drop` closes without using what was typed
 */
export function createEditor({shown, home, field, words, placeholder, read, use, opens, closed, leave}) {
  const area = /** @type {HTMLTextAreaElement} */ (make('textarea', {class: `${field} gl-serif`, 'aria-label': 'The text', spellcheck: false, hidden: true, placeholder}));
  const button = make('button', {class: 'gl-link', type: 'button', on: {click: () => (area.hidden ? open() : close())}});
  let timer = 0;
  /** What was typed last and used: it may be read otherwise, and a field has its own line breaks. */ let used = '';

  area.addEventListener('input', () => {
    clearTimeout(timer);
    timer = window.setTimeout(settle, USE_MS);
  });
  area.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    close();
    leave();
  });
  document.addEventListener('pointerdown', (event) => {
    const target = /** @type {Node} */ (event.target);
    if (!area.hidden && target !== area && !home.contains(target)) close();
  });

  function settle() {
    if (area.value === used) return;
    used = area.value;
    use(used);
  }

  function open() {
    opens();
    area.style.height = `${Math.max(shown.offsetHeight, 124)}px`;
    area.value = read();
    used = area.value;
    show(true);
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
  }

  function close() {
    if (area.hidden) return;
    clearTimeout(timer);
    settle();
    show(false);
    closed();
  }

  function drop() {
    clearTimeout(timer);
    show(false);
  }

  function show(editing) {
    area.hidden = !editing;
    shown.hidden = editing;
    button.replaceChildren(`${editing ? 'Done' : words} `, make('kbd', {}, editing ? 'Esc' : 'E'));
  }

  show(false);
  return {area, button, open, close, drop, get editing() { return !area.hidden; }};
}
