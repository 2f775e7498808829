/**
 * While a text is awaited: is its server there, and how many wait for it? Gradio shows a notice of its own when it is not, and leaves the event
 * open; the text would be said to be written for ever. No DOM.
 */

/** Silence of this length is worth a question. */
const SILENCE_MS = 3000;

/**
 * @param {() => void} gone hears that the server does not answer; once, until `listen` is called again
 * @param {{heard?: (answer: {waiting?: number, long?: boolean}) => void, reach?: () => Promise<{waiting?: number, long?: boolean}>, wait?: (resume: () => void, ms: number) => any, stop?: (timer: any) => void}} [means]
 *   heard: what the server answers (ui/inbrowser_route.py); reach: fails where it cannot be reached
 */
export function createPulse(gone, {heard = (_) => {}, reach = ask, wait = setTimeout, stop = clearTimeout} = {}) {
  /** @type {any} */ let timer;
  let listening = 0;

  const look = async (mine) => {
    let answer;
    try { answer = await reach(); } catch {
      if (mine === listening) gone();
      return;
    }
    if (mine !== listening) return;
    heard(answer ?? {});
    timer = wait(() => void look(mine), SILENCE_MS);
  };

  return {
    /** Something has been asked for, or has come: from now on silence counts. */
    listen() {
      const mine = ++listening;
      stop(timer);
      timer = wait(() => void look(mine), SILENCE_MS);
    },

    /** Asks now, and once. */
    hear() { void reach().then(heard, () => {}); },

    /** Nothing is awaited. */
    rest() {
      listening++;
      stop(timer);
    },
  };
}

async function ask() {
  const answer = await fetch(new URL('../../waiting', import.meta.url), {cache: 'no-store'});
  return answer.ok ? answer.json() : {};
}
