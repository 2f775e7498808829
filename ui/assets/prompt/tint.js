/** What the band under a character says, and how that is coloured and worded. Pure: no DOM. */

/** @typedef {'none' | 'surprise' | 'probability' | 'entropy'} TintName */

/** The end of the scale: 65 characters that are all as likely are 6.02 bits. */
export const MOST_BITS = 6;

/**
 * @type {Record<TintName, {says: string, map: 'surprise' | 'ink', low: string, high: string, value: (unit: import('./thoughts.js').Unit) => number}>}
 * `value` is 0 to 1, the place on the scale.
 */
export const TINTS = {
  none: {says: 'Nothing is drawn under the text', map: 'surprise', low: '0', high: `${MOST_BITS} bits`, value: () => 0},
  surprise: {says: 'How surprised the model was by each character', map: 'surprise', low: '0', high: `${MOST_BITS} bits`, value: ({bits}) => Math.min(1, (bits ?? 0) / MOST_BITS)},
  probability: {says: 'How probable each character was to the model', map: 'ink', low: '0', high: '100 %', value: ({bits, p}) => (bits === null ? 0 : p)},
  entropy: {says: 'How open the model held the choice before each character', map: 'surprise', low: '0', high: `${MOST_BITS} bits`, value: ({bits, entropy}) => (bits === null ? 0 : Math.min(1, entropy / MOST_BITS))},
};

const ORDINALS = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'eighth', 'ninth', 'tenth'];

/** @param {number} rank 1 is the likeliest */
export function choiceWords(rank) {
  if (rank <= ORDINALS.length) return `${ORDINALS[rank - 1]} choice`;
  const tens = rank % 100;
  const end = tens >= 11 && tens <= 13 ? 'th' : ['th', 'st', 'nd', 'rd'][rank % 10] ?? 'th';
  return `${rank.toLocaleString('en')}${end} choice`;
}

/** @param {number} bits */
export function bitsWords(bits) {
  if (bits > 0 && bits < 0.05) return '<0.1 bits of surprise';
  return `${bits.toFixed(1)} ${bits.toFixed(1) === '1.0' ? 'bit' : 'bits'} of surprise`;
}
