/** Where traces come from: the server. An exported file has a source of its own with the same functions (embedded.js). */
import {askJson, askPacket} from '../common/ask.js';

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

/** @typedef {import('../common/packet.js').Packet} Packet */

/** @returns {Source} */
export function server() {
  return {
    live: true, trace: askPacket('trace'), row: askPacket('row'), map: askPacket('map'), play: askPacket('play'),
    rewrite: askJson('rewrite'), effects: askJson('effects'),
  };
}
