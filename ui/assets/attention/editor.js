/** The text can be edited in its place, and others are a press away. */
import {make} from '../dom.js';
import {MAX_TEXT} from './state.js';

const TRACE_MS = 300;

/**
 * @param {import('./app.js').App} app
 * @param {HTMLElement} element
 * @param {{strip: HTMLElement, examples: import('./explorer.js').Example[], live: boolean}} options
 */
export function mount(app, element, {strip, examples, live}) {
  const area = /** @type {HTMLTextAreaElement} */ (make('textarea', {class: 'ge-area gl-serif', 'aria-label': 'The text', spellcheck: false, hidden: true, placeholder: 'Type a line, or pick one of the examples'}));
  const edit = make('button', {class: 'gl-link', type: 'button', on: {click: toggle}}, 'Edit the text ', make('kbd', {}, 'E'));
  const picks = examples.map((example) => make('button', {class: 'gl-link', type: 'button', title: example.says, on: {click: () => { close(); void app.restore({...example.state, caption: ''}); }}}, example.title));
  let timer = 0;
  if (!live) return {open() {}, close() {}};
  strip.after(area);
  element.append(edit, ...picks);

  area.addEventListener('input', () => {
    clearTimeout(timer);
    timer = window.setTimeout(trace, TRACE_MS);
  });
  area.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') { event.preventDefault(); close(); /** @type {HTMLElement | null} */ (element.closest('.ge'))?.focus(); }
  });
  document.addEventListener('pointerdown', (event) => {
    const target = /** @type {Node} */ (event.target);
    if (!area.hidden && target !== area && !element.contains(target)) close();
  });

  function trace() {
    const text = area.value.slice(-MAX_TEXT); // what the model sees is the end of it
    if (text !== app.state.text) app.set({text, pin: null, caption: ''});
  }

  function toggle() { if (area.hidden) open(); else close(); }

  function open() {
    app.play(false);
    area.style.height = `${Math.max(strip.offsetHeight, 120)}px`;
    area.value = app.state.text;
    area.hidden = false;
    strip.hidden = true;
    edit.replaceChildren('Done ', make('kbd', {}, 'Esc'));
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
  }

  function close() {
    if (area.hidden) return;
    clearTimeout(timer);
    trace();
    area.hidden = true;
    strip.hidden = false;
    edit.replaceChildren('Edit the text ', make('kbd', {}, 'E'));
    app.touch('size');
  }

  return {open, close};
}
