/** Under the text: does it just copy? What the server found of it in the training text, in numbers. */
import {askJson} from '../common/ask.js';
import {thinker} from '../common/thinking.js';
import {percent} from '../common/words.js';
import {make} from '../dom.js';
import {desk} from './desk.js';

const SETTLED_MS = 250;
const MAX_TEXT_CHARACTERS = 20_000;
/** As the server has it: shorter passages are no copy. */
const AT_LEAST = 24;

/** @param {HTMLElement} holder */
export function mountCopied(holder) {
  const body = make('div', {class: 'gp-copied-words', 'aria-live': 'polite'});
  const row = make('div', {class: 'gl-row gp-copied', hidden: true}, make('h2', {class: 'gp-note'}, 'Does it just copy?'), body);
  holder.append(row);
  const ask = askJson('quality');
  const fetchCorpus = askJson('fetch_corpus');
  let timer = 0;
  let asked = '';
  /** @type {AbortController | null} */ let flight = null;
  /** What was pressed. @type {{button: Element, said: HTMLElement, passages: [number, number][]} | null} */ let held = null;
  let offset = 0;

  function begin(again = false) {
    const {sheet} = desk.state;
    const writing = sheet.status === 'writing';
    const key = JSON.stringify([sheet.model, sheet.text, sheet.given, writing]); // it may end with the text that was there already
    if (key === asked && !again) return;
    asked = key;
    flight?.abort();
    clearTimeout(timer);
    release();
    desk.set({quality: null});
    mark([]);
    row.hidden = sheet.text === '';
    body.textContent = writing ? 'Looked up when the text is written.' : 'Looking it up …';
    if (sheet.text === '' || writing) return;
    timer = window.setTimeout(() => void look(), SETTLED_MS);
  }

  /** @param {boolean} [server] also where the model thinks in this browser, which has no training text */
  async function look(server = false) {
    const {sheet} = desk.state;
    const mine = flight = new AbortController();
    offset = Math.max(0, sheet.text.length - MAX_TEXT_CHARACTERS);
    try {
      const text = sheet.text.slice(offset);
      const found = await ask({model: sheet.model, text, given: [...text.slice(0, Math.max(0, sheet.given - offset))].length, ...(server ? {server} : {})}, mine.signal);
      if (flight === mine) draw(inText(found, text, offset), server);
    } catch (error) {
      if (!mine.signal.aborted) { desk.set({quality: null}); body.textContent = /** @type {Error} */ (error).message; }
    }
  }

  /** @param {any} found @param {boolean} server it was begged for there */
  function draw(found, server) {
    const {own} = desk.state.sheet;
    const whose = own ? 'The' : 'Its';
    /** @type {(Node | string)[]} */ const words = [];
    if (found.corpus) {
      if (found.words) words.push(knownWords(found), ` of ${own ? 'the' : 'its'} words occur in the training text. `);
      if (found.longest) {
        words.push(`The longest passage copied word for word has `, longestButton(found.longest), '. ');
      }
      const copied = found.passages;
      if (copied) words.push(`${copied === 1 ? 'One passage' : `${copied} passages`} of ${AT_LEAST} characters and more, ${percent(found.share_copied)} of the text, ${copied === 1 ? 'has' : 'have'} a line above. `);
      else words.push(`No passage of ${AT_LEAST} characters is copied. `);
    }
    if (typeof found.bits_per_character === 'number') {
      words.push(`${whose} text costs the model `, make('b', {}, found.bits_per_character.toFixed(2)), ' bits a character');
      words.push(typeof found.held_out_bits === 'number' ? `; Shakespeare that it never read, ${found.held_out_bits.toFixed(2)}.` : '.');
    }
    if (!found.corpus) words.push(' ', ...(found.fetchable ? offer(server) : !server && serverHasMore() ? askServer() : ['Whether it copies cannot be said: the text that this model was trained on is not on this machine.']));
    body.replaceChildren(...words);
    desk.set({quality: found});
    mark([]);
  }

  function offer(server) {
    const button = /** @type {HTMLButtonElement} */ (make('button', {class: 'gl-link', type: 'button', on: {click: async () => {
      button.disabled = true;
      button.textContent = 'Fetching it …';
      try {
        await fetchCorpus({model: desk.state.sheet.model, text: ''});
        if (server) void look(true); else begin(true);
      } catch (error) {
        button.disabled = false;
        button.textContent = 'Fetch it (1.1 MB)';
        button.after(` ${/** @type {Error} */ (error).message}`);
      }
    }}}, 'Fetch it (1.1 MB)'));
    return ['Whether it copies cannot be said: the training text is not on this machine. ', button];
  }

  /** The model thinks in this browser, and there is a server that may have the training text. */
  function serverHasMore() {
    const {model} = desk.state.sheet;
    const mine = thinker();
    return Boolean(mine?.answers('quality', {model}) && !mine.answers('quality', {model, server: true}));
  }

  function askServer() {
    const button = /** @type {HTMLButtonElement} */ (make('button', {class: 'gl-link', type: 'button', on: {click: () => {
      button.disabled = true;
      void look(true);
    }}}, 'Ask the server'));
    return ['Whether it copies cannot be said here: the training text is not in this browser. ', button];
  }

  /** A press or the pointer marks passages in the text. */
  function pointer(words, title, passages, place = '') {
    const said = make('span', {hidden: true}, place ? ` (${place})` : '');
    const button = make('button', {class: 'gl-link', type: 'button', title, 'aria-pressed': 'false', on: {
      pointerenter: () => mark(passages), pointerleave: () => mark(held?.passages ?? []),
      focus: () => { if (button.matches(':focus-visible')) mark(passages); }, blur: () => mark(held?.passages ?? []),
      click: () => {
        const on = held?.button !== button;
        release();
        if (on) { held = {button, said, passages}; button.setAttribute('aria-pressed', 'true'); said.hidden = false; }
        mark(held?.passages ?? []);
      },
    }}, words);
    return make('span', {}, button, said);
  }

  function release() {
    held?.button.setAttribute('aria-pressed', 'false');
    if (held) held.said.hidden = true;
    held = null;
  }

  function knownWords({words, words_known: known, unknown}) {
    const share = make('b', {}, percent(known / words));
    if (!unknown?.length) return share;
    return pointer(share, 'Mark the words that do not occur in it', unknown, `${unknown.length === 1 ? 'not' : `not these ${unknown.length}, as`} “${quoted(unknown)}”`);
  }

  function quoted(passages) {
    const {text} = desk.state.sheet;
    return passages.slice(0, 3).map(([start, end]) => text.slice(start, end)).join('”, “');
  }

  function longestButton({start, end, where}) {
    const place = whereWords(where);
    return pointer(end - start === 1 ? '1 character' : `${end - start} characters`, place || 'Mark it in the text', [[start, end]], place);
  }

  /** @param {[number, number][]} wash passages that are pointed at */
  function mark(wash) {
    const {quality, marks, sheet} = desk.state;
    const rules = sheet.status === 'writing' ? [] : quality?.copied ?? [];
    if (!rules.length && !wash.length && !marks.rules.length && !marks.wash.length) return;
    desk.set({marks: {...marks, rules, wash}});
  }

  desk.on((changed) => { if (changed.has('sheet')) begin(); });
}

