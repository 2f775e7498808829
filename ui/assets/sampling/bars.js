/** Belief rises in blue, what is left falls in ochre, on one scale. Paints; knows no state. */

const TOP = 22;
const BOTTOM = 34;
const TICK = 2;
/** A line of letters, and from it to the next where narrow columns need several. */
const LETTERS = 26;
export const STAGGER = 16;
/** Tokens that are words stand upright: so high, and in columns that are no narrower. */
const WORDS = 92;
const WORD = 11;
const GAP = 2;
/** Wide enough for a letter, and for one that stands on a line with every fourth alone. */
const LETTER = 12;
const LEAST = 4;

/** @param {number} columnWidth @param {boolean} [words] tokens may be words @returns {number} lines that the letters need so that none stands on another; 0: there is no room for them */
export function letterLines(columnWidth, words = false) {
  if (words) return Number(columnWidth >= WORD);
  if (columnWidth >= LETTER) return 1;
  return columnWidth >= LEAST ? Math.ceil(LETTER / columnWidth) : 0;
}

/** Where things stand, from the top. @param {number} lines of letters @param {number} room for the bars on each side @param {boolean} [words] */
export function heights(lines, room, words = false) {
  const letters = words && lines ? WORDS : LETTERS + Math.max(0, lines - 1) * STAGGER;
  const axis = TOP + room;
  return {top: TOP, axis, letters, below: axis + letters, height: axis + letters + room + BOTTOM};
}

/**
 * @param {CanvasRenderingContext2D} context cleared, in CSS pixels
 * @param {object} bars
 * @param {(column: number) => number} bars.edge left edge of a column
 * @param {Float64Array} bars.belief share of each column
 * @param {Float64Array} bars.left
 * @param {Float64Array | null} bars.rolls share of each column in a thousand rolls
 * @param {number[]} bars.counts the same in numbers
 * @param {number} bars.ceiling the share that fills the room
 * @param {number} bars.axis foot of the upper bars
 * @param {number} bars.below top of the lower ones
 * @param {number} bars.room
 * @param {import('./inks.js').Inks} inks
 */
export function paintBars(context, {edge, belief, left, rolls, counts, ceiling, axis, below, room}, inks) {
  const high = (share) => (share <= 0 ? 0 : Math.max(1, Math.round((Math.min(share, ceiling) / ceiling) * room)));
  const count = belief.length;
  const places = Array.from({length: count}, (_, i) => {
    const x = edge(i);
    const wide = edge(i + 1) - x;
    return {x, width: Math.max(1, wide - (wide > 6 ? GAP : 1))};
  });
  context.fillStyle = inks.blue;
  places.forEach(({x, width}, i) => context.fillRect(x, axis - high(belief[i]), width, high(belief[i])));
  context.fillStyle = inks.ochre;
  places.forEach(({x, width}, i) => context.fillRect(x, below, width, high(left[i])));
  if (!rolls) return;
  context.fillStyle = inks.ink;
  context.font = `12px ${inks.sans}`;
  context.textBaseline = 'middle';
  context.textAlign = 'right';
  places.forEach(({x, width}, i) => {
    if (!counts[i]) return;
    const y = below + high(rolls[i]) - TICK / 2;
    context.fillRect(x - 1, y, width + 2, TICK);
    if (width < 10) return;
    context.save(); // a number stands upright under its tick: it is wider than the column
    context.translate(x + width / 2 + 0.5, Math.max(y + TICK, below + high(left[i])) + 4);
    context.rotate(-Math.PI / 2);
    context.fillText(String(counts[i]), 0, 0);
    context.restore();
  });
}
