/**
 * A model at the other end of a port: in a worker, or, where there is none, in the page's own thread. client.js speaks to
 * it. What is asked has a number, and so has what comes of it:
 *
 * - in: `{number, ask, question}`, first of all `load`; `{number, cancel: true}`; `{ping: true}`.
 * - out: `{alive: true}`, in answer to a ping, and between two layers where a step of the work is long (watch.js);
 *   `{number, progress}` and `{number, part}`, any number of them; then one of `{number, answer}`, `{number, refused}` (a
 *   sentence for the person), `{number, failed}` (a mistake of ours), or nothing more for what was cancelled.
 */
import {answer, writing} from './answers.js';
import {Refused} from '../common/ask.js';
import {load} from './model.js';
import {drive} from './task.js';

/** Between two words of life in a long step. */
const BEAT_MS = 1000;

/** @param {{postMessage: (message: any, transfer: Transferable[]) => void, onmessage: any}} port */
export function serve(port) {
  /** @type {import('./model.js').Model | null} */ let model = null;
  let name = '';
  let told = 0; // a word of life, last
  /** @type {Map<number, AbortController>} */ const running = new Map();

  port.onmessage = async (/** @type {MessageEvent} */ {data: {number, ask, question, cancel, ping}}) => {
    if (ping) {
      alive();
      return;
    }
    if (cancel) {
      running.get(number)?.abort();
      return;
    }
    const control = new AbortController();
    running.set(number, control);
    const say = (/** @type {object} */ message, transfer = /** @type {Transferable[]} */ ([])) => port.postMessage({number, ...message}, transfer);
    try {
      const found = ask === 'load' ? open(question) : await drive(begin(ask, question), control.signal, (part) => {
        if (part?.total) say({progress: part});
        else if (part) say({part});
      });
      say({answer: found}, buffersOf(found));
    } catch (error) {
      const {name: kind, message} = /** @type {Error} */ (error);
      if (error instanceof Refused) say({refused: message});
      else if (kind !== 'AbortError') say({failed: message});
    } finally {
      running.delete(number);
    }
  };
  port.postMessage({ready: true}, []);

  function alive() {
    told = performance.now();
    port.postMessage({alive: true}, []);
  }
  function beat() { if (performance.now() - told > BEAT_MS) alive(); }

  function open({bytes, kernels, name: called}) {
    model = load(bytes, {kernels, beat});
    name = called ?? '';
    return {...model.about, name};
  }

  function begin(ask, question) {
    if (!model) throw new Refused('The model is not there yet.');
    return ask === 'writing' ? writing(model, question) : answer(model, name, ask, question);
  }
}

/** What may change hands with an answer and need not be copied. @returns {Transferable[]} */
function buffersOf(found) {
  return Object.values(found?.blocks ?? {}).map((block) => block.buffer);
}
