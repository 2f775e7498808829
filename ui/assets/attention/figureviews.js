/** What a figure shows in the map's place when another view is on screen: arcs, the row as bars, the lens. Pure: no DOM. */
import {strongestArcs} from './arcs.js';
import {axisTicks, firstWords} from './axes.js';
import {colour, letters} from '../common/colours.js';
import {round, sans, serif} from './figureink.js';
import {ladderSentence, layerName, shownOf, whereSaid} from './ladder.js';
import {strongestFirst} from './maps.js';
import {capacityFor} from './raster.js';
import {place} from '../common/scales.js';
import {number, percent, sign, signed} from '../common/words.js';

/** @typedef {import('./figureink.js').Sheet} Sheet */
/** @typedef {import('./figure.js').Scene} Scene */
/** @typedef {{x: number, y: number, w: number, h: number}} Room */

/** Below it an arc of the row that is looked from is not drawn. */
const FAINT = 0.02;
const ROWS_SHOWN = 12;
const MOST_SAID = 6;

/** @param {Sheet} sheet @param {Scene} scene @param {Room} room @param {any} inks @param {import('./figureink.js').Measure} measure */
export function drawArcs(sheet, scene, {x, y, w, h}, inks, measure) {
  const {trace, map, row, weights, ink} = scene;
  const capacity = capacityFor(trace.tokens, trace.blockSize);
  const step = w / capacity;
  const base = y + h - 44;
  const centre = (t) => x + (t + 0.5) * step;
  const reach = base - y - 8;
  const arc = (t, s, value, opacity) => {
    const width = Math.abs(value);
    const radius = Math.max((centre(t) - centre(s)) / 2, 1);
    sheet.path(`M${round(centre(s))},${round(base)} A${round(radius)},${round(Math.min(radius, reach))} 0 0 1 ${round(centre(t))},${round(base)}`, value < 0 ? inks.ochre : inks.blue, round(0.5 + 2 * width), {opacity: round(opacity)});
  };
  if (map) for (const {t, s, w: weight} of strongestArcs(map)) if (t !== row) arc(t, s, place(ink.scale, Math.abs(weight)) * weight, 0.28);
  weights.forEach((weight, s) => { if (Math.abs(weight) >= FAINT && s !== row) arc(row, s, weight, Math.min(1, 0.25 + Math.abs(weight))); });
  sheet.line(x, base, x + trace.tokens * step, base, inks.edge);
  if (step >= 7) {
    trace.pieces.forEach((piece, t) => sheet.text(centre(t), base + 18, sign(piece).slice(0, 3), serif(Math.min(18, step * 1.4)), inks.ink, {align: 'middle'}));
  } else {
    let free = 0;
    for (const t of axisTicks(trace, capacity)) {
      sheet.line(centre(t), base, centre(t), base + 6, inks.edge);
      const words = firstWords(trace.pieces.slice(t, t + 24).join(''));
      if (centre(t) < free) continue;
      sheet.text(centre(t) - 2, base + 20, words, sans(12), inks.ink3);
      free = centre(t) + measure(words, sans(12)) + 8;
    }
  }
  const here = inks.red;
  sheet.line(centre(row), base - 6, centre(row), base + 8, here, 1.5);
  sheet.text(centre(row), base + 38, sign(trace.pieces[row]), serif(18, {weight: 600}), here, {align: 'middle'});
}

/** The row as bars, and under them its strongest positions with their numbers. @param {Sheet} sheet @param {Scene} scene @param {Room} room @param {any} inks */
export function drawRowBars(sheet, scene, {x, y, w}, inks) {
  const {trace, row, weights, ink, exact, difference} = scene;
  const step = w / capacityFor(trace.tokens, trace.blockSize);
  const most = Math.max(1e-6, ...weights.map(Math.abs));
  const base = y + 210;
  weights.forEach((weight, s) => {
    const tall = place(ink.scale, Math.abs(weight), most) * 190;
    if (tall > 0.1) sheet.rect(x + s * step, base - tall, Math.max(1, step - (step > 4 ? 1 : 0)), tall, {fill: weight < 0 ? inks.ochre : inks.blue});
  });
  sheet.line(x, base, x + w, base, inks.edge);
  const order = strongestFirst(weights);
  let free = 0;
  for (const s of order.slice(0, 8).sort((a, b) => a - b)) {
    const at = x + (s + 0.5) * step;
    if (Math.abs(weights[s]) < 0.03 || at < free) continue;
    sheet.text(at, base + 18, sign(trace.pieces[s]), serif(16), inks.ink, {align: 'middle'});
    free = at + 14;
  }
  const here = x + (row + 0.5) * step;
  sheet.line(here, base - 8, here, base + 8, inks.red, 2);
  order.slice(0, ROWS_SHOWN).forEach((s, i) => {
    const line = base + 52 + 22 * i;
    const before = trace.pieces.slice(Math.max(0, s - 10), s).join('').split('\n').pop() ?? '';
    const after = trace.pieces.slice(s + 1, s + 11).join('').split('\n')[0];
    sheet.text(x + 40, line, String(s + trace.start), sans(14), inks.ink3, {align: 'end'});
    sheet.text(x + 190, line, before, serif(16), inks.ink3, {align: 'end'});
    sheet.text(x + 200, line, sign(trace.pieces[s]), serif(16, {weight: 600}), inks.ink, {align: 'middle'});
    sheet.text(x + 210, line, after, serif(16), inks.ink3);
    sheet.text(x + 420, line, difference ? signed(weights[s]) : exact ? weights[s].toFixed(4) : number(weights[s]), sans(14), inks.ink, {align: 'end'});
  });
}

/** Layers upward, what each would say at the position looked from. @param {Sheet} sheet @param {Scene} scene @param {Room} room @param {any} inks */
export function drawLens(sheet, scene, {x, y, w, h}, inks) {
  const {lens, ink: {dark}, trace, row, pinned} = scene;
  sheet.text(x, y + 14, 'What each layer would say', sans(14, {weight: 600}), inks.ink);
  sheet.text(x + 182, y + 14, whereSaid(trace, row, pinned), sans(14), inks.ink2);
  if (!lens) return;
  const [left, gap, least] = [x + 64, 4, 40];
  const high = Math.min(54, (h - 60) / lens.length);
  const size = Math.min(24, high * 0.5);
  lens.forEach((said, i) => {
    const top = y + 32 + high * (lens.length - 1 - i);
    const middle = top + (high - gap) / 2;
    sheet.text(x, middle + 5, layerName(i), sans(14), inks.ink2);
    const boxes = shownOf(said, MOST_SAID);
    const free = w - 64 - boxes.length * (least + gap);
    let at = left;
    for (const {text, p} of boxes) {
      const wide = least + p * free;
      const tint = Math.max(0.08, p);
      const fill = letters('ink', dark, tint);
      sheet.rect(at, top, wide, high - gap, {fill: colour('ink', dark, tint), radius: 2});
      sheet.text(at + (wide > 90 ? wide / 2 - 16 : wide / 2), middle + size * 0.33, sign(text).slice(0, Math.max(2, Math.floor(wide / size))), serif(size), fill, {align: 'middle'});
      if (wide > 90) sheet.text(at + wide - 10, middle + 5, percent(p), sans(14), fill, {align: 'end'});
      at += wide + gap;
    }
  });
  sheet.text(x, y + 56 + high * lens.length, ladderSentence(lens, trace.pieces[row + 1]), sans(14), inks.ink2);
}
