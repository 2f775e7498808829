/** The Attention tab: the explorer, with gradio's server behind it and its state in the link. */
import {createApp} from './attention/app.js';
import {mountExplorer} from './attention/explorer.js';
import {server} from './attention/source.js';
import {MAX_TEXT, linkState, readState} from './attention/state.js';
import {showViews} from './attention/talkview.js';
import {make} from './dom.js';
import {remember} from './common/links.js';
import {pick} from './common/settings.js';
import {onReturn} from './common/shown.js';
import {toFront} from './common/tabs.js';

const SETTLED_MS = 500;
/** What stands on its tab. */
const TAB = 'Attention';

/** @param {import('./dom.js').View} view */
export function mount({element, props, watch}) {
  const app = createApp(server());
  const holder = document.createElement('div');
  element.replaceChildren(holder);
  const visible = () => holder.clientWidth > 0;
  const explorer = mountExplorer(holder, app, {examples: props.value?.examples ?? [], visible});
  let timer = 0;

  /**
   * Show a state from outside: what is not in it stays as it is, and what does not fit is said.
   * @param {any} wanted
   * @param {string} from where, in words
   * @param {string[]} notes sentences that are shown with it
   * @param {number[]} [tokens] of its text
   */
  function open(wanted, from, notes = [], tokens) {
    const {state, dropped} = readState(wanted);
    if (dropped.length) notes.push(`Left out of ${from}: ${dropped.join(', ')}.`);
    const given = Object.fromEntries(Object.entries(state).filter(([name]) => name in wanted));
    void app.restore(given, tokens).then(() => { app.notes = [...notes, ...app.notes]; app.touch('notes'); });
  }

  /** The server tells another model, or a state to open: that of a link. */
  function told() {
    const {model, state, examples = [], info, notes = []} = props.value ?? {};
    app.info = info ?? {};
    const first = state ?? (app.trace ? null : examples[0]?.state);
    if (first) open({...first, model}, 'the link', notes); // seed and settings stay as the Prompt tab has them
    else if (model && model !== app.state.model) app.set({model, silenced: [], caption: ''});
  }

  // The Prompt tab's sliders are how the next character is drawn here too: the same seed gives the same text.
  document.addEventListener('gl:settings', (event) => {
    const {detail} = /** @type {CustomEvent} */ (event);
    app.set({settings: pick(detail), seed: detail.seed});
  });

  document.addEventListener('gl:thinking', () => { // who answers now may know what was refused
    const {error, state: {text, silenced}, trace} = app;
    if (error) app.set(trace?.text === text ? {silenced} : {text});
  });

  // Another tab asks to see a text at one of its characters; from there it is a press back.
  const back = make('button', {class: 'gl-link', type: 'button', hidden: true, on: {click: () => {
    back.hidden = true;
    document.dispatchEvent(new CustomEvent('gl:open', {detail: {tab: 'prompt'}}));
  }}}, 'Back to the prompt');
  explorer.root.querySelector('.ge-edit')?.prepend(back);
  document.addEventListener('gl:open', (event) => {
    const {tab, text, pin = null, tokens} = /** @type {CustomEvent} */ (event).detail ?? {};
    if (tab !== 'attention') return;
    explorer.editor.close();
    const known = Array.isArray(tokens) && tokens.every((id) => Number.isInteger(id) && id >= 0) ? tokens : undefined;
    if (typeof text === 'string' && text.length <= MAX_TEXT) open({...app.state, text, pin, caption: ''}, 'what was to be shown', [], known);
    else if (text !== undefined) { app.notes = [`The text is longer than this tab takes, ${MAX_TEXT.toLocaleString('en')} characters: what is shown is another one.`]; app.touch('notes'); }
    back.hidden = false;
    toFront(TAB);
  });

  app.on((changed) => {
    if (app.playing && !visible()) app.play(false); // another tab is open
    if (changed.size === 1 && changed.has('hover')) return;
    keep();
  });

  function keep() {
    clearTimeout(timer);
    timer = window.setTimeout(() => { if (visible() && app.trace && !app.playing) void remember(linkState(app.state)); }, SETTLED_MS);
  }
  onReturn(holder, keep);
  watch('value', told);
  if (!props.value?.state) document.dispatchEvent(new CustomEvent('gl:ask-settings')); // a link brings its own
  told();
  showViews(app); // after what the tab opens with
}
