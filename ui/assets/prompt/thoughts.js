/**
 * What the model thought of a text: answers of the question `score`, joined, and laid onto the text that is shown.
 * Pure: no DOM.
 */

/** @typedef {[id: number, text: string, p: number]} Alternative */

/**
 * As far as it is known, a list entry for each token; the first token has null, for nothing came before it.
 * @typedef {object} Known
 * @property {string} text as the model reads it
 * @property {number} total tokens of the text
 * @property {string[]} pieces
 * @property {(number | null)[]} bits
 * @property {(number | null)[]} p
 * @property {(number | null)[]} rank 1 is the likeliest
 * @property {(number | null)[]} entropy bits
 * @property {(Alternative[] | null)[]} alternatives the five likeliest
 */

/**
 * What was thought of one character, or of several that are one token.
 * @typedef {object} Unit
 * @property {number} start offset in the text that is shown
 * @property {number} end
 * @property {number} token the first of its tokens
 * @property {string} piece
 * @property {number | null} bits null for the first of the text
 * @property {number} p
 * @property {number} rank
 * @property {number} entropy
 * @property {Alternative[]} alternatives
 */

/** @typedef {{at: Int32Array, units: Unit[]}} Laid for each offset of the shown text its unit, or -1 */

/** What a piece is shown as that is a part of a character. */
const PART = '\ufffd';
const LISTS = ['pieces', 'bits', 'p', 'rank', 'entropy', 'alternatives'];
/** How far one looks for the place where two texts agree again, and for how many characters they must. */
const LOOK = 12;
const AGREE = 4;

/**
 * What was known, and an answer that begins at `answer.start`.
 * @param {Known | null} known
 * @param {any} answer
 * @returns {Known}
 */
export function join(known, answer) {
  const joined = /** @type {any} */ ({text: answer.text, total: answer.total});
  for (const name of LISTS) joined[name] = [...(known?.[name] ?? []).slice(0, answer.start), ...answer[name]];
  return joined;
}

/**
 * What is known of a text that begins with these characters of this one, and goes on otherwise.
 * @param {Known} known
 * @param {number} length characters
 * @returns {Known | null}
 */
export function cut(known, length) {
  const count = placesOf(known.pieces, known.text).filter(([, to]) => to <= length).length;
  if (!count) return null;
  const less = /** @type {any} */ ({text: length < known.text.length ? known.text.slice(0, length) : known.text, total: known.total});
  for (const name of LISTS) less[name] = known[name].slice(0, count);
  return less;
}

/**
 * @param {string} shown the text on the screen: the one that was read, and perhaps more; or one of which characters were replaced or left out
 * @param {Known} known
 * @returns {Laid}
 */
export function layOut(shown, known) {
  const places = placesOf(known.pieces, known.text, known.pieces.length >= known.total);
  const map = align(shown, known.text);
  const at = new Int32Array(shown.length).fill(-1);
  /** @type {Unit[]} */ const units = [];
  for (let k = 0; k < places.length; k++) {
    const [from, to] = places[k];
    const last = units[units.length - 1];
    if (to > from && last && places[k - 1][0] === from) { // pieces of one character
      if (last.bits !== null) { last.bits += known.bits[k] ?? 0; last.p *= known.p[k] ?? 1; }
      continue;
    }
    const start = to > from ? map[from] : -1;
    if (start < 0) continue;
    const end = Math.max(start + 1, map[to - 1] + 1);
    units.push({
      start, end, token: k, piece: shown.slice(start, end), bits: known.bits[k], p: known.p[k] ?? 1, rank: known.rank[k] ?? 1,
      entropy: known.entropy[k] ?? 0, alternatives: known.alternatives[k] ?? [],
    });
    at.fill(units.length - 1, start, end);
  }
  return {at, units};
}

/**
 * Where each piece stands in the text; pieces that are parts of one character share its place.
 * @param {string[]} pieces
 * @param {string} text
 * @param {boolean} [whole] the pieces are those of the whole text
 * @returns {[number, number][]}
 */
export function placesOf(pieces, text, whole = true) {
  /** @type {[number, number][]} */ const places = [];
  let at = 0;
  for (let k = 0; k < pieces.length; k++) {
    if (text.startsWith(pieces[k], at) && !pieces[k].includes(PART)) { // a text may hold that sign itself, of several parts
      places.push([at, at + pieces[k].length]);
      at += pieces[k].length;
      continue;
    }
    let next = k + 1;
    while (next < pieces.length && (pieces[next].includes(PART) || !text.includes(pieces[next], at + 1))) next++;
    const one = at + String.fromCodePoint(text.codePointAt(at) ?? 32).length;
    const end = next < pieces.length ? text.indexOf(pieces[next], at + 1) : whole ? text.length : one;
    for (; k < next; k++) places.push([at, Math.min(end, text.length)]);
    k--;
    at = Math.min(end, text.length);
  }
  return places;
}

/**
 * Where each character of the text that was read stands in the one that is shown; -1 where it does not.
 * @param {string} shown
 * @param {string} read
 * @returns {Int32Array}
 */
export function align(shown, read) {
  if (shown.startsWith(read)) return Int32Array.from({length: read.length}, (_, i) => i);
  const map = new Int32Array(read.length).fill(-1);
  let s = 0;
  let r = 0;
  // A text that is too long is read from somewhere on.
  if (read.length < shown.length && shown.endsWith(read)) s = shown.length - read.length;
  while (r < read.length && s < shown.length) {
    if (shown[s] !== read[r]) {
      const [skipShown, skipRead] = step(shown, s, read, r);
      for (let i = 0; i < skipRead; i++) map[r + i] = skipShown > 0 ? Math.min(s + i, s + skipShown - 1) : s;
      s += skipShown;
      r += skipRead;
      continue;
    }
    map[r++] = s++;
  }
  return map;
}

/** The shortest way past a difference: how many characters of each. */
function step(shown, s, read, r) {
  for (let sum = 1; sum <= LOOK; sum++) {
    for (let i = sum; i >= 0; i--) {
      const j = sum - i;
      const a = shown.slice(s + i, s + i + AGREE);
      const b = read.slice(r + j, r + j + AGREE);
      if (a === b) return [i, j];
    }
  }
  return [1, 1];
}

/** @param {Unit[]} units @returns {number | null} bits a character, null where nothing is known */
export function bitsPerCharacter(units) {
  const known = units.filter((unit) => unit.bits !== null);
  const characters = known.reduce((sum, unit) => sum + [...unit.piece].length, 0);
  return characters ? known.reduce((sum, unit) => sum + (unit.bits ?? 0), 0) / characters : null;
}

/** The most expected and the least expected, best first. @param {Unit[]} units @param {number} count */
export function extremes(units, count) {
  const known = units.filter((unit) => unit.bits !== null).sort((a, b) => (a.bits ?? 0) - (b.bits ?? 0) || a.start - b.start);
  return {most: known.slice(0, count), least: known.slice(-count).reverse()};
}
