/** A text as a strip of characters: a box for each, spaces and line breaks visible, speakers as in a play. It knows nothing of what its boxes mean. */
import {make} from '../dom.js';
import {lines as linesOf} from '../play.js';
import {spoken} from './words.js';

/** @typedef {{x: number, y: number, width: number, height: number}} Place in the strip, pixels */

/** So that two strips on a page have no id in common. */
let count = 0;

/**
 * An empty strip. Its type is `--gl-strip-size`, smaller where a line is long, but never under `--gl-strip-least`;
 * both are multiples of `--gl-unit`. A red underscore stands where the text is written on.
 * @param {object} options
 * @param {string} options.label for whoever cannot see it
 * @param {string} [options.boxClass] of each box, beside `gl-box`
 * @param {boolean} [options.pickable] it is a list of which one character is chosen, and takes the focus; else a text to look at
 */
export function createStrip({label, boxClass = '', pickable = false}) {
  const name = `gl-strip-${++count}`;
  const classes = `gl-box ${boxClass}`.trim();
  const lines = make('div', {class: 'gl-strip-lines', role: pickable ? 'listbox' : 'group', 'aria-label': label});
  if (pickable) lines.tabIndex = 0;
  lines.append(newLine());
  const element = make('div', {class: 'gl-strip'}, lines);
  /** @type {string[]} */ let laid = [];

  const strip = {
    /** The strip; what lies over it may be appended. */
    element,
    /** What takes the focus where a character can be picked. */
    lines,
    /** What every box has as its class. */
    classes,
    /** For each position the boxes of its characters, one for each line it is on. @type {HTMLElement[][]} */ boxes: [],
    /** Where each position's first box stands; measured by `fit`, for asking makes the browser lay the page out. @type {Place[]} */ places: [],
    /** Right edge of the widest line. */ right: 0,

    /** Show a text. What it begins with alike stays as it is; the rest is laid anew. @param {string[]} pieces text of each position */
    lay(pieces) {
      let shared = 0;
      while (shared < Math.min(laid.length, pieces.length) && laid[shared] === pieces[shared]) shared++;
      while (strip.boxes.length > shared) removeLast();
      for (let t = shared; t < pieces.length; t++) append(pieces[t], t);
      laid = [...pieces];
      const found = linesOf(pieces.join(''));
      [...lines.children].forEach((line, i) => line.classList.toggle('gl-strip-speaker', found[i].speaker));
      strip.fit();
    },

    /** Choose the size and measure: needed after `lay` only where the room has changed. */
    fit() {
      fitSize();
      strip.places = strip.boxes.map(([first]) => (first ? {x: first.offsetLeft, y: first.offsetTop, width: first.offsetWidth, height: first.offsetHeight} : {x: 0, y: 0, width: 0, height: 0}));
      strip.right = Math.max(0, ...strip.places.map(({x, width}) => x + width));
    },

    /** @param {EventTarget | null} target @returns {number | null} the position whose box this is in */
    positionOf(target) {
      const box = /** @type {HTMLElement | null} */ (/** @type {Element | null} */ (target)?.closest?.('.gl-box') ?? null);
      return box && element.contains(box) ? Number(box.dataset.t) : null;
    },
  };

  function append(piece, t) {
    const parts = piece.split('\n');
    strip.boxes[t] = [];
    parts.forEach((part, i) => {
      const line = /** @type {HTMLElement} */ (lines.lastElementChild);
      const text = i < parts.length - 1 ? `${part}\n` : part;
      if (text !== '' || piece === '') {
        const box = boxOf(text, t);
        if (pickable) {
          box.id = `${name}-${t}-${text.endsWith('\n') ? 'n' : 'c'}`;
          box.setAttribute('role', 'option');
          box.setAttribute('aria-label', `${t}: ${spoken(text)}`);
        }
        strip.boxes[t].push(box);
        line.append(box);
      }
      if (i < parts.length - 1) lines.append(newLine());
    });
  }

  function removeLast() {
    for (const box of /** @type {HTMLElement[]} */ (strip.boxes.pop())) {
      if (box.dataset.breaks) lines.lastElementChild?.remove();
      box.remove();
    }
  }

  function boxOf(text, t) {
    const box = make('span', {class: classes});
    box.dataset.t = String(t);
    if (text.endsWith('\n')) box.dataset.breaks = '1';
    for (const part of text.match(/ +|\n|[^ \n]+/g) ?? []) {
      if (part[0] === ' ') box.append(...[...part].map(() => make('span', {class: 'gl-space'}, ' ')));
      else if (part === '\n') box.append(make('span', {class: 'gl-break'}, '¶'));
      else box.append(part);
    }
    return box;
  }

  /** The size at which the longest line fits, but never under the smallest: then lines are turned over at a word. */
  function fitSize() {
    const style = getComputedStyle(element);
    const unit = parseFloat(style.getPropertyValue('--gl-unit')) || 1;
    const usual = unit * (parseFloat(style.getPropertyValue('--gl-strip-size')) || 18);
    const least = unit * (parseFloat(style.getPropertyValue('--gl-strip-least')) || 15);
    element.style.fontSize = `${usual}px`;
    lines.classList.remove('gl-turned');
    const room = element.clientWidth - usual;
    if (room <= 0) return;
    let widest = 0;
    for (const line of lines.children) {
      const last = /** @type {HTMLElement | null} */ (line.lastElementChild);
      if (last) widest = Math.max(widest, last.offsetLeft + last.offsetWidth - /** @type {HTMLElement} */ (line).offsetLeft);
    }
    const size = Math.max(least, Math.min(usual, Math.floor((10 * usual * room) / Math.max(widest, 1)) / 10));
    element.style.fontSize = `${size}px`;
    lines.classList.toggle('gl-turned', (widest * size) / usual > room + 1);
  }

  return strip;
}

/** @typedef {ReturnType<typeof createStrip>} Strip */

function newLine() { return make('div', {class: 'gl-strip-line'}); }
