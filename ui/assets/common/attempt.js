/** Work that may take long or fail: after a moment it is said what is done, and a failure is one sentence. */
import {Refused} from './ask.js';

const SAY_MS = 300;

/**
 * @param {{busy: string, error: string}} host whose fields say what is done, and what went wrong
 * @param {(name: 'busy' | 'error') => void} touch one of them has changed
 * @returns {<T>(work: () => Promise<T>, doing?: string) => Promise<T | undefined>} runs the work; undefined when it failed, or was given up
 */
export function attempts(host, touch) {
  const set = (name, words) => { if (host[name] !== words) { host[name] = words; touch(name); } };
  return async (work, doing = '') => {
    const timer = setTimeout(() => set('busy', doing), SAY_MS);
    try {
      const found = await work();
      set('error', '');
      return found;
    } catch (error) {
      const {name, message} = /** @type {Error} */ (error);
      if (name !== 'AbortError') set('error', error instanceof Refused ? message : `Something went wrong: ${message}`);
      return undefined;
    } finally {
      clearTimeout(timer);
      if (host.busy === doing) set('busy', ''); // else another's work goes on
    }
  };
}
