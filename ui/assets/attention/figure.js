/**
 * The picture of what is on screen, as a list of primitives: one layout, 1440 wide, without the controls. PNG, SVG and
 * the recording draw the same list. Pure: no DOM.
 */
import {INKS, Sheet, breakLines, sans, serif} from './figureink.js';
import {BELOW, SIDE, drawMap, drawTitle} from './figuremap.js';
import {barsHeight, drawHeads, drawNext} from './figureside.js';
import {drawSentence, drawStrip} from './figuretext.js';
import {drawArcs, drawLens, drawRowBars} from './figureviews.js';
import {nextOf} from './predicted.js';
import {shownName} from '../common/ownmodels.js';
import {roleLine, selectionWords} from '../common/words.js';

/** @typedef {import('./figureink.js').Figure} Figure */
/** @typedef {import('./figureink.js').Measure} Measure */
/** @typedef {import('./wire.js').Said} Said */

/**
 * What is on screen, read off the application once: what is exported is this.
 * @typedef {object} Scene
 * @property {import('./state.js').State} state
 * @property {import('./wire.js').Trace} trace
 * @property {import('./maps.js').Selection} selection
 * @property {import('./maps.js').AttentionMap | null} map that is shown
 * @property {number} row position looked from, in the window
 * @property {number | null} pinned
 * @property {ArrayLike<number> & Iterable<number> & {forEach: Function, keys: Function}} weights of that row
 * @property {boolean} exact those weights are not rounded
 * @property {Said[][] | null} lens at the row
 * @property {import('./predicted.js').Next | null} next with all heads, and with those silenced
 * @property {{name: string, role: string, says: string, off: boolean}} words
 * @property {{text: string, mark?: boolean}[]} sentence
 * @property {import('./raster.js').Ink} ink
 * @property {'text' | 'silenced' | null} difference map and weights are one: what is taken from them
 */

export const WIDTH = 1440;
const MARGIN = 28;
const TEXT = {x: MARGIN, w: 392};
const MAP = {x: 492};
const HEADS = {x: 1120, w: 291};

/**
 * @param {import('./app.js').App} app
 * @param {{text: string, mark?: boolean}[]} sentence
 * @returns {Scene | null} null while there is no trace
 */
export function sceneOf(app, sentence) {
  const {trace, state} = app;
  if (!trace) return null;
  const selection = app.selection();
  const row = app.row();
  const difference = app.compared();
  return {
    state, trace, selection, map: app.map(), row, pinned: app.pinned(), weights: app.weights(row), sentence, ink: app.ink(), difference,
    exact: app.exactRow(row) !== null,
    lens: app.lens(row), next: nextOf(app),
    words: selectionWords(selection, app.role(selection.layer, selection.head), state.silenced, difference),
  };
}

/**
 * @param {Scene} scene
 * @param {Measure} measure
 * @param {number} [scale] device pixels a unit: maps are painted for them
 * @returns {Figure}
 */
export function figure(scene, measure, scale = 1) {
  const inks = INKS[scene.ink.dark ? 'dark' : 'light'];
  const sheet = new Sheet();
  const top = drawSentence(sheet, scene.sentence, MARGIN, 24, 720, inks, measure) + 34;
  const bars = barsHeight(scene);
  const left = drawStrip(sheet, scene, {...TEXT, y: top, h: SIDE + BELOW - bars - 28}, inks, measure);
  const barsTop = Math.max(left + 28, top + SIDE + BELOW - bars);
  drawNext(sheet, scene, {...TEXT, y: barsTop}, inks);
  drawMain(sheet, scene, top, inks, measure, scale);
  const heads = drawHeads(sheet, scene, {...HEADS, y: top}, inks, scale);
  const bottom = Math.max(barsTop + bars, top + SIDE + BELOW, heads);
  const height = Math.ceil(bottom + 48);
  drawFooter(sheet, scene, height - 18, inks, measure);
  return {width: WIDTH, height, page: inks.page, title: `${scene.words.name}, ${shownName(scene.trace.model)}`, items: sheet.items};
}

/** The map, or the view that is on screen in its place. */
function drawMain(sheet, scene, y, inks, measure, scale) {
  const room = {x: MAP.x - 40, y, w: SIDE + 40, h: SIDE + 16};
  const {view} = scene.state;
  if (view === 'map') drawMap(sheet, scene, {x: MAP.x, y}, inks, measure, scale);
  if (view === 'arcs') drawArcs(sheet, scene, room, inks, measure);
  if (view === 'map' || view === 'arcs') {
    drawTitle(sheet, scene, MAP.x + SIDE, y, inks, measure);
    return;
  }
  const under = drawHeading(sheet, scene, room, inks, measure) + 24;
  const rest = {...room, y: under, h: y + room.h - under};
  if (view === 'row') drawRowBars(sheet, scene, rest, inks);
  else drawLens(sheet, scene, rest, inks);
}

/** Where there is no empty half to set it into: above the view, at its left. @returns {number} where it ends */
function drawHeading(sheet, {words}, {x, y, w}, inks, measure) {
  sheet.text(x, y + 26, words.name, serif(34), words.off ? inks.ink3 : inks.ink, {strike: words.off});
  sheet.text(x, y + 54, words.role, sans(15, {weight: 600}), inks.ink, {strike: words.off});
  const lines = breakLines([{text: words.says}], sans(14), w, measure);
  lines.forEach((line, i) => sheet.text(x, y + 76 + 20 * i, line.map((word) => word.text).join('').trimEnd(), sans(14), inks.ink2));
  return y + 62 + 20 * lines.length;
}

/** Which model, from which weights, with which seed: what is needed to see it again. */
function drawFooter(sheet, {trace, state}, y, inks, measure) {
  const parts = [shownName(trace.model), trace.id.slice(0, 12), `seed ${state.seed}`, ...(state.silenced.length ? [`${state.silenced.map((pair) => pair.join('.')).join(', ')} silenced`] : [])];
  let words = parts.join('   ');
  while (words.length > 20 && measure(words, sans(12)) > WIDTH - 2 * MARGIN) words = `${words.slice(0, -4)}…`;
  sheet.text(MARGIN, y, words, sans(12), inks.ink3);
}

/** @param {Scene} scene @returns {string} in words, for whoever cannot see the picture */
export function describe(scene) {
  const {words, trace, selection} = scene;
  const said = scene.sentence.map((part) => part.text).join('');
  const role = selection.average === 'head' ? `, ${roleLine(trace.roles[selection.layer]?.[selection.head])}` : '';
  return `${said} ${words.name}${role}; model ${shownName(trace.model)}, ${trace.tokens} positions.`;
}
