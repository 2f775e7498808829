/** The numbers behind the picture, as CSV and JSON with labels, and names of files. Pure: no DOM. */
import {rowOf} from './maps.js';
import {rowStart} from './wire.js';
import {shownName} from '../common/ownmodels.js';
import {DIFFERENCES, title} from '../common/words.js';

/** Each weight in the CSV is rounded to what a byte of the trace can say, and a little more. */
const PLACES = 6;

/**
 * The map that is shown, or the difference: a line for each pair of positions, the lower triangle, as RFC 4180 writes it.
 * @param {import('./figure.js').Scene} scene
 * @returns {string}
 */
export function toCSV({map, trace, difference}) {
  const lines = [`row,row piece,column,column piece,${difference ? 'difference' : 'weight'}`];
  for (let t = 0; map && t < map.tokens; t++) {
    const row = rowOf(map, t);
    for (let s = 0; s <= t; s++) {
      lines.push([t + trace.start, cell(trace.pieces[t]), s + trace.start, cell(trace.pieces[s]), trim(row[s])].join(','));
    }
  }
  return `${lines.join('\r\n')}\r\n`;
}

/**
 * A text as a cell. What a spreadsheet would take for a formula is led by an apostrophe; a quote, a comma, a break or a
 * space at an end puts it in quotes.
 * @param {string} text
 */
export function cell(text) {
  const safe = /^[\s\0-\x1F]*[=+\-@|%]/.test(text) || /^[\t\r\n]/.test(text) ? `'${text}` : text;
  return /[",\r\n]|^\s|\s$|^'/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/**
 * @param {import('./figure.js').Scene} scene
 * @param {(position: number, layer: number, head: number) => Float32Array | null} exact
 * @returns {string}
 */
export function toJSON(scene, exact) {
  const {state, trace, map, row, weights, selection, lens, next, sentence, difference} = scene;
  const heads = Array.from({length: trace.side ? 0 : trace.layers * trace.heads}, (_, i) => {
    const [layer, head] = [Math.floor(i / trace.heads), i % trace.heads];
    const known = exact(row, layer, head);
    return {layer, head, exact: known !== null, weights: numbers(known ?? roundedRow(trace, row, layer, head))};
  });
  const document = {
    format: 'gpt-letter-by-letter attention', version: 1,
    model: shownName(trace.model), checkpoint: trace.id, sentence: sentence.map((part) => part.text).join(''), state,
    window: {start: trace.start, tokens: trace.tokens, block_size: trace.blockSize}, pieces: trace.pieces, ids: trace.ids, loss_bits: trace.loss,
    map: map && {of: title(selection), minus: difference && DIFFERENCES[difference].from, weights: Array.from({length: map.tokens}, (_, t) => numbers(rowOf(map, t)))},
    row: {position: row + trace.start, exact: scene.exact, weights: numbers(weights), heads},
    roles: trace.roles.map((layer) => layer.map(({role, words, score, scores}) => ({role, words, score, scores}))),
    lens, next: next && {all_heads: next.offOnly ? null : next.before, silenced: next.offOnly ? next.before : next.after},
  };
  return `${JSON.stringify(document)}\n`;
}

/** @param {string[]} parts @param {string} extension @returns {string} "attention-shakespeare-head-5.2.png": nothing in it that a disk refuses */
export function fileName(parts, extension) {
  const safe = parts.map(shownName).join('-').normalize('NFKD').replace(/[^\w.-]+/g, '-').replace(/-{2,}/g, '-').replace(/\.{2,}/g, '.').replace(/^[-.]+|[-.]+$/g, '').slice(0, 100);
  return `${(safe || 'attention').toLowerCase()}.${extension}`;
}

/** @param {import('./figure.js').Scene} scene @param {string} extension */
export function sceneFileName({trace, selection, difference}, extension) {
  return fileName(['attention', trace.model, title(selection).toLowerCase(), ...(difference ? ['minus', DIFFERENCES[difference].from] : [])], extension);
}

/** A row of one head as the trace has it, in bytes. */
function roundedRow(trace, t, layer, head) {
  const from = rowStart(trace, t) + (layer * trace.heads + head) * (t + 1);
  return Float32Array.from(trace.rows.subarray(from, from + t + 1), (b) => (b / 255) ** 2);
}

function numbers(values) { return Array.from(values, trim); }
function trim(value) { return Number(value.toFixed(PLACES)); }
