/** Below the fold: sentences from numbers, the layout of the scatter, two texts side by side. */
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {differing, paired} from '../../ui/assets/attention/compare.js';
import {across, cellSentence} from '../../ui/assets/attention/comparison.js';
import {signed} from '../../ui/assets/common/scales.js';
import {effectNumber, largest, sentence} from '../../ui/assets/attention/effects.js';
import {ladderSentence, layerName, settledAt, shownOf, whereSaid} from '../../ui/assets/attention/ladder.js';
import {align} from '../../ui/assets/attention/maps.js';
import {axisEnd, dodge, outliers, placeLabels} from '../../ui/assets/attention/plot.js';
import {partingSentence} from '../../ui/assets/attention/rewrite.js';
import {step} from '../../ui/assets/attention/roving.js';
import {scoreSentence, upward} from '../../ui/assets/attention/scatter.js';
import {lastLine, shared} from '../../ui/assets/common/verse.js';
import {barNumber} from '../../ui/assets/common/bars.js';
import {headNames, headNumbers} from '../../ui/assets/common/words.js';

const said = (...pairs) => pairs.map(([text, p], id) => ({id: text.codePointAt(0) ?? id, text, p}));

test('the largest effect is named, a negligible one is not', () => {
  assert.deepEqual(largest([[0.1, 0.2], [1.18, 0]]), {layer: 1, head: 0, value: 1.18});
  assert.equal(sentence([[0.1, 0.2], [1.18, 0]], 'kl'), 'Without head 1.0 the next character changes by 1.18 bits, more than without any other.');
  assert.match(sentence([[0.001, 0]], 'kl'), /^No head by itself/);
});

test('a change of the loss has its sign, and a gain is said too', () => {
  assert.deepEqual([0.034, -0.026, 0.001, -0.001].map((v) => effectNumber(v, 'loss')), ['+0.03', '−0.03', '0.00', '0.00']);
  assert.equal(effectNumber(0.034, 'kl'), '0.03');
  assert.match(sentence([[0.3, -0.05]], 'loss'), /head 0\.0 the model predicts this text worse, by 0\.30 .* Without head 0\.1 it would even predict it better, by 0\.05/);
  assert.match(sentence([[-0.2, -0.1]], 'loss'), /^Without any one head.*Without head 0\.0 it would even/);
});

test('the ladder counts layers from 0 above the input, and tells where the answer settles', () => {
  assert.deepEqual([0, 1, 2].map(layerName), ['input', 'layer 0', 'layer 1']);
  const rungs = ['e', 'm', 'n', 'm', 'm'].map((text) => said([text, 0.9]));
  assert.equal(settledAt(rungs), 3);
  assert.equal(ladderSentence(rungs, undefined), 'From layer 2 on it says m.');
  assert.equal(ladderSentence(rungs, '\n'), 'From layer 2 on it says m. The text goes on with line break.');
  assert.equal(ladderSentence(rungs.slice(0, 3), undefined), 'Only the last layer says n.');
  assert.match(ladderSentence(rungs.slice(3), undefined), /^The input alone/);
});

test('a rung shows the best token always, others if they are likely enough and there is room', () => {
  assert.deepEqual(shownOf(said(['a', 0.004], ['b', 0.003]), 5).map((s) => s.text), ['a']);
  assert.deepEqual(shownOf(said(['a', 0.5], ['b', 0.2], ['c', 0.1]), 2).map((s) => s.text), ['a', 'b']);
});

test('the ladder says where it stands', () => {
  const trace = {pieces: ['a', ' ', 'c'], tokens: 3, start: 10};
  assert.equal(whereSaid(trace, 1, 1), 'at the pinned space, with its probability');
  assert.equal(whereSaid(trace, 2, null), 'at the last c, with its probability');
  assert.equal(whereSaid(trace, 0, 1), 'at a (10), with its probability');
});

test('dots on one another are moved apart, others stay', () => {
  const placed = dodge([{x: 50, y: 50}, {x: 50, y: 50}, {x: 50, y: 50}, {x: 90, y: 10}], 6);
  assert.deepEqual([placed[0], placed[3]], [{x: 50, y: 50}, {x: 90, y: 10}]);
  placed.forEach((a, i) => placed.slice(i + 1).forEach((b) => assert.ok(Math.hypot(a.x - b.x, a.y - b.y) >= 6 - 1e-9)));
  assert.ok(placed.every((p, i) => i === 3 || Math.hypot(p.x - 50, p.y - 50) < 12));
});

test('144 dots on one place are still apart, and near it', () => {
  const placed = dodge(Array.from({length: 144}, () => ({x: 0, y: 0})), 4.4);
  placed.forEach((a, i) => placed.slice(i + 1).forEach((b) => assert.ok(Math.hypot(a.x - b.x, a.y - b.y) >= 4.4 - 1e-9)));
  assert.ok(Math.max(...placed.map((p) => Math.hypot(p.x, p.y))) < 60);
});

