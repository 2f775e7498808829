/** What a link holds, for a page with no server: the tabs check each its own part; the text and the settings are checked here. No DOM. */
import {fromBase64} from '../common/packet.js';
import {MAX_LINK} from '../common/links.js';
import {SETTINGS, USUAL} from '../common/settings.js';
import {LIMITS} from '../gpt/limits.js';

/** A link's state unpacked has no more characters. */
const MAX_STATE = 200_000;
const TABS = ['sampling', 'attention', 'training'];

/**
 * @typedef {{tab: string, text?: object, settings?: object, sampling?: object, attention?: object, training?: object}} Opened
 */

/**
 * @param {string} search of the address
 * @param {{name: string, id: string}} model of the page
 * @returns {Promise<Opened>} what fits of it, and in sentences what does not
 */
export async function opened(search, model) {
  const packed = new URLSearchParams(search).get('s') ?? '';
  if (!packed) return {tab: ''};
  const state = await read(packed);
  if (!state) return {tab: '', text: {notes: ['The link cannot be read; this is an example.']}};
  const tab = TABS.includes(state.tab) ? state.tab : '';
  const notes = otherwise(state, model);
  if (tab) return {tab, [tab]: {state: {...state[tab]}, notes}};
  const {prompt, text} = state;
  const settings = fitting(state, notes);
  if (![prompt, text].every((part) => typeof part === 'string' && part.length <= LIMITS.MAX_TEXT_CHARACTERS)) return {tab: '', settings};
  return {tab: '', settings, text: {prompt, text, status: 'done', seed: settings.seed, notes, link: packed}};
}

async function read(packed) {
  if (packed.length > MAX_LINK) return null;
  try {
    const bytes = fromBase64(packed.replace(/-/g, '+').replace(/_/g, '/'));
    const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate')).pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    for (;;) {
      const {value, done} = await reader.read();
      if (done) break;
      text += value;
      if (text.length > MAX_STATE) return null;
    }
    const state = JSON.parse(text);
    return typeof state === 'object' && state !== null ? state : null;
  } catch {
    return null;
  }
}

/** A model's own text is no other's, and the same seed gives another: the words are ui/links.py's and ui/prompt.py's. @returns {string[]} */
function otherwise(state, {name, id}) {
  if (state.model !== undefined && state.model !== name) return [`The model of this link, “${String(state.model).slice(0, 60)}”, is not here; this is ${name}.`];
  if (state.id !== undefined && state.id !== id.slice(0, 12)) return [`This was written by another training of ${name}; the same seed gives another text now.`];
  return [];
}

/** The settings of a link that are in their bounds; of those that are not, a sentence each. @returns {any} */
function fitting(state, notes) {
  const within = (value, min, max) => typeof value === 'number' && value >= min && value <= max;
  const told = SETTINGS.filter(({name}) => state[name] !== undefined);
  const [fit, unfit] = [true, false].map((is) => told.filter(({name, min, max}) => within(state[name], min, max) === is));
  notes.push(...unfit.map(({name}) => `The link’s ${name.replaceAll('_', ' ')} is out of range; it is ${USUAL[name]} now.`));
  const seed = Number.isSafeInteger(state.seed) && state.seed >= 0 ? {seed: state.seed, keep_seed: true} : {};
  return {...Object.fromEntries(fit.map(({name}) => [name, state[name]])), ...seed};
}
