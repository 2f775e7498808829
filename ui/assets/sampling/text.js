/** The text that is written on: a strip of characters with a red underscore, and in its place a field to edit it. */
import {createEditor} from '../common/editor.js';
import {createStrip} from '../common/strip.js';
import {make} from '../dom.js';
import {windowStart} from './path.js';

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
  const editor = createEditor({
    shown: reading, home: element, field: 'gs-area', words: 'Edit', placeholder: 'Type the beginning of a text',
    read: () => lab.state.text, use: (text) => { void lab.set({text}); }, opens: () => lab.pause(), closed: lay,
    leave: () => /** @type {HTMLElement | null} */ (element.closest('.gs'))?.focus(),
  });
  const back = make('button', {class: 'gl-link', type: 'button', title: 'Take the last character back', on: {click: () => lab.back()}}, 'Take back ', make('kbd', {}, 'B'));
  const picks = make('span', {class: 'gs-examples'});
  element.append(reading, editor.area, make('div', {class: 'gs-edit'}, editor.button, back, picks));
  let width = 0;

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
      editor.drop();
      void lab.set({text});
    }}}, title)));
  }

  lab.on((changed) => { if (['text', 'path', 'stale'].some((name) => changed.has(name))) lay(); });
  new ResizeObserver(() => {
    if (reading.clientWidth === width) return;
    width = reading.clientWidth; // none while another tab is open: what came meanwhile is laid out afterwards
    lay();
  }).observe(reading);
  offer();
  return editor;
}
