/** The text of the Prompt tab: the prompt and what the model writes, laid out as a play, growing while it is written. */
import {rememberPacked} from './common/links.js';
import {make} from './dom.js';
import {divide, lines} from './play.js';

/** Below the lower edge by less than this many pixels, the text is followed while it grows. */
const FOLLOW = 160;
/** The longest wait for gradio to have ended what was being written; it tells when it has. */
const END_MS = 2000;

/** @param {import('./dom.js').View} view */
export function mount(view) {
  const {element, props, trigger, watch} = view;
  const play = make('div', {class: 'gl-play'});
  const aside = make('div', {class: 'gl-aside', 'aria-live': 'polite'});
  const root = make('div', {class: 'gl-part', role: 'region', 'aria-label': 'The text'}, aside, play);
  element.replaceChildren(root);
  /** @type {HTMLElement[]} */ let rows = [];
  /** @type {string[]} */ let keys = [];
  /** The server echoes the number of the run it writes for: what comes of an older one is late, and dropped. */
  let run = 0;
  /** Stop was pressed: the text stays as it is, whatever is still on its way. */
  let stopped = false;
  /** Gradio has a run of ours under way. */
  let busy = false;
  /** The value on the screen. */
  let good = props.value ?? {};

  function receive() {
    const value = props.value ?? {};
    if (value.run !== undefined && (value.run !== run || stopped)) {
      props.value = good;
    } else {
      good = value;
      draw();
    }
  }

  function draw() {
    const {prompt = '', text = '', status = 'done'} = good;
    const whole = prompt + text;
    const all = lines(whole);
    const writing = status === 'writing';
    const atEnd = window.innerHeight + window.scrollY >= document.documentElement.scrollHeight - FOLLOW;
    const firstWritten = text === '' ? -1 : all.findIndex((line) => line.start >= prompt.length && (line.text || line.start > prompt.length));
    all.forEach((line, i) => {
      const note = noteOf(i, prompt, firstWritten);
      const caret = writing && i === all.length - 1;
      const key = JSON.stringify([line.text, line.speaker, note, caret, Math.min(line.text.length, Math.max(0, prompt.length - line.start))]);
      if (keys[i] === key) return;
      const row = rowOf(line, prompt.length, note, caret);
      if (rows[i]) rows[i].replaceWith(row); else play.append(row);
      rows[i] = row;
      keys[i] = key;
    });
    for (const row of rows.slice(all.length)) row.remove();
    rows = rows.slice(0, all.length);
    keys = keys.slice(0, all.length);
    aside.replaceChildren(...asides(good));
    if (writing && atEnd) window.scrollTo(0, document.documentElement.scrollHeight);
    document.documentElement.dataset.glStatus = status;
    const settled = status !== 'writing';
    setDisabled('gl-stop', settled, 'Nothing is being written');
    setDisabled('gl-continue', !settled || whole === '', 'There is no text to continue yet');
    setDisabled('gl-again', !settled || whole === '', 'There is no prompt yet');
    if (settled && good.link !== undefined && status !== 'example') rememberPacked(good.link);
    document.dispatchEvent(new CustomEvent('gl:text', {detail: good}));
  }

  /** Ask for a text: what is being written ends first. */
  async function ask(way) {
    if (busy) {
      const ended = new Promise((resume) => document.addEventListener('gl:ended', resume, {once: true}));
      stop();
      await Promise.race([ended, new Promise((resume) => setTimeout(resume, END_MS))]);
    }
    run += 1;
    stopped = false;
    busy = true;
    good = props.value = {...good, run};
    trigger(way);
  }

  function freeze() {
    if (good.status !== 'writing') return;
    stopped = true;
    good = props.value = {...good, status: 'stopped'};
    draw();
  }

  function stop() {
    const button = /** @type {HTMLButtonElement | null} */ (document.getElementById('gl-stop'));
    if (button) button.disabled = false; // a run that has not yet begun to write can be ended too
    button?.click();
  }

  for (const way of ['write', 'go_on', 'again']) {
    element.closest('#gl-text').addEventListener(`gl:${way}`, () => ask(way));
  }
  document.addEventListener('gl:ended', () => { busy = false; });
  document.addEventListener('click', (event) => {
    if (/** @type {Element} */ (event.target).closest?.('#gl-stop')) freeze();
  }, {capture: true});
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && good.status === 'writing') stop();
  });
  watch('value', receive);
  draw();
}

/** What stands beside a line: whose it is, where that changes. */
function noteOf(i, prompt, firstWritten) {
  if (i === 0 && prompt.trim() !== '') return 'You';
  return i === firstWritten ? 'The model' : '';
}

function rowOf(line, given, note, caret) {
  const [typed, written] = divide(line, given);
  const verse = make('div', {class: line.speaker ? 'gl-verse gl-speaker' : 'gl-verse'});
  if (typed) verse.append(make('span', {class: 'gl-given'}, typed));
  if (written) verse.append(written);
  if (caret) verse.append(make('span', {class: 'gl-caret', 'aria-hidden': 'true'}));
  return make('div', {class: 'gl-row'}, make('div', {class: 'gl-note'}, note), verse);
}

function asides(value) {
  const found = [];
  if (value.error) found.push(make('div', {class: 'gl-error', role: 'alert'}, value.error));
  if (value.status === 'example') found.push(make('p', {}, `An example, from seed ${value.seed}. Press Write, or type a line of your own.`));
  for (const note of value.notes ?? []) found.push(make('p', {}, note));
  return found.length ? [make('div', {class: 'gl-row'}, make('div', {class: 'gl-note'}, 'Note'), make('div', {}, ...found))] : [];
}

function setDisabled(id, disabled, reason) {
  const button = /** @type {HTMLButtonElement | null} */ (document.getElementById(id));
  if (!button) return;
  button.disabled = disabled;
  button.title = disabled ? reason : '';
}
