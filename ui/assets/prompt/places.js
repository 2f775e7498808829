/** Where each character of the text stands on the screen, measured line by line and kept until the line is another. */
import {rowAt} from './sheet.js';

/**
 * @typedef {object} Boxes of the characters of a line and of its line break, relative to the line's row
 * @property {Float32Array} x
 * @property {Float32Array} y
 * @property {Float32Array} w
 * @property {number} h
 */

/** @typedef {{x: number, y: number, w: number, h: number}} Box */

/** A line break has no width of its own. In heights of a letter. */
const BREAK_WIDE = 0.3;
/** How far beside a line's end the pointer still means its last character. */
const NEAR = 14;

/** @param {HTMLElement} play @param {{rows: import('./sheet.js').Row[]}} sheet */
export function createPlaces(play, sheet) {
  /** @type {WeakMap<HTMLElement, Boxes>} */ let known = new WeakMap();
  const range = document.createRange();

  /** @param {number} i @returns {Boxes} */
  function boxes(i) {
    const {element, verse, line, last} = sheet.rows[i];
    const found = known.get(element);
    if (found && found.x.length === line.text.length + (last ? 0 : 1)) return found;
    const measured = measure(element, verse, line.text.length, last);
    known.set(element, measured);
    return measured;
  }

  function measure(element, verse, length, last) {
    const origin = element.getBoundingClientRect();
    const size = length + (last ? 0 : 1);
    const box = {x: new Float32Array(size), y: new Float32Array(size), w: new Float32Array(size), h: 0};
    const walker = document.createTreeWalker(verse, NodeFilter.SHOW_TEXT);
    let at = 0;
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const {length: count} = /** @type {Text} */ (node);
      for (let i = 0; i < count && at < length; i++, at++) {
        range.setStart(node, i);
        range.setEnd(node, i + 1);
        const rects = range.getClientRects();
        const rect = rects[rects.length - 1];
        if (!rect) continue;
        box.x[at] = rect.left - origin.left;
        box.y[at] = rect.top - origin.top;
        box.w[at] = rect.width;
        box.h = rect.height;
      }
    }
    if (!last) {
      const style = getComputedStyle(verse);
      const line = parseFloat(style.lineHeight) || 40;
      if (!box.h) box.h = parseFloat(style.fontSize) * 1.3;
      const before = length - 1;
      box.x[length] = length ? box.x[before] + box.w[before] : verse.getBoundingClientRect().left - origin.left;
      box.y[length] = length ? box.y[before] : verse.getBoundingClientRect().top - origin.top + (line - box.h) / 2;
      box.w[length] = BREAK_WIDE * box.h;
    }
    return box;
  }

  /** @param {number} offset @returns {Box | null} relative to the play */
  function boxAt(offset) {
    const i = rowAt(sheet.rows, offset);
    const row = sheet.rows[i];
    if (!row) return null;
    const found = boxes(i);
    const at = offset - row.line.start;
    if (at < 0 || at >= found.x.length) return null;
    return {x: found.x[at] + row.element.offsetLeft, y: found.y[at] + row.element.offsetTop, w: found.w[at], h: found.h};
  }

  /**
   * A passage as boxes, one for each line on the screen that it touches.
   * @param {number} from @param {number} to @returns {Box[]}
   */
  function boxesOf(from, to) {
    /** @type {Box[]} */ const found = [];
    for (let offset = from; offset < to; offset++) {
      const box = boxAt(offset);
      if (!box) continue;
      const last = found[found.length - 1];
      if (last && Math.abs(last.y - box.y) < 1 && box.x >= last.x) last.w = box.x + box.w - last.x; else found.push(box);
    }
    return found;
  }

  /** @param {number} x @param {number} y in the window @returns {number | null} the character there */
  function offsetAt(x, y) {
    const origin = play.getBoundingClientRect();
    const {rows} = sheet;
    let low = 0;
    let high = rows.length - 1;
    while (low < high) { // the last row that begins above
      const middle = (low + high + 1) >> 1;
      if (rows[middle].element.offsetTop <= y - origin.top) low = middle; else high = middle - 1;
    }
    const row = rows[low];
    if (!row) return null;
    const here = row.element.getBoundingClientRect();
    if (y < here.top || y > here.bottom) return null;
    const found = boxes(low);
    let best = -1;
    let least = Infinity;
    const half = lineHeight(row.verse) / 2;
    for (let i = 0; i < found.x.length; i++) {
      if (Math.abs(here.top + found.y[i] + found.h / 2 - y) > half) continue;
      const left = here.left + found.x[i];
      const away = Math.max(left - x, x - (left + found.w[i]), 0);
      if (away < least) { least = away; best = i; }
    }
    return best < 0 || least > NEAR ? null : row.line.start + best;
  }

  /** The same place in the line above or below. @param {number} offset @param {1 | -1} way */
  function beside(offset, way) {
    const from = boxAt(offset);
    if (!from) return null;
    const origin = play.getBoundingClientRect();
    const row = sheet.rows[rowAt(sheet.rows, offset)];
    const high = lineHeight(row.verse);
    for (let step = 1; step <= 3; step++) { // past empty lines too
      const y = origin.top + from.y + from.h / 2 + way * step * high;
      for (const x of [from.x + from.w / 2, ...reach(y - origin.top)]) {
        const found = offsetAt(origin.left + x, y);
        if (found !== null && found !== offset) return found;
      }
    }
    return null;
  }

  /** Where the line at this height ends, for one that is shorter. */
  function reach(y) {
    const i = sheet.rows.findIndex(({element}) => element.offsetTop <= y && y < element.offsetTop + element.offsetHeight);
    if (i < 0) return [];
    const found = boxes(i);
    const high = lineHeight(sheet.rows[i].verse) / 2;
    let far = -1;
    for (let k = 0; k < found.x.length; k++) {
      if (Math.abs(sheet.rows[i].element.offsetTop + found.y[k] + found.h / 2 - y) <= high) far = Math.max(far, found.x[k] + found.w[k] / 2);
    }
    return far < 0 ? [] : [far + sheet.rows[i].element.offsetLeft];
  }

  return {boxes, boxAt, boxesOf, offsetAt, beside, /** The width has changed, or the type. */ forget() { known = new WeakMap(); }};
}

function lineHeight(verse) { return parseFloat(getComputedStyle(verse).lineHeight) || 40; }
