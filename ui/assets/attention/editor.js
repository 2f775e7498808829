/** The text can be edited in its place, and others are a press away. */
import {createEditor} from '../common/editor.js';
import {make} from '../dom.js';
import {MAX_TEXT} from './state.js';

/**
 * @param {import('./app.js').App} app
 * @param {HTMLElement} element
 * @param {{strip: HTMLElement, examples: import('./explorer.js').Example[], live: boolean}} options
 */
export function mount(app, element, {strip, examples, live}) {
  if (!live) return {open() {}, close() {}};
  const editor = createEditor({
    shown: strip, home: element, field: 'ge-area', words: 'Edit the text', placeholder: 'Type a line, or pick one of the examples',
    read: () => app.state.text,
    use: (typed) => {
      const text = typed.slice(-MAX_TEXT); // what the model sees is the end of it
      if (text !== app.state.text) app.set({text, pin: null, caption: ''});
    },
    opens: () => app.play(false),
    closed: () => app.touch('size'),
    leave: () => /** @type {HTMLElement | null} */ (element.closest('.ge'))?.focus(),
  });
  const picks = examples.map(({title, says, state}) => make('button', {class: 'gl-link', type: 'button', title: says, on: {click: () => { editor.close(); void app.restore({...state, caption: ''}); }}}, title));
  strip.after(editor.area);
  element.append(editor.button, ...picks);
  return editor;
}
