/** What a link holds, for a page with no server: the tabs check each its own part; the text and the settings are checked here. No DOM. */
import {fromBase64} from '../common/packet.js';
import {MAX_LINK} from '../common/links.js';
import {SETTINGS} from '../common/settings.js';

/** A link's state unpacked has no more characters. */
const MAX_STATE = 200_000;
const MAX_TEXT = 20_000;
const TABS = ['sampling', 'attention', 'training'];

/**
 * @typedef {{tab: string, text?: object, settings?: object, sampling?: object, attention?: object, training?: object}} Opened
 */

/** @param {string} search of the address @returns {Promise<Opened>} what fits of it */
export async function opened(search) {
  const packed = new URLSearchParams(search).get('s') ?? '';
  if (!packed) return {tab: ''};
  const state = await read(packed);
  if (!state) return {tab: '', text: {notes: ['The link cannot be read; this is an example.']}};
  const tab = TABS.includes(state.tab) ? state.tab : '';
  if (tab) return {tab, [tab]: {state: {...state[tab]}, notes: []}};
  const {prompt, text} = state;
  const settings = fitting(state);
  if (![prompt, text].every((part) => typeof part === 'string' && part.length <= MAX_TEXT)) return {tab: '', settings};
  return {tab: '', settings, text: {prompt, text, status: 'done', seed: settings.seed, notes: [], link: packed}};
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

/** The settings of a link that are in their bounds. @returns {any} */
function fitting(state) {
  const within = (value, min, max) => typeof value === 'number' && value >= min && value <= max;
  const found = SETTINGS.filter(({name, min, max}) => within(state[name], min, max)).map(({name}) => [name, state[name]]);
  const seed = Number.isSafeInteger(state.seed) && state.seed >= 0 ? {seed: state.seed, keep_seed: true} : {};
  return {...Object.fromEntries(found), ...seed};
}
