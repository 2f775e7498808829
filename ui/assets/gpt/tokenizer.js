/** Characters to ids and back: the twin of gpt/tokenizer.py's CharTokenizer, which says what folding does. No DOM. */
import {Refused} from '../common/ask.js';

/**
 * @typedef {object} Folded
 * @property {string} text made of known characters only
 * @property {Record<string, string>} replaced character typed -> what stands for it
 * @property {string} dropped characters left out, each once
 */

/**
 * @typedef {object} Tokenizer
 * @property {string[]} characters by id
 * @property {number} vocabSize
 * @property {(text: string) => number[]} encode
 * @property {(ids: Iterable<number>) => string} decode
 * @property {(text: string) => Folded} fold what a person typed, in this alphabet
 */

/**
 * @param {any} found
 * @returns {Tokenizer}
 * @throws {Error} beginning with the field's name
 */
export function readTokenizer(found) {
  if (found?.type !== 'char' || typeof found.characters !== 'string') throw new Error('tokenizer: it is not one of characters');
  const characters = [...found.characters];
  const ids = new Map(characters.map((c, id) => [c, id]));
  if (!characters.length || ids.size !== characters.length) throw new Error('tokenizer: its characters must be at least one, each once');
  const has = (/** @type {string} */ c) => ids.has(c);
  return {
    characters,
    vocabSize: characters.length,
    encode: (text) => [...text].map((c, position) => ids.get(c) ?? refuse(c, position)),
    decode: (tokens) => Array.from(tokens, (id) => characters[id]).join(''),
    fold: (text) => fold(text, has),
  };
}

/** @returns {never} */
function refuse(c, position) {
  throw new Refused(`${JSON.stringify(c)} at position ${position}: not in this model's alphabet.`);
}

/** What Unicode's own decompositions leave out. @type {Map<string, string>} */
const LOOKALIKES = new Map([
  ...spread('‘’‚‛′`´', "'"), ...spread('“”„‟″«»', '"'), ...spread('‐‑‒–−', '-'), ...spread('—―', '--'), ...spread('\t\v\f', ' '),
  ...spread('\u2028\u2029\u0085', '\n'),
  ...Object.entries({ß: 'ss', æ: 'ae', Æ: 'AE', œ: 'oe', Œ: 'OE', þ: 'th', Þ: 'Th', ð: 'd', Ð: 'D', ø: 'o', Ø: 'O', ł: 'l', Ł: 'L', đ: 'd', Đ: 'D', ı: 'i', '⁄': '/'}),
]);
/** For alphabets that lack even the plain form. */
const SECOND_BEST = new Map([['"', "'"], ['\n', ' '], ['\r', '\n']]);

/** @returns {[string, string][]} */
function spread(characters, plain) { return [...characters].map((c) => [c, plain]); }

function fold(text, has) {
  if (!has('\r')) text = text.replaceAll('\r\n', '\n');
  /** @type {Map<string, string>} */ const standsFor = new Map();
  for (const c of text) if (!standsFor.has(c)) standsFor.set(c, has(c) ? c : standIn(c, has));
  const entries = [...standsFor];
  const dropped = entries.filter(([c, known]) => !known && !combines(c)).map(([c]) => (half(c) ? '�' : c));
  return {
    text: Array.from(text, (c) => standsFor.get(c)).join(''),
    replaced: Object.fromEntries(entries.filter(([c, known]) => known && known !== c)),
    dropped: [...new Set(dropped)].join(''),
  };
}

/** What stands for an unknown character: all of its plain form, or nothing. */
function standIn(character, has) {
  let found = '';
  for (const plain of plainForm(character)) {
    const known = [plain, SECOND_BEST.get(plain) ?? '', otherCase(plain)].find(has);
    if (known === undefined) return '';
    found += known;
  }
  return found;
}

function plainForm(character) {
  const swapped = LOOKALIKES.get(character);
  if (swapped !== undefined) return swapped;
  return [...character.normalize('NFKD')].filter((c) => !combines(c)).map((c) => LOOKALIKES.get(c) ?? c).join('');
}

function otherCase(c) { return c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase(); }

/** The mark of the highest combining class: in canonical order whatever else combines comes before it. */
const LAST_MARK = '\u0345';
/** Made of marks, but none themselves. */
const VOWEL_SIGNS = '\u0f73\u0f75\u0f81';

/** Whether a character is a mark that combines with the one before: whether its combining class, of which JavaScript does not tell, is not 0. */
function combines(c) {
  if (c === LAST_MARK) return true;
  return !half(c) && !VOWEL_SIGNS.includes(c) && (LAST_MARK + c).normalize('NFD') !== LAST_MARK + c.normalize('NFD');
}

/** Half of a surrogate pair is no character. */
function half(c) { return c >= '\ud800' && c <= '\udfff' && c.length === 1; }
