/** A state in a link: JSON, deflated, in base64url, as ui/links.py reads it. */
import {isOwn, shownName} from './ownmodels.js';
import {toBase64} from './packet.js';

/** Longer ones are cut by proxies and chat programs. */
export const MAX_LINK = 8000;

/** @param {object} state plain JSON @returns {Promise<string>} the value of the query parameter; empty where it would be too long */
export async function encodeLink(state) {
  const {model} = /** @type {{model?: unknown}} */ (state);
  const open = isOwn(model) ? {...state, model: shownName(/** @type {string} */ (model))} : state; // a link is for others
  const stream = new Blob([JSON.stringify(open)]).stream().pipeThrough(new CompressionStream('deflate'));
  const packed = toBase64(new Uint8Array(await new Response(stream).arrayBuffer())).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  return packed.length <= MAX_LINK ? packed : '';
}

/** @param {object} state plain JSON @returns {Promise<string>} the page's address with this state in it; without, where it would be too long */
export async function linkTo(state) {
  const url = new URL(address(await encodeLink(state)));
  url.searchParams.delete('__sign'); // by it the Hub lets its reader into a private Space: it is nobody else's
  return url.href;
}

/** Packing takes a moment: of two states that are packed at once the later one counts. */
let newest = 0;

/** Put a state into the address bar, so that a reload or a copied link shows it again. @param {object} state */
export async function remember(state) {
  const mine = ++newest;
  const packed = await encodeLink(state);
  if (mine === newest) rememberPacked(packed);
}

/** @param {string} packed as `encodeLink` or the server made it; empty for none */
export function rememberPacked(packed) {
  newest++;
  const href = address(packed);
  if (href === window.location.href) return;
  try { history.replaceState(history.state, '', href); } catch { /* a page from a disk has the address that it was opened by */ }
}

function address(packed) {
  const url = new URL(window.location.href);
  if (packed) url.searchParams.set('s', packed); else url.searchParams.delete('s');
  return url.href;
}
