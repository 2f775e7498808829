/**
 * A model's card: the few forms of Markdown that such cards have, as text nodes. Nothing of it is ever markup: what has
 * another form stays as it was typed, and no address becomes a link.
 */
import {make} from '../dom.js';

/**
 * @typedef {{kind: 'heading', level: number, text: string} | {kind: 'paragraph', text: string} | {kind: 'code', text: string} | {kind: 'list', ordered: boolean, items: string[]}} Block
 */

const FENCE = /^ {0,3}(```|~~~)/;
const HEADING = /^(#{1,6})\s+(.*?)\s*#*$/;
const BULLET = /^ {0,3}[-*+]\s+(.*)$/;
const NUMBER = /^ {0,3}\d{1,4}[.)]\s+(.*)$/;
const INDENTED = /^ {4}/;

/** @param {string} text @returns {Block[]} */
export function blocks(text) {
  const lines = text.replace(/\r\n?/g, '\n').split('\n');
  /** @type {Block[]} */ const found = [];
  let i = 0;
  while (i < lines.length) {
    const line = lines[i];
    const heading = HEADING.exec(line);
    if (!line.trim()) {
      i += 1;
    } else if (FENCE.test(line)) {
      const fence = /** @type {RegExpExecArray} */ (FENCE.exec(line))[1];
      const end = lines.findIndex((one, at) => at > i && one.trimStart().startsWith(fence));
      const stop = end < 0 ? lines.length : end;
      found.push({kind: 'code', text: lines.slice(i + 1, stop).join('\n')});
      i = stop + 1;
    } else if (heading) {
      found.push({kind: 'heading', level: heading[1].length, text: heading[2]});
      i += 1;
    } else if (INDENTED.test(line)) {
      const start = i;
      while (i < lines.length && (INDENTED.test(lines[i]) || !lines[i].trim())) i += 1;
      found.push({kind: 'code', text: lines.slice(start, i).map((one) => one.slice(4)).join('\n').trimEnd()});
    } else if (BULLET.test(line) || NUMBER.test(line)) {
      const form = BULLET.test(line) ? BULLET : NUMBER;
      const items = [];
      while (i < lines.length && lines[i].trim() && !HEADING.test(lines[i]) && !FENCE.test(lines[i])) {
        const item = form.exec(lines[i]);
        if (item) items.push(item[1]); else if (items.length) items[items.length - 1] += ` ${lines[i].trim()}`;
        i += 1;
      }
      found.push({kind: 'list', ordered: form === NUMBER, items});
    } else {
      const start = i;
      while (i < lines.length && lines[i].trim() && !HEADING.test(lines[i]) && !FENCE.test(lines[i]) && !(i > start && BULLET.test(lines[i]))) i += 1;
      found.push({kind: 'paragraph', text: lines.slice(start, i).map((one) => one.trim()).join(' ')});
    }
  }
  return found;
}

/**
 * A line's parts: code between backticks, strong between two stars; the rest as it is.
 * @param {string} text
 * @returns {{kind: 'text' | 'code' | 'strong', text: string}[]}
 */
export function parts(text) {
  /** @type {{kind: 'text' | 'code' | 'strong', text: string}[]} */ const found = [];
  for (const piece of text.split(/(`[^`]+`|\*\*[^*]+\*\*)/)) {
    if (!piece) continue;
    if (piece.startsWith('`') && piece.length > 2 && piece.endsWith('`')) found.push({kind: 'code', text: piece.slice(1, -1)});
    else if (piece.startsWith('**') && piece.length > 4 && piece.endsWith('**')) found.push({kind: 'strong', text: piece.slice(2, -2)});
    else found.push({kind: 'text', text: piece});
  }
  return found;
}

/** @param {string} text @param {number} top the level of its highest heading on the page @returns {HTMLElement[]} */
export function cardElements(text, top = 3) {
  return blocks(text).map((block) => {
    if (block.kind === 'heading') return make(`h${Math.min(6, block.level + top - 1)}`, {}, ...inline(block.text));
    if (block.kind === 'code') return make('pre', {tabIndex: 0}, make('code', {}, block.text));
    if (block.kind === 'list') return make(block.ordered ? 'ol' : 'ul', {}, ...block.items.map((item) => make('li', {}, ...inline(item))));
    return make('p', {}, ...inline(block.text));
  });
}

function inline(text) {
  return parts(text).map((part) => (part.kind === 'text' ? part.text : make(part.kind, {}, part.text)));
}
