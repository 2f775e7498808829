/**
 * Long work is a generator: it yields where it may be interrupted, and its value is what it returns. So the same work is
 * done in one go by a test, and with pauses by a worker that others wait for too. No DOM.
 */

/**
 * What is yielded: how far the work is, or a part of its result.
 * @template Result, [Part=void]
 * @typedef {Generator<Part, Result, void>} Task
 */

/** All at once. @template Result @param {Generator<any, Result, void>} task @returns {Result} */
export function run(task) {
  for (;;) {
    const {done, value} = task.next();
    if (done) return value;
  }
}

/** Longest time for which nobody else gets a turn, unless one step takes longer. */
const SLICE_MS = 12;

/**
 * With pauses, in which messages arrive and others have their turn.
 * @template Part, Result
 * @param {Generator<Part, Result, void>} task ended, its `finally` run, when the signal says so
 * @param {AbortSignal} [signal]
 * @param {(part: Part) => void} [take] takes each part
 * @returns {Promise<Result>}
 * @throws {DOMException} AbortError, as fetch throws it
 */
export async function drive(task, signal, take = () => {}) {
  try {
    for (let began = performance.now(); ;) {
      signal?.throwIfAborted();
      const {done, value} = task.next();
      if (done) return value;
      take(value);
      if (performance.now() - began > SLICE_MS) {
        await pause();
        began = performance.now();
      }
    }
  } finally {
    task.return(/** @type {any} */ (undefined));
  }
}

/** One turn for everybody else. A message to oneself, for a timer waits four milliseconds. */
function pause() {
  return new Promise((done) => {
    const {port1, port2} = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      done(undefined);
    };
    port2.postMessage(null);
  });
}
