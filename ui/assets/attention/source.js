/** Where traces come from: the server. An exported file has a source of its own with the same functions (embedded.js). */
import {unpack} from './wire.js';

/**
 * @typedef {object} Request
 * @property {string} model
 * @property {string} [text]
 * @property {number[]} [tokens] in place of the text, where its tokens are known
 * @property {[number, number][]} silenced
 */

/**
 * @typedef {object} Source
 * @property {boolean} live it can compute what it has not yet: write, silence, trace another text
 * @property {(request: Request) => Promise<Packet>} trace
 * @property {(request: Request & {position: number}) => Promise<Packet>} row exact weights of a position of the window
 * @property {(request: Request & {kind: string, layer: number, head: number}) => Promise<Packet>} map one map, where the trace holds thumbnails
 * @property {(request: Request & {settings: object, seed: number, count: number}) => Promise<Packet>} play the text goes on: rows of new tokens
 * @property {(request: Request & {settings: object, seed: number, count: number}) => Promise<{on: string, off: string}>} rewrite the continuation with all heads, and with those silenced
 * @property {(request: Request) => Promise<{kl: number[][], loss: number[][]}>} effects of each head, in bits
 */

/** @typedef {{header: any, blocks: Record<string, Uint8Array>}} Packet */

/** A sentence for the person, from the server. */
export class Refused extends Error {}

/** @returns {Source} */
export function server() {
  const ask = async (name, request, signal) => {
    let answer;
    try {
      answer = await fetch(new URL(`../../ask/${name}`, import.meta.url), {method: 'POST', body: JSON.stringify(request), signal});
    } catch (error) {
      if (/** @type {Error} */ (error).name === 'AbortError') throw error;
      throw new Refused('The page does not reach its server. Is it still running?');
    }
    if (!answer.ok) throw new Refused(answer.headers.get('Content-Type')?.startsWith('text/plain') ? await answer.text() : `The server answered ${answer.status}.`);
    return answer;
  };
  const packet = (name) => async (request, signal) => unpack(await (await ask(name, request, signal)).arrayBuffer());
  const json = (name) => async (request, signal) => (await ask(name, request, signal)).json();
  return {live: true, trace: packet('trace'), row: packet('row'), map: packet('map'), play: packet('play'), rewrite: json('rewrite'), effects: json('effects')};
}
