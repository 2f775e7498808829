/** A state in a link: JSON, deflated, in base64url, as ui/links.py reads it. */
import {packState} from './state.js';

/** Longer ones are cut by proxies and chat programs. */
export const MAX_LINK = 8000;

/** @param {object} state plain JSON @returns {Promise<string>} the value of the query parameter; empty where it would be too long */
export async function encodeLink(state) {
  const stream = new Blob([JSON.stringify(state)]).stream().pipeThrough(new CompressionStream('deflate'));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let text = '';
  for (let i = 0; i < bytes.length; i += 4096) text += String.fromCharCode(...bytes.subarray(i, i + 4096));
  const packed = btoa(text).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  return packed.length <= MAX_LINK ? packed : '';
}

/** @param {import('./state.js').State} state @returns {Promise<string>} the page's address with this state in it; without, where it would be too long */
export async function linkTo(state) {
  const url = new URL(window.location.href);
  const packed = await encodeLink({tab: 'attention', model: state.model, attention: packState(state)});
  if (packed) url.searchParams.set('s', packed); else url.searchParams.delete('s');
  return url.href;
}

/** Put the state into the address bar. @param {import('./state.js').State} state */
export async function remember(state) {
  const href = await linkTo(state);
  if (href !== window.location.href) history.replaceState(history.state, '', href);
}
