/** The sentence and the strip of text, as a figure has them. Pure: no DOM. */
import {breakLines, serif} from './figureink.js';
import {arcsOf, lights} from './light.js';

/** Type sizes and lines of the strip: the first in which the text is no taller than its room. */
const SIZES = [[18, 31], [16, 26], [14, 22], [12, 18]];

/**
 * @param {import('./figureink.js').Sheet} sheet
 * @param {{text: string, mark?: boolean}[]} sentence
 * @param {number} x
 * @param {number} y top
 * @param {number} width
 * @param {any} inks
 * @param {import('./figureink.js').Measure} measure
 * @returns {number} where it ends
 */
export function drawSentence(sheet, sentence, x, y, width, inks, measure) {
  const font = serif(22);
  const lines = breakLines(sentence, font, width, measure).filter((line) => line.length);
  lines.forEach((line, i) => {
    const base = y + 22 + 30 * i;
    const runs = joined(line, font, measure);
    sheet.runs(base, runs.map((run) => ({x: x + run.x, w: run.w, text: run.text})), font, inks.ink, false);
    for (const run of runs.filter((one) => one.mark)) sheet.line(x + run.x, base + 6, x + run.x + measure(run.text.trimEnd(), font), base + 6, inks.red, 2);
  });
  return y + 30 * Math.max(2, lines.length); // room for two, as on the page: nothing jumps between the steps of a film
}

/** Words of a line that follow each other and are marked alike, as one run. */
function joined(line, font, measure) {
  /** @type {{x: number, w: number, text: string, mark: boolean}[]} */ const runs = [];
  for (const word of line) {
    const last = runs.at(-1);
    if (last && last.mark === word.mark) last.text += word.text;
    else runs.push({...word, x: last ? last.x + measure(last.text, font) : word.x});
  }
  return runs.map((run) => ({...run, w: measure(run.text, font)}));
}

/**
 * @typedef {object} Placed a character of the strip
 * @property {number} position of its piece
 * @property {string} character
 * @property {number} line
 * @property {number} x
 * @property {number} w
 */

/**
 * Where each character of the strip stands. Lines are turned over at a word, and what is turned over hangs.
 * @param {string[]} pieces
 * @param {number} width
 * @param {import('./figureink.js').Font} font
 * @param {import('./figureink.js').Measure} measure
 * @returns {Placed[]}
 */
export function layStrip(pieces, width, font, measure) {
  const wide = remembered((character) => measure(character === '\n' ? '¶' : character, font));
  const placed = pieces.flatMap((piece, position) => [...piece].map((character) => ({position, character, line: 0, x: 0, w: wide(character)})));
  const hang = font.size * 1.2;
  let line = 0;
  let x = 0;
  for (let from = 0; from < placed.length;) {
    let to = from;
    let word = 0;
    while (to < placed.length && !/[ \n]/.test(placed[to].character)) word += placed[to++].w;
    if (x > hang && x + word > width) { line++; x = hang; }
    for (const c of placed.slice(from, to + 1)) {
      if (x > hang && x + c.w > width && !/[ \n]/.test(c.character)) { line++; x = hang; } // a word wider than the strip
      Object.assign(c, {line, x});
      x += c.w;
      if (c.character === '\n') { line++; x = 0; }
    }
    from = to + 1;
  }
  return placed;
}

/**
 * The text with its weights as boxes, the pin, and arcs to what it looks at.
 * @param {import('./figureink.js').Sheet} sheet
 * @param {import('./figure.js').Scene} scene
 * @param {{x: number, y: number, w: number, h: number}} room
 * @param {any} inks
 * @param {import('./figureink.js').Measure} measure
 * @returns {number} where it ends
 */
export function drawStrip(sheet, scene, room, inks, measure) {
  const {size, high, placed, last} = fitted(scene.trace.pieces, room, measure);
  const font = serif(size);
  const top = (line) => room.y + line * high;
  const fills = lights(scene.weights, scene.ink);
  for (const c of placed) {
    const fill = fills.get(c.position);
    if (fill) sheet.rect(room.x + c.x, top(c.line) + high * 0.12, c.w, high * 0.76, {fill: fill.box});
  }
  for (let line = 0; line <= last; line++) {
    const there = placed.filter((c) => c.line === line);
    const base = top(line) + high * 0.66;
    const ink = (c) => (c.position === scene.pinned ? inks.red : fills.get(c.position)?.letter);
    sheet.runs(base, there.filter((c) => c.character !== '\n').map((c) => ({x: room.x + c.x, text: c.character, fill: ink(c)})), font, inks.ink, true);
    sheet.runs(base, there.filter((c) => c.character === ' ').map((c) => ({x: room.x + c.x + (c.w - measure('·', font)) / 2, text: '·', fill: ink(c)})), font, inks.mark, true);
    sheet.runs(base, there.filter((c) => c.character === '\n').map((c) => ({x: room.x + c.x + 3, text: '¶', fill: ink(c)})), {...font, size: 0.8 * size}, inks.mark, true);
  }
  const boxOf = (position) => {
    const c = placed.find((one) => one.position === position);
    const width = placed.filter((one) => one.position === position && one.line === c?.line).reduce((sum, one) => sum + one.w, 0);
    return c && {x: room.x + c.x, y: top(c.line) + high * 0.08, width, height: high * 0.84};
  };
  const from = boxOf(scene.row);
  if (from) sheet.rect(from.x - 1, from.y, from.width + 2, from.height, scene.pinned === null ? {stroke: inks.ink, width: 1} : {stroke: inks.red, width: 1.5, radius: 3});
  const end = placed.at(-1);
  if (end) { // the writing place
    const [x, line] = end.character === '\n' ? [0, end.line + 1] : [end.x + end.w + 2, end.line];
    sheet.rect(room.x + x, top(line) + high * 0.66 + 3, size * 0.55, 2, {fill: inks.red});
  }
  if (scene.state.average !== 'rollout' && !scene.difference) {
    for (const {d, width, opacity} of arcsOf(scene.row, scene.weights, boxOf, room.x + room.w)) sheet.path(d, inks.blue, width, {opacity});
  }
  return top(last + (placed.at(-1)?.character === '\n' ? 2 : 1));
}

/** The largest type in which the strip is no taller than its room, and where everything stands in it. */
function fitted(pieces, room, measure) {
  let found = {size: 0, high: 0, last: 0, placed: /** @type {Placed[]} */ ([])};
  for (const [size, high] of SIZES) {
    const placed = layStrip(pieces, room.w - size, serif(size), measure);
    found = {size, high, placed, last: Math.max(0, ...placed.map((c) => c.line))};
    if ((found.last + 1) * high <= room.h) break;
  }
  return found;
}

function remembered(of) {
  const known = new Map();
  return (key) => {
    if (!known.has(key)) known.set(key, of(key));
    return known.get(key);
  };
}
