/** Who answers the page: its server, or a model that thinks in the page itself. Whoever asks looks here first. No DOM. */

/** What a model in the page is asked instead of the server (ui/looking.py has each): `writing` is the text of the Prompt tab. */
export const ANSWERED = ['trace', 'row', 'map', 'play', 'rewrite', 'effects', 'roll', 'write', 'score', 'quality', 'writing'];

/**
 * Who can stand in for the server: of `gpt.js`, or made around it.
 * @typedef {object} Answerer
 * @property {(name: string, question: {model?: unknown, server?: boolean}) => boolean} answers whether this question, named as at /ask/<name>, is for it
 * @property {(name: string, question: object, signal?: AbortSignal) => Promise<any>} ask a Packet, or what JSON can hold, as the server's answer
 * @property {(order: import('../gpt/client.js').Order, signal?: AbortSignal) => AsyncGenerator<import('../gpt/client.js').Written, void, void>} write where it answers `writing`
 * @property {import('../gpt/model.js').About} about
 * @property {boolean} [alone] there is no server that could be asked instead
 */

/** @type {Answerer | null} */ let now = null;

/** @returns {Answerer | null} null: the server answers */
export function thinker() { return now; }

/**
 * From now on this one is asked, or the server; `gl:thinking` tells it.
 * @param {Answerer | null} next
 * @param {boolean} [lost] the one before was killed: what it was asked is asked again
 */
export function think(next, lost = false) {
  now = next;
  document.dispatchEvent(new CustomEvent('gl:thinking', {detail: {next, lost}}));
}

/**
 * A thinker that answers for the model of this name. What begs for the server (`server: true`, for what only it has) goes there.
 * @param {import('../gpt/client.js').Thinker} thinker
 * @param {string} model
 * @returns {Answerer}
 */
export function answersFor({about, ask, write}, model) {
  return {about, write, answers: (name, question) => question.model === model && !question.server && ANSWERED.includes(name), ask: (name, question, signal) => ask(name, question, signal)};
}
