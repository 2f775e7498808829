/** The Attention tab: the explorer, with gradio's server behind it and its state in the link. */
import {createApp} from './attention/app.js';
import {mountExplorer} from './attention/explorer.js';
import {server} from './attention/source.js';
import {linkState, readState} from './attention/state.js';
import {remember} from './common/links.js';
import {pick} from './common/settings.js';

const SETTLED_MS = 500;

/** @param {import('./dom.js').View} view */
export function mount({element, props, watch}) {
  const app = createApp(server());
  const holder = document.createElement('div');
  element.replaceChildren(holder);
  const visible = () => holder.clientWidth > 0;
  mountExplorer(holder, app, {examples: props.value?.examples ?? [], visible});
  let timer = 0;

  /** The server tells another model, or a state to open: that of a link. */
  function told() {
    const {model, state, examples = [], info, notes = []} = props.value ?? {};
    app.info = info ?? {};
    const open = state ?? (app.trace ? null : examples[0]?.state);
    if (open) {
      const found = readState({...open, model});
      if (found.dropped.length) notes.push(`Left out of the link: ${found.dropped.join(', ')}.`);
      // What is not in it stays as the Prompt tab has it: seed and settings.
      const given = Object.fromEntries(Object.entries(found.state).filter(([name]) => name in open || name === 'model'));
      void app.restore(given).then(() => { app.notes = [...notes, ...app.notes]; app.touch('notes'); });
    } else if (model && model !== app.state.model) {
      app.set({model, silenced: [], caption: ''});
    }
  }

  // The Prompt tab's sliders are how the next character is drawn here too: the same seed gives the same text.
  document.addEventListener('gl:settings', (event) => {
    const {detail} = /** @type {CustomEvent} */ (event);
    app.set({settings: pick(detail), seed: detail.seed});
  });

  app.on((changed) => {
    if (app.playing && !visible()) app.play(false); // another tab is open
    if (changed.size === 1 && changed.has('hover')) return;
    clearTimeout(timer);
    timer = window.setTimeout(() => { if (visible() && app.trace && !app.playing) void remember(linkState(app.state)); }, SETTLED_MS);
  });
  watch('value', told);
  if (!props.value?.state) document.dispatchEvent(new CustomEvent('gl:ask-settings')); // a link brings its own
  told();
}