test('labels are for what stands out; none lies on a dot or another label', () => {
  const crowd = Array.from({length: 20}, (_, i) => ({x: 0.05 + 0.01 * (i % 5), y: 0.05 + 0.01 * Math.floor(i / 5)}));
  const points = [...crowd, {x: 0.1, y: 0.95}, {x: 0.9, y: 0.1}];
  assert.deepEqual(outliers(points, 5).sort(), [20, 21]);
  const dots = [{x: 20, y: 50}, {x: 32, y: 50}, {x: 95, y: 20}];
  const frame = {width: 100, height: 100, radius: 5, size: 14};
  const labels = placeLabels(dots, dots.map((_, i) => ({i, text: '5.2'})), frame);
  assert.deepEqual(labels.map((l) => [l.i, l.anchor]), [[0, 'middle'], [1, 'start'], [2, 'end']]);
});

test('an axis ends at the next quarter', () => {
  assert.deepEqual([0, 0.2, 0.25, 0.26, 0.9, 1].map(axisEnd), [0.25, 0.25, 0.25, 0.5, 1, 1]);
});

test('upward stands induction where a head does it, else what some head does', () => {
  assert.equal(upward([[{scores: {induction: 0.9, same: 0.9}}]]), 'induction');
  assert.equal(upward([[{scores: {induction: 0.02, same: 0.4}}]]), 'same');
  assert.equal(upward([[{scores: {induction: 0.02}}]]), 'induction');
  assert.equal(scoreSentence([{layer: 0, head: 1, x: 0.2, y: 0.9}, {layer: 1, head: 0, x: 0.7, y: 0}], 'first', 'same'), 'Highest: 0.1 in same, with 0.90; 1.0 in first, with 0.70.');
});

test('arrows walk a table and stop at its edges', () => {
  assert.deepEqual(['ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight', 'x'].map((key) => step(key, 4, 3, 3)), [1, 7, 3, 5, null]);
  assert.deepEqual(['ArrowUp', 'ArrowLeft'].map((key) => step(key, 0, 3, 3)), [null, null]);
  assert.deepEqual(['ArrowDown', 'ArrowRight'].map((key) => step(key, 8, 3, 3)), [null, null]);
});

test('two continuations share a beginning, counted in characters', () => {
  assert.equal(shared('pilgrim', 'pilgrams'), 5);
  assert.equal(shared('a😀b', 'a😁b'), 1);
  assert.equal(lastLine('a\nbc'), 'bc');
  assert.match(partingSentence('abc', 'abd', 'head 1.0', 7), /^They are the same for 2 characters.*head 1\.0 \(seed 7\)/);
  assert.match(partingSentence('abc', 'abc', 'head 1.0', 7), /^All 3 characters are the same/);
  assert.match(partingSentence('abc', 'xbc', 'head 1.0', 7), /^They part at once/);
});

test('silenced heads have names', () => {
  assert.equal(headNames([[5, 2]]), 'head 5.2');
  assert.equal(headNames([[5, 2], [4, 1], [0, 0]]), 'heads 5.2, 4.1 and 0.0');
  assert.equal(headNames(Array.from({length: 9}, (_, i) => [0, i])), '9 heads');
  assert.deepEqual([1, 2, 3, 4].map((n) => headNumbers(Array.from({length: n}, (_, i) => [0, i]))), ['0.0', '0.0 and 0.1', '0.0, 0.1, 0.2', '4 heads']);
});

test('what differs between two texts is what was edited', () => {
  const [a, b] = [{ids: [1, 2, 3, 4]}, {ids: [1, 9, 3, 4]}];
  assert.deepEqual([...differing(a, b, align(a.ids, b.ids))], [1]);
  const longer = {ids: [1, 2, 7, 3, 4]};
  assert.deepEqual([...differing(a, longer, align(a.ids, longer.ids))], []);
  assert.deepEqual([...differing(longer, a, align(longer.ids, a.ids))], [2]);
});

test('predictions are paired by token; one that is not known is less than the least known', () => {
  const rows = paired(said(['m', 0.9], ['n', 0.05]), said(['n', 0.6], ['s', 0.3]), 3);
  assert.deepEqual(rows.map(({text, p, after}) => [text, p, after]), [['m', 0.9, null], ['n', 0.05, 0.6], ['s', null, 0.3]]);
  assert.deepEqual([rows[0].least, rows[0].leastAfter], [0.05, 0.3]);
  assert.deepEqual([barNumber(rows[0].p, rows[0].least), barNumber(rows[0].after, rows[0].leastAfter)], ['90 %', '<30 %']);
  assert.equal(barNumber(null, 0.0001), '<0.1 %');
});

test('a cell of the difference is said with its numbers and the sign', () => {
  const map = (...values) => ({tokens: 2, signed: false, values: Float32Array.from(values)});
  const maps = [map(1, 0.83, 0.17), map(1, 0.12, 0.88)];
  const text = {pieces: ['m', 't']};
  const cell = {row: 1, column: 0};
  assert.equal(cellSentence(text, text, cell, cell, maps), 't looks at m: 0.83, 0.12, +0.71');
  assert.equal(cellSentence(text, {pieces: ['x', 't']}, cell, cell, maps), 't looks at m, in the other t looks at x: 0.83, 0.12, +0.71');
  assert.equal(cellSentence(text, text, cell, null, maps), 't looks at m: 0.83; the other text has no such place');
  assert.deepEqual([-0.5, 0.001, -0.001].map(signed), ['−0.50', '0.00', '0.00']);
  assert.deepEqual(across(cell, Int32Array.from([2, 3])), {row: 3, column: 2});
  assert.equal(across(cell, Int32Array.from([-1, 3])), null);
});
