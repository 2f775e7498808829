/** Words: how pieces, heads and numbers are said. No DOM. */
import {number, percent, signed} from './scales.js';

const SPOKEN = {' ': 'space', '\n': 'line break', '\t': 'tab', '': 'nothing', '\ufffd': 'part of a character'};
const SHOWN = {' ': '␣', '\n': '¶', '\t': '⇥'};

/** A piece of text as words: what cannot be seen is named. @param {string} piece */
export function spoken(piece) {
  return SPOKEN[piece] ?? piece.replace(/\n/g, '¶').replace(/[\p{C}]/gu, (c) => `U+${c.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}`);
}

/** A piece as a sign: one that fits where a letter does. @param {string} piece */
export function sign(piece) {
  return SHOWN[piece] ?? piece.replace(/ /g, '␣').replace(/\n/g, '¶');
}

/** A piece as words where it can be seen: the spaces of a longer one are signs. @param {string} piece */
export function named(piece) {
  return SPOKEN[piece] ?? sign(spoken(piece));
}

/** A piece where there is room for a word: "space", "line break", else its sign. @param {string} piece */
export function short(piece) {
  return piece === ' ' || piece === '\n' ? spoken(piece) : sign(piece);
}

/** @param {number} layer @param {number} head */
export function headName(layer, head) {
  return `${layer}.${head}`;
}

/** @param {[number, number][]} pairs @returns {string} "5.2", "5.2 and 3.1", "6 heads" */
export function headNumbers(pairs) {
  if (pairs.length > 3) return `${pairs.length} heads`;
  return pairs.map(([layer, head]) => headName(layer, head)).join(pairs.length === 2 ? ' and ' : ', ');
}

/** @param {[number, number][]} pairs @returns {string} "head 5.2", "heads 5.2 and 4.1", "6 heads" */
export function headNames(pairs) {
  const all = pairs.map(([layer, head]) => headName(layer, head));
  if (all.length === 1) return `head ${all[0]}`;
  return all.length > 4 ? `${all.length} heads` : `heads ${all.slice(0, -1).join(', ')} and ${all[all.length - 1]}`;
}

/** @param {{average: string, layer: number, head: number}} selection @returns {string} what is shown, as a title */
export function title({average, layer, head}) {
  if (average === 'layer') return `Layer ${layer}`;
  if (average === 'all') return 'All heads';
  if (average === 'rollout') return `Rollout ${layer}`;
  return `Head ${headName(layer, head)}`;
}

/** @param {{average: string, layer: number}} selection @returns {string} what an average means, in a sentence */
export function averageSays({average, layer}) {
  if (average === 'layer') return `the mean of the heads of layer ${layer}`;
  if (average === 'all') return 'the mean of all heads of all layers';
  return `what reaches layer ${layer} from where, with half of each layer passed on as it is`;
}

/** Differences of maps, in words: what is taken from what, and what their two colours mean. */
export const DIFFERENCES = {
  text: {name: 'this minus the other', from: 'the other text', less: 'more in the other', more: 'more in this text', says: 'This text minus the other: blue looks more here, ochre more there.'},
  silenced: {name: 'silenced minus all', from: 'all heads', less: 'more with all heads', more: 'more when silenced', says: 'Silenced minus all heads: blue looks more than before, ochre less.'},
};

/**
 * What is looked at, in words.
 * @param {{average: string, layer: number, head: number}} selection
 * @param {{role: string, words: string, says: string, score: number} | null} role of the head, where it is one
 * @param {[number, number][]} silenced
 * @param {'text' | 'silenced' | null} [difference] what is shown is one
 * @returns {{name: string, role: string, says: string, off: boolean}} off: it is one head, and silenced
 */
export function selectionWords(selection, role, silenced, difference = null) {
  const name = title(selection);
  if (difference) return {name, role: selection.average === 'head' ? roleLine(role) : averageSays(selection), says: DIFFERENCES[difference].says, off: false};
  if (selection.average !== 'head') return {name, role: '', says: averageSays(selection), off: false};
  const off = silenced.some(([layer, head]) => layer === selection.layer && head === selection.head);
  return {name, role: roleLine(role), says: off ? 'silenced: it still looks, and nothing comes of it' : role?.says ?? 'nothing in particular', off};
}

/** "previous character 0.97", or "mixed": a head that is nothing in particular says so. */
export function roleLine(role) {
  if (!role || role.role === 'mixed') return 'mixed';
  return `${role.words} ${number(role.score)}`;
}

/** What a finger does, or a mouse. @returns {'Tap' | 'Click'} */
export function press() { return window.matchMedia('(hover: none)').matches ? 'Tap' : 'Click'; }

export {number, percent, signed};
