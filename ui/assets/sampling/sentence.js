/** The sentence on top, and the words beside the figures: written from the numbers on screen. Pure: no DOM. */
import {named, percent, spoken} from '../common/words.js';

const WORDS = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve'];

/** @param {number} n @returns {string} in words up to twelve */
export function inWords(n) {
  return WORDS[n] ?? n.toLocaleString('en');
}

/** A piece as a sentence has it: "“o”", "a space", "a line break". @param {string} piece */
export function quoted(piece) {
  const words = spoken(piece);
  if (words === piece && piece !== '') return `“${piece}”`;
  return /^U\+|¶/.test(words) ? `“${words}”` : `a ${words}`;
}

/**
 * One phrase may be marked: it is underlined.
 * @typedef {{text: string, mark?: boolean}} Part
 */

/**
 * @param {object} seen
 * @param {import('../common/settings.js').Settings} seen.settings
 * @param {import('./numbers.js').Left} seen.left
 * @param {number} seen.size of the vocabulary
 * @param {string} seen.unit "character" or "token"
 * @param {string} seen.favourite piece
 * @returns {Part[]}
 */
export function sentence({settings, left, size, unit, favourite}) {
  const {temperature, top_k: topK, top_p: topP, min_p: minP, repetition_penalty: penalty} = settings;
  const [one, many] = [unit, `${unit}s`];
  if (temperature === 0) {
    const tie = left.ties > 1 ? `, of ${inWords(left.ties)} that are equally likely the first in the ${order(unit)}` : '';
    return [{text: 'At temperature 0 nothing is left to chance: '}, {text: `${quoted(favourite)} follows`, mark: true}, {text: `${tie}.`}];
  }
  const bent = [
    ...(topK > 0 && topK < size ? [`top-k ${topK}`] : []),
    ...(topP < 1 ? [`top-p ${topP}`] : []),
    ...(minP > 0 ? [`min-p ${minP}`] : []),
    ...(penalty !== 1 ? [`repetition penalty ${penalty}`] : []),
  ];
  const under = `At temperature ${temperature}${bent.length ? ` with ${list(bent)}` : ''}`;
  if (left.count === 1 && size > 1) return [{text: `${under}, `}, {text: `one ${one} of ${size.toLocaleString('en')}`, mark: true}, {text: ` is left in the game: ${quoted(favourite)}.`}];
  if (left.count < size) return [{text: `${under}, `}, {text: `${inWords(left.count)} ${many} of ${size.toLocaleString('en')}`, mark: true}, {text: ' are left in the game.'}];
  const open = Math.max(1, Math.round(2 ** left.bits));
  const like = open === 1
    ? [{text: `the choice of ${quoted(favourite)} is `}, {text: 'all but certain', mark: true}]
    : [{text: 'the choice is as open as one among '}, {text: `${inWords(open)} equally likely ${many}`, mark: true}];
  if (temperature === 1 && !bent.length) return [{text: 'Nothing is bent: this is what the model believes, and '}, ...like, {text: '.'}];
  return [{text: `${under}, all ${size.toLocaleString('en')} ${many} stay in the game, and `}, ...like, {text: '.'}];
}

/** "a, b and c". @param {string[]} words */
function list(words) {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/**
 * What was cut, beside the line.
 * @param {import('./numbers.js').Left} left
 * @param {number} size of the vocabulary
 * @param {string} unit
 * @param {boolean} [short] there is little room
 * @returns {string} empty where nothing was
 */
export function cutWords({by, count, mass}, size, unit, short = false) {
  const cut = size - count;
  if (!by.length || cut === 0) return '';
  if (short) return `${cut.toLocaleString('en')} cut by ${list(by)}, ${percent(mass)}`;
  return `cut by ${list(by)}: ${cut.toLocaleString('en')} ${unit}${cut === 1 ? '' : 's'}, ${percent(mass)} of the mass`;
}

/** "0.573": never rounded up to 1. @param {number} number */
export function shownNumber(number) {
  return (Math.floor(number * 1000) / 1000).toFixed(3);
}

/** What the draw is, in words. @param {{seed: number, n: number, number: number, piece: string, unit?: string}} draw */
export function drawWords({seed, n, number, piece, unit = 'character'}) {
  return `u(seed ${seed}, ${n}) = ${shownNumber(number)} falls on ${named(piece)}, in the order of the ${order(unit)}`;
}

/** What tokens have an order in. @param {string} unit */
function order(unit) { return unit === 'character' ? 'alphabet' : 'vocabulary'; }

/** How open a choice is: "entropy 2.85 bits". @param {number} bits */
export function bitsWords(bits) {
  return `entropy ${bits.toFixed(2)} bits`;
}
