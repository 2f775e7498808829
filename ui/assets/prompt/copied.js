/** Under the text: does it just copy? What the server found of it in the training text, in numbers. */
import {askJson} from '../common/ask.js';
import {make} from '../dom.js';
import {desk} from './desk.js';
import {percent} from '../common/words.js';

const SETTLED_MS = 250;
const MAX_TEXT_CHARACTERS = 20_000;
/** As the server has it: shorter passages are no copy. */
const AT_LEAST = 24;

/** @param {HTMLElement} holder */
export function mountCopied(holder) {
  const body = make('div', {class: 'gp-copied-words', 'aria-live': 'polite'});
  const row = make('div', {class: 'gl-row gp-copied', hidden: true}, make('h2', {class: 'gl-note'}, 'Does it just copy?'), body);
  holder.append(row);
  const ask = askJson('quality');
  const fetchCorpus = askJson('fetch_corpus');
  let timer = 0;
  let asked = '';
  /** @type {AbortController | null} */ let flight = null;
  let held = false;
  let offset = 0;

  function begin(again = false) {
    const {sheet} = desk.state;
    const key = JSON.stringify([sheet.model, sheet.text, sheet.given]);
    if (key === asked && !again) return;
    asked = key;
    flight?.abort();
    clearTimeout(timer);
    held = false;
    mark(null);
    row.hidden = sheet.text === '';
    row.classList.toggle('gp-waiting', desk.state.quality !== null); // the old words stay until there are new ones
    if (!desk.state.quality) say('Looking it up once it is written …');
    if (sheet.text === '' || sheet.status === 'writing') return;
    timer = window.setTimeout(() => void look(), SETTLED_MS);
  }

  async function look() {
    const {sheet} = desk.state;
    const mine = flight = new AbortController();
    offset = Math.max(0, sheet.text.length - MAX_TEXT_CHARACTERS);
    row.classList.add('gp-waiting');
    try {
      const found = await ask({model: sheet.model, text: sheet.text.slice(offset), given: Math.max(0, sheet.given - offset)}, mine.signal);
      if (flight === mine) draw(found);
    } catch (error) {
      if (!mine.signal.aborted) { desk.set({quality: null}); say(/** @type {Error} */ (error).message); }
    }
  }

  /** @param {any} found */
  function draw(found) {
    const {own} = desk.state.sheet;
    const whose = own ? 'The' : 'Its';
    /** @type {(Node | string)[]} */ const words = [];
    if (found.corpus) {
      if (found.words) words.push(make('b', {}, percent(found.words_known / found.words)), ` of ${own ? 'the' : 'its'} words occur in the training text. `);
      if (found.longest && found.longest.end > found.longest.start) {
        words.push(`The longest passage copied word for word has `, longestButton(found.longest), '. ');
      }
      const copied = found.copied.length;
      if (copied) words.push(`${copied === 1 ? 'One passage' : `${copied} passages`} of ${AT_LEAST} characters and more, ${percent(found.share_copied)} of the text, ${copied === 1 ? 'has' : 'have'} a line above. `);
      else words.push(`No passage of ${AT_LEAST} characters is copied. `);
    }
    if (typeof found.bits_per_character === 'number') {
      words.push(`${whose} text costs the model `, make('b', {}, found.bits_per_character.toFixed(2)), ' bits a character');
      words.push(typeof found.held_out_bits === 'number' ? `; Shakespeare that it never read, ${found.held_out_bits.toFixed(2)}.` : '.');
    }
    if (!found.corpus && found.fetchable !== false) words.push(make('span', {class: 'gp-fetch'}, ' ', ...offer()));
    row.classList.remove('gp-waiting');
    body.replaceChildren(...words);
    desk.set({quality: found});
    mark(null);
  }

  function offer() {
    const button = /** @type {HTMLButtonElement} */ (make('button', {class: 'gl-link', type: 'button', on: {click: async () => {
      button.disabled = true;
      button.textContent = 'Fetching it …';
      try {
        await fetchCorpus({model: desk.state.sheet.model, text: ''});
        begin(true);
      } catch (error) {
        button.disabled = false;
        button.textContent = 'Fetch it (1.1 MB)';
        button.after(` ${/** @type {Error} */ (error).message}`);
      }
    }}}, 'Fetch it (1.1 MB)'));
    return ['Whether it copies cannot be said: the training text is not on this machine. ', button];
  }

  function longestButton({start, end, where}) {
    const words = `${end - start} characters`;
    const show = (on) => mark(on ? [start + offset, end + offset] : null);
    const button = make('button', {class: 'gl-link', type: 'button', 'aria-pressed': 'false', on: {
      pointerenter: () => show(true), pointerleave: () => { if (!held) show(false); },
      click: () => { held = !held; show(held); button.setAttribute('aria-pressed', String(held)); place.hidden = !held; },
    }}, words);
    const said = whereWords(where);
    const place = make('span', {hidden: true}, said ? ` (${said})` : '');
    button.title = said || 'Mark it in the text';
    return make('span', {}, button, place);
  }

  /** @param {[number, number] | null} wash the passage that is pointed at */
  function mark(wash) {
    const {quality, marks} = desk.state;
    const rules = (quality?.copied ?? []).map(([start, end]) => /** @type {[number, number]} */ ([start + offset, end + offset]));
    desk.set({marks: {...marks, rules: desk.state.sheet.status === 'writing' ? [] : rules, wash: wash ? [wash] : []}});
  }

  function say(words) {
    row.classList.remove('gp-waiting');
    body.textContent = words;
  }

  desk.on((changed) => { if (changed.has('sheet')) begin(); });
}

/** Where a passage stands in the training text. @param {any} where */
export function whereWords(where) {
  if (!where) return '';
  if (typeof where === 'string') return where;
  const parts = [where.speaker ? `said by ${String(where.speaker).replace(/:$/, '')}` : '', where.context ? `after “${String(where.context).trim()}”` : ''];
  return parts.filter(Boolean).join(', ');
}
