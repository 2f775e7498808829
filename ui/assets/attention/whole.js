/**
 * "One offline page": the whole page as one file (ui/offline.py) that opens on what is on screen, or on a talk. Where the
 * model is none for a browser, a small file that holds the traces alone (bundle.js).
 */
import {Refused} from '../common/ask.js';
import {megabytes, placeOf, take} from '../common/take.js';
import {thinker} from '../common/thinking.js';
import {inScript, offlinePage} from './bundle.js';
import {ofAttention, write} from '../talk/talk.js';

/** What it opens with stands in an element of its own: assets/offline/page.js reads it. */
const OPENS = /(<script type="application\/json" id="gl-opens">)[^<]*/;
const SEVERAL = 'The views are of several models, and a page thinks with one.';
const ABOUT = 8_400_000;

/** @returns {boolean} whether a page can be made here: one that was opened from a disk cannot read itself */
export function canMake() { return !thinker()?.alone || window.location.protocol !== 'file:'; }

/**
 * @param {import('./app.js').App} app
 * @param {import('../talk/talk.js').View[]} views at least one; the page opens on the first
 * @param {{title: string, talk: boolean, say: (words: string) => void}} options talk: the views are walked, not one shown
 * @returns {Promise<{html: string, said: string}>} the file, and its size in words
 */
export async function makePage(app, views, {title, talk, say}) {
  say('Putting the page together …');
  let why = SEVERAL;
  const [model, ...others] = new Set(views.map(({state}) => state.model || app.state.model));
  if (!others.length) {
    const progress = (done, total) => say(`Putting the page together … ${megabytes(done)} of ${megabytes(total)} MB`);
    try {
      const html = opening(await page(model, progress), views, {talk, dark: app.dark});
      return {html, said: `${megabytes(html.length)} MB: the whole page, with the model in it`};
    } catch (error) {
      if (!(error instanceof Refused) || thinker()?.alone) throw error;
      why = error.message;
    }
  }
  const html = await offlinePage(app, views, {title, talk});
  return {html, said: [`${megabytes(html.length)} MB, with what is shown and no model: ${why}`, ofAttention(views).said].filter(Boolean).join(' ')};
}

/** The file as it is served, or, with no server behind it, this very page. */
async function page(model, progress) {
  const url = thinker()?.alone ? new URL(window.location.pathname, window.location.href) : placeOf('page', model);
  return new TextDecoder().decode(await take(url, ABOUT, {signal: new AbortController().signal, progress}));
}

/**
 * @param {string} html
 * @param {import('../talk/talk.js').View[]} views
 * @param {{talk: boolean, dark: boolean}} how
 * @returns {string} the page that opens so
 * @throws {Refused} it is no such page
 */
export function opening(html, views, {talk, dark}) {
  if (!OPENS.test(html)) throw new Refused('What the server gave is not the page.');
  // A page has one model, and the name of a visitor's own would open it to whoever gets the file.
  const own = views.map(({state: {model: _, ...state}, ...view}) => ({...view, state}));
  const opens = inScript({dark, ...(talk ? {talk: write({views: own, current: -1})} : {view: own[0]})});
  return html.replace(OPENS, (_, before) => before + opens);
}
