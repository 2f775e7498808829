/** Text of a play in short pieces, some of them marked: names of speakers as a play has them, lines kept. */
import {make} from '../dom.js';
import {lines} from '../play.js';

/**
 * @param {{text: string, class?: string}[]} parts of one text, in order
 * @returns {HTMLElement[]} an element a line; text only as text nodes
 */
export function verse(parts) {
  const whole = parts.map((part) => part.text).join('');
  /** @type {HTMLElement[]} */ const rows = lines(whole).map((line) => make('div', {class: `ge-verse-line${line.speaker ? ' ge-verse-speaker' : ''}`}));
  let row = 0;
  for (const part of parts) {
    part.text.split('\n').forEach((text, i) => {
      if (i > 0) {
        // A marked line break is seen as a sign.
        if (part.class?.includes('ge-differs')) rows[row].append(make('span', {class: part.class}, '¶'));
        row++;
      }
      if (text) rows[row].append(part.class ? make('span', {class: part.class}, text) : text);
    });
  }
  return rows;
}

/** @param {string} text @returns {string} what a continuation goes on from */
export function lastLine(text) {
  return text.slice(text.lastIndexOf('\n') + 1);
}

/** @param {string} a @param {string} b @returns {number} characters that both begin with */
export function shared(a, b) {
  const [x, y] = [[...a], [...b]];
  let n = 0;
  while (n < x.length && n < y.length && x[n] === y[n]) n++;
  return x.slice(0, n).join('').length;
}
