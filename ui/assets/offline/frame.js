/** The frame of a page with no server: gradio's tabs, line and buttons in plain elements, by the names that frame.css knows. */
import {make} from '../dom.js';

const TABS = [['prompt', 'Prompt'], ['sampling', 'Sampling'], ['attention', 'Attention'], ['training', 'Training']];
/** Lines of the field for a line, at most. */
const MAX_LINES = 6;

/** @param {string} prompt that stands in the line at first */
export function createFrame(prompt) {
  /** @type {Record<string, HTMLElement>} */ const parts = {};
  const part = (id) => {
    parts[id] = make('div');
    return make('div', {id, class: 'block'}, parts[id]);
  };
  const button = (id, words, more = '') => make('button', {id, class: more, type: 'button'}, words);

  const line = /** @type {HTMLTextAreaElement} */ (make('textarea', {
    rows: 1, value: prompt, placeholder: 'Type a line, or pick one of the beginnings', spellcheck: false, autocomplete: 'off', autocapitalize: 'off', 'aria-label': 'Your line',
  }));
  const fit = () => {
    line.style.height = 'auto';
    const {paddingTop, paddingBottom, lineHeight} = getComputedStyle(line);
    const most = MAX_LINES * parseFloat(lineHeight) + parseFloat(paddingTop) + parseFloat(paddingBottom);
    line.style.height = `${Math.min(line.scrollHeight + 2, most)}px`;
    line.style.overflowY = line.scrollHeight > most ? 'auto' : 'hidden';
  };
  line.addEventListener('input', fit);
  const write = button('gl-write', 'Write', 'primary');
  const [stop, goOn, again] = [button('gl-stop', 'Stop'), button('gl-continue', 'Continue'), button('gl-again', 'Again')];

  const panels = {
    prompt: [
      make('div', {id: 'gl-prompt', class: 'row'},
        make('div', {id: 'gl-prompt-text', class: 'column'},
          make('div', {id: 'gl-line', class: 'row'}, make('div', {id: 'gl-your-line'}, line), write), part('gl-text')),
        make('div', {id: 'gl-prompt-side', class: 'column'}, part('gl-begin'), part('gl-thoughts'), part('gl-settings'))),
      make('div', {id: 'gl-bar', class: 'row'}, stop, goOn, again, part('gl-actions')),
    ],
    sampling: [part('gl-sampling')], attention: [part('gl-attention')], training: [part('gl-training')],
  };
  const tabs = TABS.map(([id, words]) => make('button', {id: `gl-tab-${id}`, type: 'button', role: 'tab', 'aria-controls': `gl-panel-${id}`, on: {click: () => open(id), keydown: walk}}, words));
  const shown = TABS.map(([id]) => make('div', {id: `gl-panel-${id}`, class: 'tabitem', role: 'tabpanel', 'aria-labelledby': `gl-tab-${id}`}, make('div', {class: 'column'}, ...panels[id])));
  const root = make('main', {class: 'gl-alone'},
    part('gl-head'),
    make('div', {id: 'gl-tabs'}, make('div', {class: 'tab-wrapper'}, make('div', {class: 'tab-container', role: 'tablist', 'aria-label': 'Parts of the page'}, ...tabs)), ...shown));

  /** @param {string} id of a tab */
  function open(id) {
    TABS.forEach(([name], i) => {
      const is = name === id;
      tabs[i].classList.toggle('selected', is);
      tabs[i].setAttribute('aria-selected', String(is));
      tabs[i].tabIndex = is ? 0 : -1;
      shown[i].style.display = is ? 'block' : 'none';
    });
    if (id === 'prompt') fit();
  }

  /** @param {KeyboardEvent} event */
  function walk(event) {
    const now = tabs.indexOf(/** @type {HTMLElement} */ (event.currentTarget));
    const to = {ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: tabs.length - 1}[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const next = tabs[(to + tabs.length) % tabs.length];
    next.click();
    next.focus();
  }

  return {
    root, line, open,
    /** Where a module draws. @param {string} id */ part: (id) => parts[id],

    /** @param {(way: 'write' | 'go_on' | 'again') => void} ask */
    on(ask) {
      write.addEventListener('click', () => ask('write'));
      goOn.addEventListener('click', () => ask('go_on'));
      again.addEventListener('click', () => ask('again'));
      line.addEventListener('keydown', (event) => {
        if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
        event.preventDefault();
        ask('write');
      });
    },
  };
}

/** Dark where the system is, until it changes. @param {MediaQueryList} dark @param {boolean} [first] */
export function follow(dark, first = dark.matches) {
  const set = (on) => document.body.classList.toggle('dark', on);
  dark.addEventListener('change', () => set(dark.matches));
  set(first);
}
