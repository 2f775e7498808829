/** The large map of a figure: cells, axes, the pinned row under it, and the words in its empty half. Pure: no DOM. */
import {axisLabels, diagonalWords} from './axes.js';
import {coloursOf, table} from '../common/colours.js';
import {breakLines, round, sans, serif} from './figureink.js';
import {strongest} from './maps.js';
import {capacityFor, paint, paintRow} from './raster.js';
import {SCALES, legendWords, placeOf, signedTicks, tick} from '../common/scales.js';
import {number, short, signed} from '../common/words.js';

export const SIDE = 600;
const ROW = 16;
/** What stands below a map: its row, numbers, a name. */
export const BELOW = ROW + 44;

/**
 * @param {import('./figureink.js').Sheet} sheet
 * @param {import('./figure.js').Scene} scene
 * @param {{x: number, y: number}} at left and top of the cells
 * @param {any} inks
 * @param {import('./figureink.js').Measure} measure
 * @param {number} scale device pixels a unit: cells thinner than a unit are drawn by their maximum
 */
export function drawMap(sheet, scene, at, inks, measure, scale) {
  const {trace, map, ink} = scene;
  const capacity = capacityFor(trace.tokens, trace.blockSize);
  const whole = Math.floor(SIDE / capacity);
  const side = whole >= 3 ? whole * capacity : SIDE;
  const cell = side / capacity;
  if (map) {
    // One pixel a cell where it is enlarged by a whole number; else as many as the picture has.
    const pixels = whole >= 3 ? capacity : Math.round(side * scale);
    const square = new Uint32Array(pixels * pixels);
    paint(square, pixels, capacity, map, ink);
    sheet.image(at.x, at.y, side, side, square, pixels, pixels);
  }
  drawAxes(sheet, scene, at, side, cell, inks);
  drawRow(sheet, scene, at, side, cell, capacity, inks, measure);
}

function drawAxes(sheet, {trace}, {x, y}, side, cell, inks) {
  const {ticks, labels, apart} = axisLabels(trace, side / cell, cell, 12);
  for (const {at} of labels) {
    if (at > 0) {
      sheet.line(x, y + at, x + at, y + at, inks.ink, 1, {opacity: 0.1});
      sheet.line(x + at, y + at, x + at, y + trace.tokens * cell, inks.ink, 1, {opacity: 0.1});
    }
    sheet.line(x - 6, y + at, x, y + at, inks.edge);
    sheet.line(x + at, y + side + ROW + 2, x + at, y + side + ROW + 8, inks.edge);
  }
  for (const {at, text, left, below} of labels) {
    if (left) sheet.text(x - 10, y + at + 4, text, sans(12), inks.ink3, {align: 'end'});
    if (below) sheet.text(x + at, y + side + ROW + 24, text, sans(12), inks.ink3, {align: 'middle'});
  }
  const middle = Math.min(side * 0.56, (trace.tokens * cell) / 2 + 20);
  sheet.text(x - apart, y + middle, 'the character that looks', sans(12), inks.ink2, {align: 'middle', rotate: -90});
  sheet.text(x + side / 2, y + side + ROW + 42, 'what it looks at', sans(12), inks.ink2, {align: 'middle'});
  for (const {t, text} of diagonalWords(trace, ticks, cell, side, false)) {
    sheet.text(x + t * cell + cell + 12, y + t * cell + 5 + (t === 0 ? 8 : 0), text, serif(14, {italic: true}), inks.ink2);
  }
}