/** Where a passage stands in the training text. @param {{line: number, speaker: string | null, before: string} | null} where */
export function whereWords(where) {
  if (!where) return '';
  const before = where.before.trim().replace(/\s+/g, ' ');
  return [`line ${where.line.toLocaleString('en')} of it`, where.speaker ? `${where.speaker} speaks` : '', before ? `after “${before}”` : ''].filter(Boolean).join(', ');
}

/**
 * The places of an answer, which counts code points of what the model read, as offsets in the text on the screen; none where those texts differ.
 * @param {any} found
 * @param {string} text that was asked about
 * @param {number} offset of it on the screen
 */
export function inText(found, text, offset) {
  const same = found.text === text;
  const starts = [];
  if (same) for (let at = 0; at <= text.length; at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1) starts.push(at);
  const moved = ([start, end]) => /** @type {[number, number]} */ ([offset + starts[start], offset + starts[end]]);
  const {longest} = found;
  const place = longest && same ? moved([longest.start, longest.end]) : [0, longest ? longest.end - longest.start : 0];
  return {
    ...found, copied: same ? (found.copied ?? []).map(moved) : [], unknown: same ? (found.unknown ?? []).map(moved) : [],
    longest: longest && {...longest, start: place[0], end: place[1]}, passages: found.copied?.length ?? 0,
  };
}
