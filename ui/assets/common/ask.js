/** Questions to the server (ui/ask_route.py). Each holds all that is needed to answer it. */
import {unpack} from './packet.js';

/** A sentence for the person, from the server. */
export class Refused extends Error {}

/**
 * A question that a packet answers.
 * @param {string} name
 * @returns {(question: object, signal?: AbortSignal) => Promise<import('./packet.js').Packet>}
 */
export function askPacket(name) {
  return async (question, signal) => unpack(await (await ask(name, question, signal)).arrayBuffer());
}

/**
 * A question that JSON answers.
 * @param {string} name
 * @returns {(question: object, signal?: AbortSignal) => Promise<any>}
 */
export function askJson(name) {
  return async (question, signal) => (await ask(name, question, signal)).json();
}

async function ask(name, question, signal) {
  let answer;
  try {
    answer = await fetch(new URL(`../../ask/${name}`, import.meta.url), {method: 'POST', body: JSON.stringify(question), signal});
  } catch (error) {
    if (/** @type {Error} */ (error).name === 'AbortError') throw error;
    throw new Refused('The page does not reach its server. Is it still running?');
  }
  if (!answer.ok) throw new Refused(answer.headers.get('Content-Type')?.startsWith('text/plain') ? await answer.text() : `The server answered ${answer.status}.`);
  return answer;
}
