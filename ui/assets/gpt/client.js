/** A model that thinks beside the page, which is never blocked: in a worker, spoken to by messages (serving.js). No DOM. */
import {Refused} from '../common/ask.js';

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
 * @returns {Promise<Thinker>}
 * @throws {Refused} what is wrong with the file, in one sentence
 */
export async function start(bytes, {worker = beside, kernels = 'wasm', name = '', signal} = {}) {
  const line = await connect(worker);
  const whole = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
  let about;
  try {
    about = await line.ask('load', {bytes: whole, kernels, name}, signal, undefined, [whole.buffer]);
  } catch (error) {
    line.close();
    throw error;
  }
  return {about, ask: (question, asked, ...rest) => line.ask(question, asked, ...rest), write: (order, stop) => line.stream('writing', order, stop), close: line.close};
}

function beside() { return new Worker(new URL('worker.js', import.meta.url), {type: 'module'}); }

/**
 * One end of a line to a model.
 * @param {() => Worker | null} makeWorker
 */
async function connect(makeWorker) {
  /** @type {Map<number, (message: any) => void>} */ const waiting = new Map();
  const {port, end} = (await worker(makeWorker)) ?? (await inThisThread());
  let last = 0;
  port.onmessage = ({data}) => waiting.get(data.number)?.(data);

  function send(question, asked, signal, transfer, take) {
    const number = ++last;
    const cancel = () => {
      waiting.delete(number);
      port.postMessage({number, cancel: true});
      take({aborted: signal?.reason});
    };
    signal?.throwIfAborted();
    signal?.addEventListener('abort', cancel, {once: true});
    waiting.set(number, (message) => {
      if (!('progress' in message || 'part' in message)) {
        waiting.delete(number);
        signal?.removeEventListener('abort', cancel);
      }
      take(message);
    });
    port.postMessage({number, ask: question, question: asked}, transfer);
    return () => { if (waiting.delete(number)) port.postMessage({number, cancel: true}); };
  }

  return {
    /** @returns {Promise<any>} */
    ask: (question, asked, signal, progress = (_) => {}, transfer = /** @type {Transferable[]} */ ([])) => new Promise((resolve, reject) => {
      send(question, asked, signal, transfer, (message) => {
        if ('progress' in message) progress(message.progress);
        else if ('answer' in message) resolve(message.answer);
        else reject(errorOf(message));
      });
    }),

    /** @returns {AsyncGenerator<any, void, void>} */
    async* stream(question, asked, signal) {
      /** @type {any[]} */ const arrived = [];
      let wake = () => {};
      const stop = send(question, asked, signal, [], (message) => { arrived.push(message); wake(); });
      try {
        for (;;) {
          while (!arrived.length) await new Promise((done) => { wake = () => done(undefined); });
          const message = arrived.shift();
          if ('part' in message) yield message.part;
          else if ('answer' in message) return;
          else throw errorOf(message);
        }
      } finally {
        stop();
      }
    },

    close() {
      for (const take of [...waiting.values()]) take({refused: 'The model of this page was put away.'});
      waiting.clear();
      end();
    },
  };
}

function errorOf({refused, failed, aborted}) {
  if (refused !== undefined) return new Refused(refused);
  return failed !== undefined ? new Error(failed) : aborted;
}

/** A worker that has said that it is there; null where this browser starts none from here. */
async function worker(make) {
  try {
    const made = make();
    if (!made) return null;
    await new Promise((resolve, reject) => {
      made.onmessage = resolve;
      made.onerror = reject;
    });
    return {port: made, end: () => made.terminate()};
  } catch {
    return null;
  }
}

/** The same in the thread of the page, with pauses. */
async function inThisThread() {
  const {serve} = await import('./serving.js');
  const {port1, port2} = new MessageChannel();
  const ready = new Promise((done) => { port1.onmessage = done; });
  serve(port2);
  await ready;
  return {port: port1, end: () => port1.close()};
}
