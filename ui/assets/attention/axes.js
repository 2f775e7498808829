/** What stands around a map: numbers where lines begin, and the lines' first words. Pure: no DOM. */

/** Width of a digit, and depth of a letter, in sizes of the type. */
const DIGIT = 0.6;
const DESCENT = 0.25;

/** Size of an axis' type: what is told in CSS, larger where it is presented. @param {CSSStyleDeclaration} style @returns {number} CSS pixels */
export function typeSize(style) {
  return (parseFloat(style.getPropertyValue('--ge-axis-size')) || 12) * (parseFloat(style.getPropertyValue('--gl-unit')) || 1);
}

/**
 * Positions that an axis names: where lines begin, or, in a text without lines, round numbers.
 * @param {import('./wire.js').Trace} trace
 * @param {number} capacity
 * @returns {number[]}
 */
export function axisTicks(trace, capacity) {
  const starts = lineStarts(trace.pieces);
  if (starts.length > 2) return starts;
  const step = Math.max(4, 2 ** Math.round(Math.log2(capacity / 8)));
  return Array.from({length: Math.ceil(trace.tokens / step)}, (_, i) => i * step);
}

/** @param {string[]} pieces @returns {number[]} the first position, and those after a line break that something follows */
export function lineStarts(pieces) {
  const starts = [0];
  pieces.forEach((piece, t) => { if (piece.includes('\n') && t + 1 < pieces.length && !pieces[t + 1].startsWith('\n')) starts.push(t + 1); });
  return starts;
}

/**
 * What an axis says at its ticks, where there is room: beside the map and below it.
 * @param {import('./wire.js').Trace} trace
 * @param {number} capacity
 * @param {number} cell
 * @param {number} size of the type, pixels
 * @returns {{ticks: number[], labels: {at: number, text: string, left: boolean, below: boolean}[], apart: number}} apart: from the map to the
 *   baseline of the axis' own name, which stands on its side, clear of the numbers
 */
export function axisLabels(trace, capacity, cell, size) {
  const ticks = axisTicks(trace, Math.round(capacity));
  let lastLeft = -100;
  let lastBelow = -100;
  let longest = 0;
  const labels = ticks.map((t) => {
    const at = t * cell;
    const text = String(t + trace.start);
    const left = at - lastLeft >= size + 2;
    const below = at > size && at - lastBelow >= 0.7 * size * text.length + 10;
    if (left) { lastLeft = at; longest = Math.max(longest, text.length); }
    if (below) lastBelow = at;
    return {at, text, left, below};
  });
  return {ticks, labels, apart: Math.max(22 + 2.1 * size, 15 + (DIGIT * longest + DESCENT) * size)};
}

/**
 * The first words of each line, where they fit beside the diagonal: not over each other, nor into the title.
 * @param {import('./wire.js').Trace} trace
 * @param {number[]} ticks
 * @param {number} cell
 * @param {number} side
 * @param {boolean} narrow
 * @param {number} size of the type, pixels
 * @returns {{t: number, text: string}[]}
 */
export function diagonalWords(trace, ticks, cell, side, narrow, size = 14) {
  const found = [];
  let last = -100;
  const title = narrow ? {left: side - 175, bottom: 135} : {left: side - 17 * size, bottom: 15 * size};
  for (const t of ticks) {
    const text = firstWords(trace.pieces.slice(t, t + 24).join(''));
    const y = t * cell;
    const right = y + size + 0.54 * size * text.length;
    if (!text || y - last < 1.5 * size || right > side - 4 || (right > title.left && y < title.bottom)) continue;
    found.push({t, text});
    last = t === 0 ? 0.6 * size : y; // the first one hangs a little lower
  }
  return found;
}

/** @param {string} text @returns {string} its first words, about ten letters of them, of its first line */
export function firstWords(text) {
  const line = text.split('\n')[0].replace(/[:;,.!?]+$/, '');
  let words = '';
  for (const word of line.split(' ')) {
    if (words && words.length + 1 + word.length > 10) break;
    words = words ? `${words} ${word}` : word;
  }
  return words.slice(0, 16).replace(/[:;,.!?]+$/, '');
}
