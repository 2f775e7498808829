/** What stands beside a figure's map: the next character, and all heads. Pure: no DOM. */
import {sans, serif} from './figureink.js';
import {mapOf, withoutFirst} from './maps.js';
import {capacityFor, paint, paintPooled} from './raster.js';
import {barName, barNumber, barsOf} from '../common/bars.js';
import {headName, headNumbers, number} from '../common/words.js';

/** @typedef {import('./figureink.js').Sheet} Sheet */
/** @typedef {import('./figure.js').Scene} Scene */

const BARS = 5;
const TEXT_FROM = 60;
const MOST = 66;

/** Height of the next character's bars. @param {Scene} scene */
export function barsHeight({next}) { return next ? 36 + (BARS + 1) * 27 + (next.after ? 30 : 0) : 0; }

/** @param {Sheet} sheet @param {Scene} scene @param {{x: number, y: number, w: number}} at @param {any} inks */
export function drawNext(sheet, {next, trace}, {x, y, w}, inks) {
  if (!next) return;
  const bars = barsOf(next, BARS);
  sheet.text(x, y + 14, 'Next character', sans(15, {weight: 600}), inks.ink);
  const [left, full] = [x + 76, w - 76 - 70];
  const single = next.offOnly ? inks.ochre : inks.blue;
  const top = y + 32;
  sheet.line(left, top, left, top + 27 * bars.length, inks.edge);
  bars.forEach((bar, i) => {
    const {p, after, least, leastAfter} = bar;
    const line = top + 27 * i;
    const words = barName(bar);
    const paired = after !== undefined;
    sheet.text(left - 12, line + 18, words, serif(words.length > 2 ? 16 : 18), inks.ink, {align: 'end'});
    sheet.rect(left, line + (paired ? 3 : 7), Math.max(0.5, (p ?? 0) * full), paired ? 10 : 13, {fill: single});
    const numbers = sans(paired ? 12 : 14, {weight: i === 0 ? 600 : 400});
    sheet.text(x + w, line + (paired ? 12 : 18), barNumber(p, least), numbers, i === 0 ? inks.ink : inks.ink2, {align: 'end'});
    if (!paired) return;
    sheet.rect(left, line + 14, Math.max(0.5, (after ?? 0) * full), 10, {fill: inks.ochre});
    sheet.text(x + w, line + 24, barNumber(after, leastAfter), sans(12), inks.ochre, {align: 'end'});
  });
  if (!trace.silenced.length) return;
  const line = top + 27 * bars.length + 18;
  const keys = [...(next.after ? [['all heads', inks.blue]] : []), [`${headNumbers(trace.silenced)} silenced`, inks.ochre]];
  keys.forEach(([words, fill], i) => {
    sheet.rect(left + 96 * i, line - 9, 16, 10, {fill});
    sheet.text(left + 96 * i + 23, line, words, sans(13), inks.ink2);
  });
}

/** @param {Sheet} sheet @param {Scene} scene @param {{x: number, y: number, w: number}} at @param {any} inks @param {number} scale @returns {number} where it ends */
export function drawHeads(sheet, scene, {x, y, w}, inks, scale) {
  const {trace, state} = scene;
  const gap = trace.heads > 6 ? 4 : 9;
  const side = Math.floor(Math.min(MOST, (w - gap * (trace.heads - 1)) / trace.heads));
  sheet.text(x, y - 14, 'All heads', sans(14, {weight: 600}), inks.ink);
  sheet.text(x + 72, y - 14, 'one row a layer', sans(13), inks.ink2);
  const off = new Set(state.silenced.map(([l, h]) => headName(l, h)));
  for (let layer = 0; layer < trace.layers; layer++) {
    for (let head = 0; head < trace.heads; head++) {
      const at = {x: x + head * (side + gap), y: y + layer * (side + gap), side};
      drawThumbnail(sheet, scene, layer, head, at, off.has(headName(layer, head)), inks, scale);
    }
  }
  return y + trace.layers * (side + gap);
}

function drawThumbnail(sheet, scene, layer, head, {x, y, side}, off, inks, scale) {
  const {trace, state, ink} = scene;
  const pixels = Math.max(1, Math.round(side * scale));
  const square = new Uint32Array(pixels * pixels);
  if (trace.side) {
    paintPooled(square, pixels, trace, layer, head, ink);
  } else {
    const map = mapOf(trace, {average: 'head', layer, head});
    paint(square, pixels, capacityFor(trace.tokens, trace.blockSize), state.hideFirst ? withoutFirst(map) : map, ink);
  }
  sheet.image(x, y, side, side, square, pixels, pixels, off ? {opacity: 0.16} : {});
  sheet.path(`M${x},${y} L${x},${y + side} L${x + side},${y + side}`, inks.rule, 1);
  if (off) sheet.rect(x, y, side, side, {stroke: inks.ochre, width: 1.5, dash: [4, 3]});
  if (state.average === 'head' && layer === state.layer && head === state.head) sheet.rect(x - 3, y - 3, side + 6, side + 6, {stroke: inks.red, width: 2});
  const role = trace.roles[layer]?.[head];
  if (side < TEXT_FROM || !role) return;
  const end = {align: /** @type {'end'} */ ('end'), strike: off};
  sheet.text(x + side - 1, y + 10, role.short, sans(12), inks.ink2, end);
  if (role.role !== 'mixed') sheet.text(x + side - 1, y + 24, number(role.score), sans(12), inks.ink2, end);
  if (off) sheet.text(x + 6, y + side - 8, 'silenced', sans(12, {weight: 600}), inks.ochre);
}
