/** The text that is written on: a strip of characters with a red underscore, and in its place a field to edit it. */
import {createStrip} from '../common/strip.js';
import {make} from '../dom.js';
import {windowStart} from './path.js';

const ASK_MS = 300;
/** So much of a long text is laid out: the last of it, from the beginning of a line. */
const SHOWN = 800;

/**
 * @param {import('./lab.js').Lab} lab
 * @param {HTMLElement} element
 * @param {{examples: {title: string, says: string, text: string}[]}} options
 */
export function mount(lab, element, {examples}) {
  const strip = createStrip({label: 'The text that is written on'});
  const before = make('p', {class: 'gs-before', hidden: true});
  const reading = make('div', {class: 'gs-text'}, before, strip.element);
  const area = /** @type {HTMLTextAreaElement} */ (make('textarea', {class: 'gs-area gl-serif', 'aria-label': 'The text', spellcheck: false, hidden: true, placeholder: 'Type the beginning of a text'}));
  const edit = make('button', {class: 'gl-link', type: 'button', on: {click: () => (area.hidden ? open() : close())}}, 'Edit ', make('kbd', {}, 'E'));
  const back = make('button', {class: 'gl-link', type: 'button', title: 'Take the last character back', on: {click: () => lab.back()}}, 'Take back ', make('kbd', {}, 'B'));
  const picks = make('span', {class: 'gs-examples'});
  element.append(reading, area, make('div', {class: 'gs-edit'}, edit, back, picks));
  let timer = 0;
  let width = 0;
  /** What was typed last and asked for: the model may read it otherwise. */ let asked = '';

  area.addEventListener('input', () => {
    clearTimeout(timer);
    timer = window.setTimeout(ask, ASK_MS);
  });
  area.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    close();
    /** @type {HTMLElement | null} */ (element.closest('.gs'))?.focus();
  });
  document.addEventListener('pointerdown', (event) => {
    const target = /** @type {Node} */ (event.target);
    if (!area.hidden && target !== area && !element.contains(target)) close();
  });

  function ask() {
    if (area.value === asked) return;
    asked = area.value;
    void lab.set({text: asked});
  }

  function open() {
    lab.pause();
    area.style.height = `${Math.max(reading.offsetHeight, 124)}px`;
    area.value = lab.state.text;
    asked = area.value; // a field has its own line breaks
    area.hidden = false;
    reading.hidden = true;
    edit.replaceChildren('Done ', make('kbd', {}, 'Esc'));
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
  }

  function close() {
    if (area.hidden) return;
    clearTimeout(timer);
    ask();
    area.hidden = true;
    reading.hidden = false;
    edit.replaceChildren('Edit ', make('kbd', {}, 'E'));
    lay();
  }

  function lay() {
    if (!reading.clientWidth) return;
    const {text} = lab.state;
    const line = text.length > SHOWN ? text.indexOf('\n', text.length - SHOWN) + 1 : 0;
    const from = text.length > SHOWN ? line || text.length - SHOWN : 0;
    const pieces = [...text.slice(from)];
    strip.lay(pieces);
    before.hidden = from === 0;
    before.textContent = `${from.toLocaleString('en')} characters before`;
    // Only where a token is a character is it known here which of them the model still reads.
    const start = lab.path && !lab.stale && lab.unit() === 'character' ? windowStart(lab.position(), lab.path.blockSize) - [...text.slice(0, from)].length : 0;
    strip.boxes.forEach((boxes, i) => boxes.forEach((box) => box.classList.toggle('gs-past', i < start)));
    reading.scrollTop = reading.scrollHeight;
  }

  function offer() {
    picks.replaceChildren(...examples.map(({title, says, text}) => make('button', {class: 'gl-link', type: 'button', title: says, on: {click: () => {
      area.hidden = true;
      reading.hidden = false;
      edit.replaceChildren('Edit ', make('kbd', {}, 'E'));
      void lab.set({text});
    }}}, title)));
  }

  lab.on((changed) => { if (['text', 'path', 'stale'].some((name) => changed.has(name))) lay(); });
  new ResizeObserver(() => {
    if (!reading.clientWidth || reading.clientWidth === width) return;
    width = reading.clientWidth;
    lay();
  }).observe(reading);
  offer();
  return {open, close, get editing() { return !area.hidden; }};
}