/** The row that is looked from, outlined in the map and drawn again under it; its strongest cell has a tag. */
function drawRow(sheet, scene, {x, y}, side, cell, capacity, inks, measure) {
  const {trace, row, weights, ink} = scene;
  const outline = inks.red;
  const pixels = new Uint32Array(capacity);
  paintRow(pixels, capacity, weights, ink);
  sheet.image(x, y + side, side, ROW, pixels, capacity, 1);
  const top = y + row * cell;
  const high = Math.max(cell, 3);
  const end = x + Math.min(side, (row + 1) * cell);
  const style = {stroke: outline, width: 1.5};
  if (top + high < y + side - 4) {
    sheet.rect(x - 1, top - 1, end - x + 2, high + 2, style);
    sheet.rect(x - 1, y + side + 1, side + 2, ROW, style);
    sheet.line(end, top + high + 1, end, y + side + 1, outline, 1, {opacity: 0.5});
  } else {
    sheet.rect(x - 1, top - 1, side + 2, y + side + ROW + 1 - top + 1, style);
  }
  const column = strongest(weights);
  const middle = x + (column + 0.5) * cell;
  sheet.line(middle, y + column * cell, middle, y + side + ROW, outline, 1, {dash: [2, 2]});
  sheet.text(x + side + 8, y + side + 13, short(trace.pieces[row]), serif(18), outline);
  drawTag(sheet, scene, column, middle, {x, y, side, end, top}, outline, inks, measure);
}

/** To the right of the column, above the row; to its left where there is no room. */
function drawTag(sheet, {trace, weights, difference}, column, middle, {x, y, side, end, top}, outline, inks, measure) {
  const letter = short(trace.pieces[column]);
  const value = (difference ? signed : number)(weights[column] ?? 0);
  const wide = measure(letter, serif(18)) + measure(value, sans(15)) + 30;
  const left = middle + 8 + wide > Math.max(end, x + side * 0.72) && middle - 8 - wide > x ? middle - 8 - wide : Math.min(middle + 8, x + side - wide);
  const above = Math.max(y, Math.min(top, y + side) - 36);
  sheet.rect(left, above, wide, 28, {fill: inks.page, stroke: outline, width: 1.5, radius: 3});
  sheet.text(left + 10, above + 20, letter, serif(18), outline);
  sheet.text(left + wide - 10, above + 19, value, sans(15), inks.ink, {align: 'end'});
}

/**
 * Head, role, what it does, and the legend: right-aligned in the half that a causal map leaves empty.
 * @param {import('./figureink.js').Sheet} sheet
 * @param {import('./figure.js').Scene} scene
 * @param {number} right
 * @param {number} y top
 * @param {any} inks
 * @param {import('./figureink.js').Measure} measure
 */
export function drawTitle(sheet, scene, right, y, inks, measure) {
  const {name, role, says, off} = scene.words;
  const end = {align: /** @type {'end'} */ ('end')};
  sheet.text(right, y + 26, name, serif(34), off ? inks.ink3 : inks.ink, {...end, strike: off});
  sheet.text(right, y + 55, role, sans(15, {weight: 600}), inks.ink, {...end, strike: off});
  const lines = breakLines([{text: says}], sans(14), 240, measure);
  lines.forEach((line, i) => sheet.text(right, y + 77 + 20 * i, line.map((w) => w.text).join('').trimEnd(), sans(14), inks.ink2, end));
  const [wide, high] = [164, 8];
  const top = y + 96 + 20 * lines.length;
  const {scale, dark} = scene.ink;
  sheet.image(right - wide, top, wide, high, table(coloursOf(scene.ink), dark), 256, 1);
  sheet.rect(right - wide, top, wide, high, {stroke: inks.edge, width: 1});
  const marks = scene.difference ? signedTicks(scale) : SCALES[scale].ticks.map((value) => ({value, text: tick(value)}));
  marks.forEach(({value, text}, i) => {
    const at = placeOf(scene.ink, value);
    const align = i === 0 ? 'start' : i === marks.length - 1 ? 'end' : 'middle';
    sheet.text(round(right - wide + at * wide), top + high + 14, text, sans(12), inks.ink2, {align});
  });
  sheet.text(right, top + high + 31, legendWords(scale, {hideFirst: scene.state.hideFirst, difference: scene.difference !== null}), sans(12), inks.ink2, end);
}
