/**
 * The text of the Prompt tab, written by a model in the page: the twin of ui/prompt.py, whose values these are. Knows no
 * server and no gradio.
 */
import {encodeLink} from '../common/links.js';
import {pick} from '../common/settings.js';
import {LIMITS} from '../gpt/limits.js';

/** A new seed is below this, as in ui/writing.py. */
const NEW_SEEDS = 10_000;
/** What a link says of the settings. */
const KEPT = ['temperature', 'length', 'top_k', 'top_p', 'min_p', 'repetition_penalty', 'seed', 'keep_seed'];

/** @typedef {'write' | 'go_on' | 'again'} Way a line that was typed, the text from where it is, the same prompt once more */

/**
 * @param {(value: any) => void} take hears each value of the text's component, as the server would send it
 * @param {() => number} [newSeed]
 */
export function createWriter(take, newSeed = () => Math.floor(Math.random() * NEW_SEEDS)) {
  /** @type {AbortController | null} */ let flight = null;

  return {
    /** Whether a text is being written here. */
    busy: () => flight !== null,

    /** Nothing more comes of what is being written. */
    stop() { flight?.abort(); },

    /**
     * Ends when the text is written, or was stopped; `gl:ended` says so. What cannot be done is one sentence in a value,
     * and the text that was there stays. A new seed goes to the page's settings.
     * @param {import('../common/thinking.js').Answerer} thinker
     * @param {Way} way
     * @param {{prompt: string, shown: any, settings: any, model: string, run: number}} asked the line that was typed, the value on the screen, all the page's settings
     */
    async write(thinker, way, {prompt: typed, shown, settings, model, run}) {
      const mine = flight = new AbortController();
      try {
        const renew = way === 'again' || (way === 'write' && !settings.keep_seed);
        const seed = renew ? newSeed() : settings.seed;
        if (renew) document.dispatchEvent(new CustomEvent('gl:set-settings', {detail: {seed}}));
        const kept = Object.fromEntries(KEPT.filter((name) => name in settings).map((name) => [name, name === 'seed' ? seed : settings[name]]));
        const {id, config: {block_size}} = thinker.about;
        const prompt = way === 'write' ? typed : ends(shown.prompt);
        const order = {prompt, text: way === 'go_on' ? ends(shown.text) : '', settings: pick(settings), count: settings.length, seed};
        for await (const {prompt: read, text, status, notes, speed} of thinker.write(order, mine.signal)) {
          const link = await encodeLink({prompt: read, text, model, id: id.slice(0, 12), ...kept});
          if (mine.signal.aborted) return;
          take({prompt: read, text, status, notes, speed: Math.round(speed), seed, model, block_size, link, run});
        }
      } catch (error) {
        if (mine.signal.aborted) return;
        take({prompt: ends(shown.prompt), text: ends(shown.text), status: 'error', error: /** @type {Error} */ (error).message, notes: [], run});
      } finally {
        if (flight === mine) flight = null;
        document.dispatchEvent(new CustomEvent('gl:ended'));
      }
    },
  };
}

function ends(text) { return String(text ?? '').slice(-LIMITS.MAX_TEXT_CHARACTERS); }
