/**
 * Questions to the server (ui/ask_route.py and its like). Each holds all that is needed to answer it. A model that thinks in
 * the page (thinking.js) is asked instead where it can answer.
 */
import {unpack} from './packet.js';
import {thinker} from './thinking.js';

/** A sentence for the person, from the server. */
export class Refused extends Error {
  /** @param {string} message @param {number} [status] of the answer; 0 where none came */
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

/**
 * A question that a packet answers.
 * @param {string} name
 * @returns {(question: object, signal?: AbortSignal) => Promise<import('./packet.js').Packet>}
 */
export function askPacket(name) {
  return (question, signal) => here(name, question, signal, async () => unpack(await (await post(`ask/${name}`, question, signal)).arrayBuffer()));
}

/**
 * A question that JSON answers.
 * @param {string} name
 * @returns {(question: object, signal?: AbortSignal) => Promise<any>}
 */
export function askJson(name) {
  return (question, signal) => here(name, question, signal, async () => (await post(`ask/${name}`, question, signal)).json());
}

/** The answer of the model in the page; the server's where there is none, or where it was put away meanwhile. */
async function here(name, question, signal, there) {
  const mine = thinker();
  if (!mine?.answers(name, question)) return there();
  try {
    return await mine.ask(name, question, signal);
  } catch (error) {
    if (thinker() === mine || signal?.aborted) throw error;
    return here(name, question, signal, there);
  }
}

/**
 * @param {string} path below the page's own, such as "ask/trace"
 * @param {object} question
 * @param {AbortSignal} [signal]
 * @returns {Promise<Response>} a good answer; throws Refused, whose message is for the person
 */
export async function post(path, question, signal) {
  let answer;
  try {
    answer = await fetch(new URL(`../../${path}`, import.meta.url), {method: 'POST', body: JSON.stringify(question), cache: 'no-store', signal});
  } catch (error) {
    if (/** @type {Error} */ (error).name === 'AbortError') throw error;
    throw new Refused('The page does not reach its server. Is it still running?');
  }
  if (answer.status === 503 && path.startsWith('ask/')) document.dispatchEvent(new CustomEvent('gl:busy')); // the page's head offers to think here
  if (!answer.ok) throw new Refused(answer.headers.get('Content-Type')?.startsWith('text/plain') ? await answer.text() : `The server answered ${answer.status}.`, answer.status);
  return answer;
}
