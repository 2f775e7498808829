/** A map as pixels. Pure: it fills memory, and knows no canvas. */
import {table} from '../common/colours.js';
import {place, placeSigned} from '../common/scales.js';

/**
 * @typedef {object} Ink
 * @property {import('../common/scales.js').ScaleName} scale
 * @property {import('../common/colours.js').MapName} colours
 * @property {boolean} dark
 * @property {boolean} [signed] rows are of a difference; a map says so itself
 */

const LUT_SIZE = 4097; // odd, so that a difference of 0 is the middle
/** @type {Map<string, Uint32Array>} */
const luts = new Map();

/** Colour of a weight w: entry round(w * 4096), or of a difference d: entry round((d + 1) / 2 * 4096). */
function lut(signed, {scale, colours, dark}) {
  const key = `${signed} ${scale} ${colours} ${dark}`;
  const known = luts.get(key);
  if (known) return known;
  const of = table(signed ? 'difference' : colours, dark);
  const made = Uint32Array.from({length: LUT_SIZE}, (_, i) => {
    const x = i / (LUT_SIZE - 1);
    return of[Math.round(255 * (signed ? placeSigned(scale, 2 * x - 1) : place(scale, x)))];
  });
  luts.set(key, made);
  return made;
}

/**
 * Paint a map into a square of pixels: position 0 at the left and top, `capacity` positions a side. Where several
 * cells fall on a pixel it shows the largest. What no row reaches stays transparent: zero is the page.
 * @param {Uint32Array} pixels side * side
 * @param {number} side
 * @param {number} capacity
 * @param {import('./maps.js').AttentionMap} map
 * @param {Ink} ink
 */
export function paint(pixels, side, capacity, map, ink) {
  pixels.fill(0);
  const colours = lut(map.signed, ink);
  const {values, tokens, signed} = map;
  const from = Int32Array.from({length: side}, (_, x) => Math.floor((x * capacity) / side));
  const to = Int32Array.from({length: side}, (_, x) => Math.max(Math.floor((x * capacity) / side) + 1, Math.ceil(((x + 1) * capacity) / side)));
  const best = new Float32Array(tokens);
  let painted = -1;
  for (let y = 0; y < side; y++) {
    const top = from[y];
    if (top >= tokens) break;
    const bottom = Math.min(to[y], tokens);
    if (painted >= 0 && from[painted] === top && to[painted] === to[y]) {
      pixels.copyWithin(y * side, painted * side, painted * side + side); // the same cells as the line above
      continue;
    }
    painted = y;
    best.fill(0, 0, bottom);
    for (let t = top; t < bottom; t++) {
      const at = (t * (t + 1)) / 2;
      let scale = 1;
      if (ink.scale === 'row' && !signed) {
        let most = 0;
        for (let s = 0; s <= t; s++) if (values[at + s] > most) most = values[at + s];
        scale = most > 0 ? 1 / most : 1;
      }
      for (let s = 0; s <= t; s++) {
        const value = values[at + s] * scale;
        if (signed ? Math.abs(value) > Math.abs(best[s]) : value > best[s]) best[s] = value;
      }
    }
    for (let x = 0; x < side && from[x] < bottom; x++) {
      const right = Math.min(to[x], bottom);
      let value = best[from[x]];
      for (let s = from[x] + 1; s < right; s++) {
        if (signed ? Math.abs(best[s]) > Math.abs(value) : best[s] > value) value = best[s];
      }
      pixels[y * side + x] = colours[Math.round((signed ? (value + 1) / 2 : value) * (LUT_SIZE - 1))];
    }
  }
}

/**
 * One row of a map as a line of pixels.
 * @param {Uint32Array} pixels
 * @param {number} capacity
 * @param {ArrayLike<number>} weights
 * @param {Ink} ink
 */
export function paintRow(pixels, capacity, weights, ink) {
  const side = pixels.length;
  const signed = ink.signed === true;
  const colours = lut(signed, ink);
  const most = ink.scale === 'row' && !signed ? Math.max(1e-6, ...weights) : 1;
  pixels.fill(0);
  for (let x = 0; x < side; x++) {
    const from = Math.floor((x * capacity) / side);
    const to = Math.min(weights.length, Math.max(from + 1, Math.ceil(((x + 1) * capacity) / side)));
    if (from >= weights.length) break;
    let value = 0;
    for (let s = from; s < to; s++) if (signed ? Math.abs(weights[s]) > Math.abs(value) : weights[s] > value) value = weights[s];
    pixels[x] = colours[Math.round((signed ? (value + 1) / 2 : value / most) * (LUT_SIZE - 1))];
  }
}

/**
 * A thumbnail of a trace that holds no rows, pooled by the server.
 * @param {Uint32Array} pixels side * side
 * @param {number} side
 * @param {import('./wire.js').Trace} trace
 * @param {number} layer
 * @param {number} head
 * @param {Ink} ink
 */
export function paintPooled(pixels, side, trace, layer, head, ink) {
  pixels.fill(0);
  const colours = lut(false, ink.scale === 'row' ? {...ink, scale: 'sqrt'} : ink);
  const from = (layer * trace.heads + head) * trace.side * trace.side;
  for (let y = 0; y < side; y++) {
    const v = Math.floor((y * trace.side) / side);
    for (let x = 0; x < side; x++) {
      const u = Math.floor((x * trace.side) / side);
      if (u > v) break;
      pixels[y * side + x] = colours[Math.round((trace.thumbnails[from + v * trace.side + u] / 255) ** 2 * (LUT_SIZE - 1))];
    }
  }
}

/** Sides, in positions, that a map's frame can have: a text grows into it, and while it does nothing moves. */
export const CAPACITIES = [32, 64, 96, 128, 160, 200, 256];

/** @param {number} tokens @param {number} blockSize @returns {number} the frame for so many positions */
export function capacityFor(tokens, blockSize) {
  const fits = CAPACITIES.find((c) => c >= tokens) ?? 128 * Math.ceil(tokens / 128);
  return Math.max(Math.min(fits, Math.max(blockSize, 1)), tokens);
}
