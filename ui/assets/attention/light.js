/** What a text is lit up by: how strongly each character is looked at, as a box and as an arc. On screen and in a picture the same. Pure: no DOM. */
import {colour, coloursOf, letters} from '../common/colours.js';
import {placeOf} from '../common/scales.js';

/** Weights above this much of the scale fill the box, if they are not next to nothing. */
const FILLED = 0.1;
const NOTHING = 0.004;
/** An arc is drawn to weights of at least this. */
const ARC = 0.1;
/** So near on one line the boxes say it. */
const NEAR = 3;

/** @typedef {{x: number, y: number, width: number, height: number}} Place */

/**
 * @param {Iterable<number> & {forEach: Function}} weights of one row
 * @param {import('./raster.js').Ink} ink
 * @returns {Map<number, {box: string, letter: string}>} colours of the positions that are looked at
 */
export function lights(weights, ink) {
  const found = new Map();
  const most = Math.max(1e-6, ...weights);
  const colours = coloursOf(ink);
  weights.forEach((w, s) => {
    const x = placeOf(ink, w, most);
    const large = ink.signed ? Math.abs(2 * x - 1) : x;
    if (large >= FILLED && Math.abs(w) > NOTHING) found.set(s, {box: colour(colours, ink.dark, x), letter: letters(colours, ink.dark, x)});
  });
  return found;
}

/**
 * Arcs from a position to what it looks at.
 * @param {number} row
 * @param {{forEach: Function}} weights of that row
 * @param {(position: number) => Place | null | undefined} placeOf
 * @param {number} right edge that no arc passes
 * @returns {{d: string, width: number, opacity: number}[]}
 */
export function arcsOf(row, weights, placeOf, right) {
  /** @type {{d: string, width: number, opacity: number}[]} */ const found = [];
  const from = placeOf(row);
  if (!from) return found;
  weights.forEach((w, s) => {
    const to = w >= ARC && s !== row ? placeOf(s) : null;
    if (!to || (row - s < NEAR && to.y === from.y)) return;
    found.push({d: curve(from, to, right), width: round(0.75 + 1.75 * w), opacity: round(0.35 + 0.65 * w)});
  });
  return found;
}

/** Over the line where both are on one, else through the white to the right. @param {Place} a @param {Place} b @param {number} right */
function curve(a, b, right) {
  const to = b.x + b.width / 2;
  if (a.y === b.y) {
    const from = a.x + a.width / 2;
    return path([from, a.y], [from, a.y - 14], [to, a.y - 14], [to, b.y]);
  }
  const from = a.x + a.width + 1;
  const middle = a.y + a.height / 2;
  const bottom = b.y + b.height;
  const out = Math.min(right, Math.max(from, to) + 40 + Math.abs(from - to) / 4);
  return path([from, middle], [out, middle - 6], [to, (middle + bottom) / 2], [to, bottom]);
}

function path(...points) {
  const [first, ...rest] = points.map((point) => point.map(round).join(','));
  return `M${first} C${rest.join(' ')}`;
}

function round(value) { return Math.round(value * 100) / 100; }
