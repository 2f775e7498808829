/** States from links and files, keys, the sentence and the axes. */
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {axisLabels, axisTicks, diagonalWords, firstWords, lineStarts} from '../../ui/assets/attention/axes.js';
import {KEYS} from '../../ui/assets/attention/keys.js';
import {repeated, sentence} from '../../ui/assets/attention/sentence.js';
import {START, differenceOf, fit, packState, readState} from '../../ui/assets/attention/state.js';
import {barName, barNumber, barsOf} from '../../ui/assets/common/bars.js';
import {actionOf} from '../../ui/assets/common/keypanel.js';
import {sign, spoken} from '../../ui/assets/common/words.js';

test('a state survives a link', () => {
  const state = {...START, model: 'shakespeare', text: 'ROMEO:', layer: 5, head: 2, pin: 3, silenced: [[1, 2]], view: 'arcs', scale: 'log'};
  assert.deepEqual(readState(JSON.parse(JSON.stringify(packState(state)))), {state, dropped: []});
  assert.ok(!('colours' in packState(state)), 'what is as at the start need not stand in a link');
});

test('what a state should not hold is dropped, and named', () => {
  for (const [field, values] of Object.entries({
    layer: [-1, 1.5, '3', null, NaN, 1e9], pin: [-1, 'x', 2.5], view: ['', 'constructor', 3, null], scale: ['__proto__'],
    silenced: [[[1]], [['a', 1]], [[1, 2, 3]], 'x', [[-1, 0]]], text: [3, 'x'.repeat(20_001)], settings: [null, {temperature: 9, top_k: 0, top_p: 1}, {temperature: '1'}, {top_k: 1.5}, {min_p: -0.1}, {repetition_penalty: NaN}],
    hideFirst: [1], difference: ['', 'both', 1], seed: [-1, 2 ** 60], caption: ['x'.repeat(401)],
  })) {
    for (const value of values) {
      const {state, dropped} = readState({[field]: value});
      assert.deepEqual(dropped, [field], `${field}: ${JSON.stringify(value)}`);
      assert.deepEqual(state[field], START[field]);
    }
  }
  for (const nothing of [null, 3, 'x', [], undefined]) assert.deepEqual(readState(nothing).state, START);
  assert.deepEqual(Object.keys(readState({settings: {temperature: 1, top_k: 0, top_p: 1, evil: 1}}).state.settings), ['temperature', 'top_k', 'top_p', 'min_p', 'repetition_penalty']);
});

test('a state of another model keeps what fits', () => {
  const shape = {layers: 4, heads: 4, start: 0, tokens: 10};
  const {state, dropped} = fit({...START, layer: 5, head: 2, pin: 99, silenced: [[5, 1], [0, 1]]}, shape);
  assert.deepEqual([state.layer, state.head, state.pin, state.silenced], [0, 0, null, [[0, 1]]]);
  assert.equal(dropped.length, 3);
  assert.deepEqual(fit({...START, layer: 3, pin: 9}, shape).dropped, []);
});

test('no key does two things, and none is taken with a modifier', () => {
  const all = KEYS.flatMap(({keys}) => keys);
  assert.equal(new Set(all).size, all.length);
  assert.equal(new Set(KEYS.map(({action}) => action)).size, KEYS.length);
  assert.equal(actionOf(KEYS, {key: 'n', ctrlKey: false, metaKey: false, altKey: false}), 'write');
  assert.equal(actionOf(KEYS, {key: 's', ctrlKey: true, metaKey: false, altKey: false}), null);
  assert.equal(actionOf(KEYS, {key: 'q', ctrlKey: false, metaKey: false, altKey: false}), null);
});

test('a repeated passage is found where it stood last, with what followed', () => {
  const pieces = [...'My pilgrims stand. Good pilgri'];
  const found = repeated(pieces, pieces.length - 1);
  assert.equal(found?.text, ' pilgri');
  assert.equal(pieces[/** @type {any} */ (found).next], 'm');
  assert.equal(repeated([...'abcdefg'], 6), null);
});

const traceOf = (text, more = {}) => ({pieces: [...text], tokens: text.length, start: 0, silenced: [], ...more});
const said = (parts) => parts.map(({text}) => text).join('');
const onlyAt = (n, at, w = 0.9) => Float32Array.from({length: n}, (_, i) => (i === at ? w : 0));

test('the sentence says what is to be seen, from the numbers', () => {
  const text = 'two pilgrims,\nready stand\nGood pilgri';
  const row = text.length - 1;
  const at = (s, role = null) => said(sentence({trace: traceOf(text), selection: {average: 'head', layer: 5, head: 2}, row, weights: onlyAt(row + 1, s), role}));
  assert.equal(at(text.indexOf('ms')), 'The model has read “pilgri” before, two lines up. Head 5.2 finds that place and looks at what came next: “m”.');
  assert.equal(at(row - 1, {role: 'previous', words: 'previous character', score: 0.9}), 'Head 5.2 (previous character) looks from “i” at “r”, one character back: 0.90 of its attention.');
  assert.match(at(0), /rests on the very first character: 0\.90/);
  assert.match(at(row), /stays where it stands/);
  assert.match(at(13), /looks from “i” at a line break, 23 characters back/);
  assert.match(said(sentence({trace: traceOf(text), selection: {average: 'head', layer: 0, head: 0}, row: 0, weights: onlyAt(1, 0, 1), role: null})), /only at itself/);
  assert.match(said(sentence({trace: traceOf(text), selection: {average: 'rollout', layer: 3, head: 0}, row, weights: onlyAt(row + 1, 3), role: null})), /^Rollout 3: what reaches layer 3/);
  assert.match(said(sentence({trace: traceOf(text, {silenced: [[5, 2]]}), selection: {average: 'head', layer: 5, head: 2}, row, weights: onlyAt(row + 1, 3), role: null})), /silenced/);
});

