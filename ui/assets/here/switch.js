/**
 * The switch "Think in this browser": the model's file is brought here once, and from then on the page asks the server
 * nothing about text, sampling and attention. Off, or another model, and the server is asked again.
 */
import {Refused} from '../common/ask.js';
import {shownName} from '../common/ownmodels.js';
import {megabytes, placeOf, take} from '../common/take.js';
import {answersFor, think, thinker} from '../common/thinking.js';
import {make} from '../dom.js';
import {start} from '../gpt.js';
import {Gone} from '../gpt/line.js';

const STOPPED = 'The model has stopped in this browser, perhaps for want of memory. The server answers again.';

/**
 * What the server says of a model and browsers (ui/inbrowser.py).
 * @typedef {{id?: string, bytes?: number, long?: boolean, why?: string}} Here
 */

/**
 * @param {(sentence: string) => void} say what went wrong; empty when nothing is
 * @param {() => void} changed who thinks is another one now: `facts` says it
 */
export function createSwitch(say, changed) {
  let model = '';
  /** @type {Here} */ let here = {};
  /** @type {import('../gpt.js').Thinker | null} */ let engine = null;
  /** @type {AbortController | null} */ let flight = null;
  /** Of the download. */
  let part = {done: 0, total: 0};
  /** What was kept of a file that could not be used is not used again. */
  let anew = false;
  /** Whether the server has more to do than it can. */
  let busy = {is: false, waiting: 0};

  const box = /** @type {HTMLInputElement} */ (make('input', {type: 'checkbox', role: 'switch', on: {change: () => (box.checked ? void on() : off())}}));
  const label = make('label', {class: 'gl-here-name', title: 'The model is downloaded once. Text, sampling and attention are then computed on this device; the server is not asked.'}, box, 'Think in this browser');
  const size = make('span', {class: 'gl-here-size'});
  const cancel = make('button', {class: 'gl-link', type: 'button', 'aria-label': 'Cancel the download', on: {click: () => { off(); box.focus(); }}}, 'Cancel');
  const fill = make('i');
  const bar = make('span', {class: 'gl-here-bar', role: 'progressbar', 'aria-label': 'Download of the model', 'aria-valuemin': '0', 'aria-valuemax': '100'}, fill);
  const come = make('span', {class: 'gl-here-come'});
  const way = make('span', {class: 'gl-here-way', hidden: true}, come, cancel, bar);
  const spoken = make('span', {class: 'gl-spoken', role: 'status'});
  const element = make('div', {class: 'gl-here', hidden: true}, label, size, way, spoken);

  const crowd = make('span');
  const accept = make('button', {class: 'gl-button', type: 'button', on: {click: () => { void on(); box.focus(); }}});
  const decline = make('button', {class: 'gl-link', type: 'button', on: {click: () => { busy.is = false; refused = true; draw(); }}}, 'Not now');
  const offer = make('div', {class: 'gl-offer', hidden: true}, crowd, accept, decline);
  let refused = false;

  async function on() {
    const mine = flight = new AbortController();
    part = {done: 0, total: here.bytes ?? 0};
    say('');
    draw();
    try {
      const progress = (done, total) => { part = {done, total}; draw(); };
      const bytes = await take(placeOf('browser', model), part.total, {signal: mine.signal, progress, anew});
      const made = await start(bytes, {name: model, signal: mine.signal, gone});
      if (mine.signal.aborted || made.about.id !== here.id) {
        made.close();
        mine.signal.throwIfAborted();
        throw new Refused(`The file that came is not of this ${shownName(model)}: choose the model anew.`);
      }
      engine = made;
      anew = false;
      think(answersFor(made, model));
      spoken.textContent = 'The model thinks in this browser now.';
    } catch (error) {
      if (mine.signal.aborted) return;
      if (error instanceof Gone) return say(STOPPED);
      anew = true;
      say(`${error instanceof Refused ? error.message : `The model does not start in this browser (${/** @type {Error} */ (error).message}).`} The server goes on answering.`);
    } finally {
      if (flight === mine) flight = null;
      draw();
      changed();
    }
  }

  /** The browser has killed the worker: what it was asked is asked of the server. */
  function gone() {
    off(true);
    say(STOPPED);
  }

  function off(lost = false) {
    flight?.abort();
    flight = null;
    if (engine) {
      think(null, lost); // before it is put away: what is under way is asked again, of the server
      engine.close();
      engine = null;
      spoken.textContent = 'The server answers again.';
      changed();
    }
    draw();
  }

  function draw() {
    const {bytes = 0, why} = here;
    element.hidden = Boolean(why) || !bytes;
    box.checked = Boolean(engine ?? flight);
    const all = `${megabytes(bytes)} MB`;
    size.textContent = all;
    come.textContent = part.done < part.total ? `${megabytes(part.done)} of ${megabytes(part.total)} MB` : 'Starting …';
    way.hidden = !flight;
    const share = Math.round(100 * part.done / Math.max(part.total, 1));
    fill.style.width = `${share}%`;
    bar.setAttribute('aria-valuenow', String(share));
    offer.hidden = element.hidden || !busy.is || refused || Boolean(engine ?? flight);
    crowd.textContent = busy.waiting > 1 ? `${busy.waiting} requests wait for the server. Your own device can answer you.` : 'The server has much to do. Your own device can answer you.';
    accept.textContent = `Think in this browser (${all})`;
  }

  document.addEventListener('gl:busy', (event) => {
    const {waiting = 0} = /** @type {CustomEvent} */ (event).detail ?? {};
    if (!busy.is && !element.hidden && !engine) spoken.textContent = 'The server has much to do. The model can think in this browser instead.'; // once, not at every number
    busy = {is: true, waiting};
    draw();
  });

  return {
    element, offer,

    /** The model that the page holds now, and what the server says of it. @param {string} name @param {Here} said */
    hold(name, said = {}) {
      const other = name !== model || said.id !== here.id;
      if (other) anew = false;
      if (said.long) busy = {is: true, waiting: 0};
      if (other && (engine ?? flight)) off();
      [model, here] = [name, said];
      draw();
    },

    /** For the table of what the model is: who thinks. @returns {[string, string][]} */
    facts() {
      const about = thinker()?.about;
      if (about) return [['Thinks', `in this browser, ${about.kernels === 'wasm' ? 'by WebAssembly' : 'in plain JavaScript'}${about.notice ? `. ${about.notice}` : ''}`]];
      return [['Thinks', here.why ? `on the server. ${here.why}` : 'on the server']];
    },
  };
}
