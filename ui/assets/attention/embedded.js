/** Where traces come from in an exported file: out of the file itself. What it does not hold it says, in one sentence. */
import {Refused} from '../common/ask.js';
import {fromBase64, unpack} from '../common/packet.js';

/**
 * One trace, and what was asked of it. Packets are in base64.
 * @typedef {object} Held
 * @property {string} model
 * @property {[number, number][]} silenced
 * @property {string[]} texts as they were asked for, and as the model reads them
 * @property {number[]} tokens
 * @property {string} packet
 * @property {{position: number, packet: string}[]} rows
 * @property {{kind: string, layer: number, head: number, packet: string}[]} maps
 * @property {{kl: number[][], loss: number[][]}} [effects]
 */

const ONLY = 'This file holds what it was saved with. For anything else open the page that it came from.';

/** @param {Held[]} held @returns {import('./source.js').Source} */
export function embedded(held) {
  const find = ({model, text, tokens, silenced}) => {
    const heads = key(silenced);
    const found = held.find((one) => one.model === model && key(one.silenced) === heads
      && (tokens ? String(one.tokens) === String(tokens) : one.texts.includes(text)));
    if (!found) throw new Refused(ONLY);
    return found;
  };
  const open = (found) => {
    if (!found) throw new Refused(ONLY);
    return unpack(fromBase64(found.packet));
  };
  const refuse = async () => { throw new Refused(ONLY); };
  return {
    live: false,
    trace: async (request) => open(find(request)),
    row: async (request) => open(find(request).rows.find((row) => row.position === request.position)),
    map: async (request) => open(find(request).maps.find(({kind, layer, head}) => mapKey(kind, layer, head) === mapKey(request.kind, request.layer, request.head))),
    effects: async (request) => find(request).effects ?? refuse(),
    play: refuse,
    rewrite: refuse,
  };
}

/** Which heads are silenced, in whatever order. @param {[number, number][]} pairs */
export function key(pairs) { return pairs.map(String).sort().join(' '); }

/** A mean of a layer has no head, that of all no layer either. */
function mapKey(kind, layer, head) {
  return [kind, kind === 'all' ? '' : layer, kind === 'head' ? head : ''].join(' ');
}