test('the sentence of a difference says where it is largest, and which way', () => {
  const text = 'two pilgrims';
  const row = text.length - 1;
  const at = (s, value, difference) => said(sentence({trace: traceOf(text), selection: {average: 'head', layer: 5, head: 2}, row, weights: onlyAt(row + 1, s, value), role: null, difference}));
  assert.equal(at(4, 0.35, 'text'), 'Against the other text, Head 5.2 at “s” changes most at “p”, 7 characters back: +0.35, more in this text.');
  assert.equal(at(4, -0.35, 'silenced'), 'Against all heads, Head 5.2 at “s” changes most at “p”, 7 characters back: −0.35, more with all heads.');
  assert.equal(at(4, 0.001, 'text'), 'Against the other text, Head 5.2 at “s” has not changed.');
});

test('there is a difference only from what there is', () => {
  assert.equal(differenceOf({...START, difference: 'text'}), 'none');
  assert.equal(differenceOf({...START, difference: 'text', second: 'x'}), 'text');
  assert.equal(differenceOf({...START, difference: 'silenced', second: 'x'}), 'none');
  assert.equal(differenceOf({...START, difference: 'silenced', silenced: [[0, 1]]}), 'silenced');
});

test('the sentence never puts a person’s text anywhere but in a text', () => {
  const evil = '<img src=x onerror=alert(1)>${alert(1)}';
  const parts = sentence({trace: traceOf(evil + evil), selection: {average: 'head', layer: 0, head: 0}, row: 2 * evil.length - 1, weights: onlyAt(2 * evil.length, evil.length), role: null});
  assert.ok(parts.every((part) => Object.keys(part).every((key) => key === 'text' || key === 'mark')));
});

test('invisibles have names and signs', () => {
  assert.deepEqual([' ', '\n', 'a', '\u0007'].map(spoken), ['space', 'line break', 'a', 'U+0007']);
  assert.deepEqual([' ', '\n', ' the'].map(sign), ['␣', '¶', '␣the']);
});

test('axes name where lines begin, and round numbers where there are none', () => {
  const pieces = [...'ab\ncd\n\nef\ngh'];
  assert.deepEqual(lineStarts(pieces), [0, 3, 7, 10]);
  assert.deepEqual(axisTicks({pieces: [...'a'.repeat(70)], tokens: 70}, 96), [0, 16, 32, 48, 64]);
  assert.equal(firstWords('This holy shrine, the gentle\nfine'), 'This holy');
  assert.equal(firstWords('ROMEO:\nx'), 'ROMEO');
  for (const {t, text} of diagonalWords({pieces, tokens: pieces.length}, [0, 3, 7], 40, 600, false)) assert.ok(t * 40 + 14 + 7.56 * text.length <= 600);
});

test('numbers of an axis stand apart, and its name clear of the longest', () => {
  const labelled = (start) => axisLabels({pieces: [...'a'.repeat(70)], tokens: 70, start}, 96, 6, 12);
  const {labels, apart} = labelled(0);
  assert.deepEqual(labels.filter(({left}) => left).map(({text}) => text), ['0', '16', '32', '48', '64']);
  assert.deepEqual(labels.filter(({below}) => below).map(({at}) => at), [96, 192, 288, 384]);
  assert.deepEqual(axisLabels({pieces: [...'a\nb\nc\nd'], tokens: 7, start: 0}, 8, 5, 12).labels.map(({left, below}) => [left, below]), [[true, false], [false, false], [true, true], [false, false]]);
  assert.equal(apart, labelled(9000).apart, 'up to four digits nothing moves');
  assert.ok(labelled(12345).apart - 0.25 * 12 > 10 + 5 * 0.64 * 12, 'five digits end before it');
});

test('bars are the likeliest and the rest; what was changed stands beside', () => {
  const before = ['m', 'n', 's'].map((text, id) => ({id, text, p: [0.7, 0.2, 0.05][id]}));
  const after = [{id: 7, text: 'x', p: 0.6}, {id: 0, text: 'm', p: 0.3}];
  const sum = (bars, of) => bars.reduce((a, bar) => a + bar[of], 0);
  assert.ok(Math.abs(sum(barsOf({before, after: null, offOnly: false}, 2), 'p') - 1) < 1e-9);
  const paired = barsOf({before, after, offOnly: false}, 3);
  assert.deepEqual(paired.map((bar) => bar.text), ['m', 'n', 'x', 'others']);
  assert.ok(Math.abs(sum(paired, 'after') - 1) < 1e-9);
});

test('a bar whose number was not sent is less than the least that was', () => {
  const before = [{id: 0, text: 'the', p: 0.5}, {id: 1, text: 'a', p: 0.02}];
  const bars = barsOf({before, after: [{id: 9, text: 'x', p: 0.6}, {id: 1, text: 'a', p: 0.1}]}, 2);
  assert.deepEqual(bars.map(({p, after}) => [barNumber(p, before[1].p), barNumber(after, 0.1)]), [['50 %', '<10 %'], ['<2.0 %', '60 %'], ['50 %', '40 %']]);
  assert.deepEqual(bars.map((bar) => [bar.least, bar.leastAfter]), [[0.02, 0.1], [0.02, 0.1], [undefined, undefined]]);
  assert.deepEqual([{text: 'others'}, {text: ' '}, {text: ' the'}, {text: '', others: true}].map(barName), ['others', 'space', '␣the', 'others']);
});
