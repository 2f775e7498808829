/**
 * While a text is written: is its server there? Gradio shows a notice of its own when it is not, and leaves the event
 * open; the text would be said to be written for ever. No DOM.
 */

/** Silence of this length is worth a question. */
const SILENCE_MS = 3000;

/**
 * @param {() => void} gone hears that the server does not answer; once, until `listen` is called again
 * @param {{reach?: () => Promise<unknown>, wait?: (resume: () => void, ms: number) => any, stop?: (timer: any) => void}} [means]
 *   reach: fails where the server cannot be reached
 */
export function createPulse(gone, {reach = () => fetch(import.meta.url, {method: 'HEAD', cache: 'no-store'}), wait = setTimeout, stop = clearTimeout} = {}) {
  /** @type {any} */ let timer;
  let listening = 0;

  const ask = async (mine) => {
    try { await reach(); } catch {
      if (mine === listening) gone();
      return;
    }
    if (mine === listening) timer = wait(() => void ask(mine), SILENCE_MS);
  };

  return {
    /** Something has been asked for, or has come: from now on silence counts. */
    listen() {
      const mine = ++listening;
      stop(timer);
      timer = wait(() => void ask(mine), SILENCE_MS);
    },

    /** Nothing is awaited. */
    rest() {
      listening++;
      stop(timer);
    },
  };
}
