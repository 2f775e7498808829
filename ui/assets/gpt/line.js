/** One end of a line to a model, which is at the other (serving.js): in a worker, or in this thread. No DOM. */
import {Refused} from '../common/ask.js';
import {TICK_MS, createWatch} from './watch.js';

/** Whoever was to answer has gone, and what was asked may be asked of another one. */
export class Gone extends Refused {
  /** @param {string} why */
  constructor(why) { super(`The model has stopped in this browser: ${why}. Reload the page.`); }
}

/** Nobody says why a worker was killed. */
const KILLED = 'perhaps memory ran out';
/** A worker that has not said by then that it is there was killed: its script is small, but may come from afar. */
const READY_MS = 30_000;

/**
 * @param {() => Worker | null} makeWorker where it makes none, the model thinks in this thread
 * @param {number} bytes of the model's file
 */
export async function connect(makeWorker, bytes) {
  /** @type {Map<number, (message: any) => void>} */ const waiting = new Map();
  /** Why nothing more can be asked. @type {Refused | null} */ let over = null;
  const found = await worker(makeWorker);
  const {port, end} = found ?? (await inThisThread());
  const watch = createWatch(bytes);
  let timer = 0;
  let last = 0;
  port.onmessage = ({data}) => {
    watch.hear();
    waiting.get(data.number)?.(data);
  };
  if (found) {
    found.port.onerror = (event) => finish(new Gone(event.message || KILLED));
    found.port.onmessageerror = () => finish(new Gone('an answer of it could not be read'));
  }

  function attend() {
    if (timer || !found) return; // whoever thinks in this thread cannot go without it
    watch.rest();
    timer = Number(setInterval(() => {
      if (!waiting.size) return rest();
      const now = watch.tick();
      if (now === 'gone') finish(new Gone(KILLED));
      if (now === 'ask') port.postMessage({ping: true});
    }, TICK_MS));
  }

  function rest() {
    clearInterval(timer);
    timer = 0;
  }

  /** Nothing more is asked here. @param {Refused} why */
  function finish(why) {
    if (over) return;
    over = why;
    rest();
    end();
    for (const take of [...waiting.values()]) take({over});
    waiting.clear();
  }

  function send(question, asked, signal, transfer, take) {
    if (over) throw over;
    const number = ++last;
    const cancel = () => {
      waiting.delete(number);
      port.postMessage({number, cancel: true});
      take({over: signal?.reason});
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
    attend();
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

    close() { finish(new Refused('The model of this page was put away.')); },
  };
}

/** @typedef {Awaited<ReturnType<typeof connect>>} Line */

function errorOf({refused, failed, over}) {
  if (refused !== undefined) return new Refused(refused);
  return failed !== undefined ? new Error(failed) : over;
}

/**
 * A worker that has said that it is there; null where this browser starts none from here.
 * @throws {Gone} it never said so
 */
async function worker(make) {
  let timer = 0;
  try {
    const made = make();
    if (!made) return null;
    await new Promise((resolve, reject) => {
      made.onmessage = resolve;
      made.onerror = reject;
      timer = Number(setTimeout(() => {
        made.terminate();
        reject(new Gone(KILLED));
      }, READY_MS));
    });
    return {port: made, end: () => made.terminate()};
  } catch (error) {
    if (error instanceof Gone) throw error; // in this thread what was too large there takes the page with it
    return null;
  } finally {
    clearTimeout(timer);
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
