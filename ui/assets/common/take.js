/** A large file of a model's, brought into the browser (ui/inbrowser_route.py). No DOM. */
import {Refused} from './ask.js';

/** @typedef {'browser' | 'page'} Kind the model alone, for this browser, or the whole page with it as one file */

/** @param {Kind} kind @param {string} model @returns {URL} */
export function placeOf(kind, model) {
  return new URL(`../../models/${kind}?model=${encodeURIComponent(model)}`, import.meta.url);
}

/**
 * @param {URL} url
 * @param {number} expected about how many bytes it has
 * @param {{signal: AbortSignal, progress: (done: number, total: number) => void, anew?: boolean}} means anew: what the browser has kept of it is not used
 * @returns {Promise<Uint8Array>}
 * @throws {Refused} it does not come, in one sentence
 */
export async function take(url, expected, {signal, progress, anew = false}) {
  let done = 0;
  try {
    const answer = await fetch(url, {signal, cache: anew ? 'reload' : 'default'});
    if (!answer.ok || !answer.body) throw new Refused(answer.headers.get('Content-Type')?.startsWith('text/plain') ? await answer.text() : `The server answered ${answer.status}.`);
    const total = Number(answer.headers.get('Content-Length')) || expected;
    /** @type {Uint8Array<ArrayBuffer>[]} */ const pieces = [];
    progress(0, total);
    for (const reader = answer.body.getReader(); ;) {
      const {value, done: end} = await reader.read();
      if (end) break;
      pieces.push(value);
      done += value.length;
      progress(done, Math.max(total, done));
    }
    return new Uint8Array(await new Blob(pieces).arrayBuffer());
  } catch (error) {
    if (error instanceof Refused || signal.aborted) throw error;
    throw new Refused(done ? `The download broke off after ${megabytes(done)} MB.` : 'The page does not reach its server. Is it still running?');
  }
}

/** Of a million bytes each, as a browser counts a download. @param {number} bytes */
export function megabytes(bytes) { return (bytes / 1e6).toFixed(1); }
