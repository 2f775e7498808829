/** What every question says, checked: the twin of ui/asked.py and of ui/writing.py's reading of a text. No DOM. */
import {Refused} from '../common/ask.js';
import {SETTINGS} from '../common/settings.js';
import {windowStart} from './config.js';
import {LIMITS} from './limits.js';
import {headsMask} from './looking.js';

/**
 * @typedef {object} Asked
 * @property {number[]} ids of the whole text
 * @property {number} start where its window begins
 * @property {number[]} window
 * @property {string} text as the model reads it
 * @property {string[]} notes what had to be done to read it
 * @property {string[]} windowNotes that only its last tokens count: for whoever reads the window alone
 * @property {Uint8Array | null} silenced
 */

/** As gpt/sampling.py has them. */
const RANGES = {temperature: [0, 100], top_k: [0, 1_000_000], top_p: [0, 1], min_p: [0, 1], repetition_penalty: [0.01, 100]};

/**
 * @param {import('./model.js').Model} model
 * @param {any} question
 * @returns {Asked}
 * @throws {Refused} a field is missing or wrong, in one sentence
 */
export function readAsked(model, {text, tokens, silenced = []}) {
  const {config} = model.about;
  /** @type {string[]} */ let notes = [];
  /** @type {string[]} */ let windowNotes = [];
  /** @type {number[]} */ let ids;
  if (tokens) {
    if (!Array.isArray(tokens) || !tokens.length || tokens.length > LIMITS.MAX_TEXT_CHARACTERS) throw new Refused(`tokens: must be a list of 1 to ${thousands(LIMITS.MAX_TEXT_CHARACTERS)} tokens`);
    if (!tokens.every((id) => Number.isInteger(id) && id >= 0 && id < config.vocab_size)) throw new Refused(`tokens: each must be a whole number below ${thousands(config.vocab_size)}`);
    ids = tokens.slice();
    text = model.parts.tokenizer.decode(ids);
  } else {
    if (typeof text !== 'string') throw new Refused(`text: must be a text, not ${typeof text}`);
    ({text, notes} = readText(model, text));
    ids = model.encode(text);
    windowNotes = windowNote(config, ids.length);
  }
  if (!Array.isArray(silenced)) throw new Refused('silenced: must be a list of [layer, head]');
  const start = windowStart(ids.length, config.block_size);
  return {ids, start, window: ids.slice(start), text, notes, windowNotes, silenced: headsMask(config, silenced)};
}

/**
 * A person's text in the model's alphabet, at least one token of it, and what was done to it.
 * @param {import('./model.js').Model} model
 * @param {string} text
 */
export function readText({about, parts: {tokenizer}}, text) {
  const notes = [];
  const characters = [...text];
  const most = LIMITS.MAX_TEXT_CHARACTERS;
  if (characters.length > most) {
    notes.push(`Of your ${thousands(characters.length)} characters the last ${thousands(most)} are kept, the limit of this page.`);
    text = characters.slice(-most).join('');
  }
  const folded = tokenizer.fold(text);
  const replaced = Object.entries(folded.replaced).slice(0, 8).map(([old, now]) => `${visible(old)} as ${visible(now)}`);
  if (replaced.length) notes.push(`Read ${replaced.join(', ')}: the alphabet of this model has ${about.config.vocab_size} characters.`);
  const dropped = [...folded.dropped];
  const more = dropped.length - 12;
  if (dropped.length) notes.push(`Left out, never seen by this model: ${dropped.slice(0, 12).map(visible).join(' ')}${more > 0 ? ` and ${more} more` : ''}.`);
  let read = folded.text;
  if (!read) {
    read = tokenizer.fold('\n').text || tokenizer.characters[0];
    notes.push(`Nothing was ${text ? 'left to read' : 'typed'}: the model starts from a line break.`);
  }
  return {text: read, notes};
}

/** What there is to say when the window is all that the model sees of a text. @param {import('./config.js').Config} config @param {number} length @returns {string[]} */
export function windowNote({block_size: window}, length) {
  return length <= window ? [] : [`The model reads ${thousands(window)} characters at once: of ${thousands(length)}, the last ones count.`];
}

/** Characters that can be seen, the others by their code point. */
function visible(text) {
  const named = {' ': 'space', '\n': 'line break'};
  return Array.from(text, (c) => named[c] ?? (/[\p{C}\p{Z}]/u.test(c) ? `U+${/** @type {number} */ (c.codePointAt(0)).toString(16).toUpperCase().padStart(4, '0')}` : c)).join('');
}

/**
 * The settings of a question; those it leaves out are off.
 * @param {any} question
 * @returns {import('./generation.js').Settings}
 */
export function readSettings({settings = {}}) {
  if (typeof settings !== 'object' || settings === null) throw new Refused(`settings: must be an object, not ${typeof settings}`);
  /** @type {import('./generation.js').Settings} */ const found = {};
  for (const {name} of SETTINGS) {
    if (!(name in settings)) continue;
    const value = settings[name];
    const [low, high] = RANGES[name];
    const whole = name === 'top_k';
    if (typeof value !== 'number' || !(value >= low && value <= high) || (whole && !Number.isInteger(value))) {
      throw new Refused(`${name}: ${JSON.stringify(value)} is not a ${whole ? 'whole number' : 'number'} from ${thousands(low)} to ${thousands(high)}`);
    }
    found[name] = value;
  }
  return found;
}

/** A whole number of a question. @param {any} question @param {string} name @param {number} low @param {number} high @param {number} [usual] stands for a missing one */
export function readWhole(question, name, low = 0, high = LIMITS.MAX_TEXT_CHARACTERS, usual) {
  const value = question[name] ?? usual;
  if (!Number.isInteger(value) || value < low || value > high) throw new Refused(`${name}: ${JSON.stringify(value) ?? 'nothing'} is not a whole number from ${thousands(low)} to ${thousands(high)}`);
  return value;
}

/** @param {any} question @param {string} count the name of how many tokens are wanted @param {number} most */
export function readOrder(question, count, most) {
  return {count: readWhole(question, count, 1, most), settings: readSettings(question), seed: readWhole(question, 'seed', 0, Number.MAX_SAFE_INTEGER)};
}

function thousands(value) { return value.toLocaleString('en'); }
