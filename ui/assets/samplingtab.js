/** The Sampling tab: the laboratory, with gradio's server behind it, the page's settings, and its state in the link. */
import {remember} from './common/links.js';
import {pick} from './common/settings.js';
import {onReturn} from './common/shown.js';
import {toFront} from './common/tabs.js';
import {createLab} from './sampling/lab.js';
import {mountLaboratory} from './sampling/laboratory.js';
import {server} from './sampling/source.js';
import {linkState, readState} from './sampling/state.js';

const SETTLED_MS = 500;
const NAME = 'Sampling';

/** @param {import('./dom.js').View} view */
export function mount({element, props, watch}) {
  const lab = createLab(server());
  const holder = document.createElement('div');
  element.replaceChildren(holder);
  const visible = () => holder.clientWidth > 0;
  /** The settings and the seed are the page's own: the Prompt tab keeps them. */
  const tell = (fields) => document.dispatchEvent(new CustomEvent('gl:set-settings', {detail: fields}));
  const change = {
    settings: (fields) => { void lab.set({settings: {...lab.state.settings, ...fields}}); tell(fields); },
    seed: (seed, keep) => { void lab.set({seed}); tell({seed, ...(keep ? {keep_seed: true} : {})}); },
  };
  const {editor, lanes} = mountLaboratory(holder, lab, {change, visible, examples: props.value?.examples ?? []});
  let timer = 0;
  /** What to ask for once the tab is in front. @type {Partial<import('./sampling/state.js').State> | null} */ let waiting = null;

  /** @type {string[]} */ let said = [];
  /** Tokens that the settings side by side are to write once the text is here. */ let toWrite = 0;

  /** The server tells another model, or a state to open: that of a link. */
  function told() {
    const {model, state, examples = [], notes = []} = props.value ?? {};
    if (state || !lab.state.model) {
      const found = readState(state ?? {text: examples[0]?.text ?? ''});
      if (found.dropped.length) notes.push(`Left out of the link: ${found.dropped.join(', ')}.`);
      const {written = 0, ...wanted} = found.state;
      toWrite = written;
      ask({...wanted, model}, notes);
    } else if (model && model !== lab.state.model) {
      ask({model});
    }
  }

  /** @param {Partial<import('./sampling/state.js').State>} patch @param {string[]} [notes] */
  function ask(patch, notes = []) {
    if (!visible()) {
      waiting = {...waiting, ...patch};
      lab.state = {...lab.state, model: patch.model ?? lab.state.model};
      said = notes;
      return;
    }
    waiting = null;
    const count = toWrite;
    toWrite = 0;
    void lab.set(patch).then(() => {
      if (count) void lanes.write(false, count);
      if (notes.length) { lab.notes = [...notes, ...lab.notes]; lab.touch('notes'); }
    });
  }
  const arrive = () => { if (visible() && waiting) ask({...waiting}, said.splice(0)); };
  new ResizeObserver(arrive).observe(holder);

  document.addEventListener('gl:settings', (event) => {
    const {detail} = /** @type {CustomEvent} */ (event);
    const {settings, seed} = lab.state;
    const now = pick(detail);
    const same = Object.keys(now).every((name) => now[name] === settings[name]) && detail.seed === seed;
    if (!same) void lab.set({settings: now, seed: detail.seed});
  });

  document.addEventListener('gl:thinking', () => { if (lab.error) void lab.reload(); }); // who answers now may know what was refused

  document.addEventListener('gl:open', (event) => {
    const {tab, text} = /** @type {CustomEvent} */ (event).detail ?? {};
    if (tab !== 'sampling') return;
    editor.close();
    if (typeof text === 'string') ask({text});
    toFront(NAME);
    requestAnimationFrame(() => requestAnimationFrame(arrive)); // hidden and shown within a frame, its size has not changed
  });

  lab.on((changed) => {
    if (lab.rolling && !visible()) lab.pause(); // another tab is open
    if (changed.size === 1 && changed.has('hover')) return;
    keep();
  });

  function keep() {
    clearTimeout(timer);
    timer = window.setTimeout(() => { if (visible() && lab.path && !lab.stale && !lab.rolling) void remember(linkState({...lab.state, written: lanes.again()})); }, SETTLED_MS);
  }
  onReturn(holder, keep);
  watch('value', told);
  told();
  if (!props.value?.state) document.dispatchEvent(new CustomEvent('gl:ask-settings')); // a link brings its own
}
