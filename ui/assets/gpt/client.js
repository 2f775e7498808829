/** A model that thinks beside the page, which is never blocked: in a worker, spoken to by messages (serving.js). No DOM. */
import {Gone, connect} from './line.js';

/** @typedef {import('./model.js').About & {name: string}} About */
/** @typedef {import('../common/packet.js').Packet} Packet */

/**
 * A text as it grows.
 * @typedef {object} Written
 * @property {string} prompt as the model read it
 * @property {string} text that it has written so far
 * @property {'writing' | 'done'} status
 * @property {string[]} notes sentences for the person
 * @property {number} speed characters a second
 * @property {import('./generation.js').Token[]} tokens new since the one before
 */

/**
 * @typedef {object} Order
 * @property {string} prompt
 * @property {string} [text] what was already written to it
 * @property {Partial<import('../common/settings.js').Settings>} settings
 * @property {number} count tokens to write at most
 * @property {number} seed
 */

/**
 * @typedef {object} Thinker
 * @property {About} about
 * @property {(question: string, asked: object, signal?: AbortSignal, progress?: (progress: {done: number, total: number}) => void) => Promise<any>} ask
 *   what the server is asked at /ask/<question>: trace, row, map, play, rewrite, effects and roll are answered by a Packet, write, score and quality by what JSON can hold
 * @property {(order: Order, signal?: AbortSignal) => AsyncGenerator<Written, void, void>} write leaving the loop stops the computing
 * @property {() => void} close
 */

/**
 * @param {ArrayBuffer | Uint8Array} bytes a file of weights; its memory goes to the worker, and is gone here
 * @param {object} [options]
 * @param {() => Worker | null} [options.worker] starts worker.js, where it is not found beside this file; null: think in this thread
 * @param {'wasm' | 'plain'} [options.kernels]
 * @param {string} [options.name] what the page calls the model
 * @param {AbortSignal} [options.signal]
 * @param {() => Promise<ArrayBuffer>} [options.again] the same bytes: should the worker be killed, another one is started, once, and goes on with what was asked
 * @param {() => void} [options.gone] hears that the worker was killed, before whatever was asked is refused
 * @returns {Promise<Thinker>}
 * @throws {Refused} what is wrong with the file, in one sentence
 */
export async function start(bytes, {worker = beside, kernels = 'wasm', name = '', signal, again, gone = () => {}} = {}) {
  const open = async (file, given) => {
    const whole = file instanceof Uint8Array ? file : new Uint8Array(file);
    const line = await connect(worker, whole.length);
    try {
      return {line, about: await line.ask('load', {bytes: whole, kernels, name}, given, undefined, [whole.buffer])};
    } catch (error) {
      line.close();
      throw error;
    }
  };
  let now = open(bytes, signal);
  const {about} = await now;
  let closed = false;

  /** Whoever was killed has a successor, or there is none and this throws. @param {typeof now} dead @param {unknown} error that came of it */
  async function succeed(dead, error) {
    if (!(error instanceof Gone) || closed) throw error;
    if (now === dead) {
      if (!again) {
        gone();
        gone = () => {};
        throw error;
      }
      now = again().then((file) => open(file));
      again = undefined;
    }
    await now;
  }

  return {
    about,

    async ask(question, asked, stop, progress) {
      for (;;) {
        const mine = now;
        try {
          return await (await mine).line.ask(question, asked, stop, progress);
        } catch (error) {
          await succeed(mine, error);
        }
      }
    },

    async* write(order, stop) {
      let left = order;
      /** @type {Written | null} */ let last = null;
      for (;;) {
        const mine = now;
        try {
          for await (const part of (await mine).line.stream('writing', left, stop)) {
            last = {...part, notes: last?.notes ?? part.notes};
            left = {...left, prompt: part.prompt, text: part.text, count: left.count - part.tokens.length};
            yield last;
          }
          return;
        } catch (error) {
          await succeed(mine, error);
          if (last && !left.count) return yield {...last, status: 'done', tokens: []}; // all but this was said
        }
      }
    },

    close() {
      closed = true;
      now.then(({line}) => line.close(), () => {});
    },
  };
}

function beside() { return new Worker(new URL('worker.js', import.meta.url), {type: 'module'}); }
