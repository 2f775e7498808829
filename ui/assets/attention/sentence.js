/** The sentence on top: what to look at, written from the numbers of the state on screen. Pure: no DOM. */
import {strongest} from './maps.js';
import {DIFFERENCES, averageSays, number, signed, spoken, title} from '../common/words.js';

/**
 * One phrase may be marked: it is underlined.
 * @typedef {{text: string, mark?: boolean}} Part
 */

/** Repeated text shorter than this is chance. */
const REPEATED = 4;

/**
 * @param {object} seen
 * @param {import('./wire.js').Trace} seen.trace
 * @param {import('./maps.js').Selection} seen.selection
 * @param {number} seen.row position looked from
 * @param {ArrayLike<number>} seen.weights of that row
 * @param {import('./wire.js').Role | null} seen.role
 * @param {'text' | 'silenced' | null} [seen.difference] the weights are one
 * @returns {Part[]}
 */
export function sentence({trace, selection, row, weights, role, difference = null}) {
  const name = title(selection);
  const from = quoted(trace.pieces[row]);
  if (difference) return changed({trace, name, from, row, weights, difference});
  if (row === 0) return [{text: `The first character has nothing before it: it can look `}, {text: 'only at itself', mark: true}, {text: '.'}];
  if (selection.average !== 'head') {
    const best = strongest(weights);
    return [{text: `${name}: ${averageSays(selection)}. From ${from} the largest share, ${number(weights[best])}, falls on `}, {text: `${quoted(trace.pieces[best])}, ${back(row - best)}`, mark: true}, {text: '.'}];
  }
  const best = strongest(weights);
  const silenced = trace.silenced.some(([l, h]) => l === selection.layer && h === selection.head);
  if (silenced) return [{text: `${name} is silenced: it still looks, but `}, {text: 'nothing comes of it', mark: true}, {text: '.'}];
  const repeat = repeated(trace.pieces, row);
  if (repeat && best === repeat.next && weights[best] >= 0.2) {
    const next = quoted(trace.pieces[best]);
    return [{text: `The model has read “${shown(repeat.text)}” before, ${distance(trace.pieces, row, repeat.at)}. ${name} finds that place and looks at `}, {text: 'what came next', mark: true}, {text: `: ${next}.`}];
  }
  const share = `${number(weights[best])} of its attention`;
  if (best === row) return [{text: `${name} at ${from}: ${share} stays `}, {text: 'where it stands', mark: true}, {text: '.'}];
  if (best === 0 && row > 8) return [{text: `${name} at ${from} rests on `}, {text: 'the very first character', mark: true}, {text: `: ${share}. Where there is nothing to find, it looks there.`}];
  const roleWords = role && role.role !== 'mixed' ? ` (${role.words})` : '';
  return [{text: `${name}${roleWords} looks from ${from} at `}, {text: `${quoted(trace.pieces[best])}, ${back(row - best)}`, mark: true}, {text: `: ${share}.`}];
}

/** What is another in what a position looks at. */
function changed({trace, name, from, row, weights, difference}) {
  const {from: other, less, more} = DIFFERENCES[difference];
  const best = strongest(weights);
  const value = weights[best];
  const begin = `Against ${other}, ${name} at ${from} `;
  if (signed(value) === signed(0)) return [{text: begin}, {text: 'has not changed', mark: true}, {text: '.'}];
  return [{text: `${begin}changes most at `}, {text: `${quoted(trace.pieces[best])}, ${back(row - best)}`, mark: true}, {text: `: ${signed(value)}, ${value < 0 ? less : more}.`}];
}

/** @param {import('./app.js').App} app @returns {Part[]} of what is on screen; nothing while there is no trace */
export function sentenceOf(app) {
  const {trace} = app;
  if (!trace) return [];
  const selection = app.selection();
  const row = app.row();
  return sentence({trace, selection, row, weights: app.weights(row), role: app.role(selection.layer, selection.head), difference: app.compared()});
}

/**
 * The longest text that ends here and has stood before, if it is long enough not to be chance.
 * @param {string[]} pieces
 * @param {number} row
 * @returns {{text: string, at: number, next: number} | null} `at` is where it ended then, `next` what followed
 */
export function repeated(pieces, row) {
  let best = 0;
  let at = -1;
  for (let end = row - 1; end >= REPEATED - 1; end--) {
    let length = 0;
    while (length <= end && pieces[end - length] === pieces[row - length]) length++;
    if (length > best) { best = length; at = end; }
  }
  if (best < REPEATED) return null;
  return {text: pieces.slice(row - best + 1, row + 1).join(''), at, next: at + 1};
}

function distance(pieces, row, at) {
  const lines = pieces.slice(at + 1, row + 1).filter((piece) => piece.includes('\n')).length;
  if (lines === 0) return `${row - at} characters back`;
  return lines === 1 ? 'one line up' : `${['two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'][lines - 2] ?? lines} lines up`;
}

function back(n) {
  return n === 0 ? 'itself' : n === 1 ? 'one character back' : `${n} characters back`;
}

function quoted(piece) {
  const words = spoken(piece);
  if (words !== piece || piece === '') return /^[A-Z]|U\+/.test(words) ? words : `${/^[aeiou]/.test(words) ? 'an' : 'a'} ${words}`;
  return `“${piece}”`;
}

function shown(text) {
  return text.trim().split('\n').at(-1)?.slice(-30) || text.trim().slice(-30) || 'this';
}
