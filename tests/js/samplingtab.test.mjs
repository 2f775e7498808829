/** The pure parts of the Sampling tab: state, path, numbers, words, lanes, columns. */
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {part} from '../../ui/assets/common/part.js';
import {actionOf} from '../../ui/assets/common/keypanel.js';
import {SETTINGS, USUAL, PLAIN} from '../../ui/assets/common/settings.js';
import {draw, probabilities, u} from '../../ui/assets/sampling.js';
import {heights, letterLines} from '../../ui/assets/sampling/bars.js';
import {KEYS} from '../../ui/assets/sampling/keys.js';
import {namesAndValues} from '../../ui/assets/sampling/lanes.js';
import {
  TEMPERATURES, band, believe, ceiling, columnsOf, firstSeed, leave, rowAt, rowOf, sharesOf, tally, temperatureOf, thousand,
} from '../../ui/assets/sampling/numbers.js';
import {agreeing, drawnAt, extend, previousAt, questionAt, readPath, textAt, windowStart} from '../../ui/assets/sampling/path.js';
import {share} from '../../ui/assets/sampling/readout.js';
import {cutWords, drawWords, quoted, sentence, shownNumber} from '../../ui/assets/sampling/sentence.js';
import {columnsFor} from '../../ui/assets/sampling/stage.js';
import {linkState, readState} from '../../ui/assets/sampling/state.js';

/** Logits of a certain look, without chance. */
const logitsOf = (size, salt = 0) => Float32Array.from({length: size}, (_, i) => 4 * Math.sin(3.7 * i + salt) + Math.cos(11.3 * i * (salt + 1)));

const packet = (n, ids, size = 8, salt = 0, more = {}) => ({
  header: {text: 'abcdefgh'.slice(0, n), n, block_size: 16, vocab_size: size, vocabulary: [...'abcdefgh'], characters: true, names: null, previous: [...'abcdefgh'.slice(0, n)].map((c) => 'abcdefgh'.indexOf(c)), ids, texts: ids.map((id) => 'abcdefgh'[id]), ...more},
  blocks: {logits: new Uint8Array(Float32Array.from(Array.from({length: ids.length + 1}, (_, i) => [...logitsOf(size, salt + i)]).flat()).buffer)},
});

test('a state comes back from its link, and what does not fit is dropped by name', () => {
  const state = {model: 'm', text: 'To be', settings: {...USUAL, top_p: 0.9}, seed: 7, lanes: [{...PLAIN}]};
  const {tab, model, sampling} = linkState(state);
  assert.deepEqual([tab, model], ['sampling', 'm']);
  assert.deepEqual(readState({...sampling, model}), {state, dropped: []});
  assert.equal(linkState({...state, lanes: []}).sampling.lanes, undefined);
  const wrong = {text: 5, seed: -1, settings: {temperature: 9}, lanes: [{top_p: 2}], model: 'x'.repeat(101)};
  assert.deepEqual(readState(wrong), {state: {}, dropped: ['model', 'text', 'settings', 'seed', 'lanes']});
  assert.deepEqual(readState([]).dropped, ['everything']);
  assert.deepEqual(readState({text: 'x'.repeat(20_001)}).dropped, ['text']);
  assert.deepEqual(readState({lanes: Array(5).fill({})}).dropped, ['lanes']);
});

test('a path reads its packet: a row of logits for each position, one more than there are tokens', () => {
  const path = readPath('m', packet(3, [1, 4]));
  assert.equal(path.logits.length, 3);
  path.logits.forEach((row, i) => assert.deepEqual([...row], [...logitsOf(8, i)]));
  assert.deepEqual([textAt(path, 0), textAt(path, 2)], ['abc', 'abcbe']);
  assert.deepEqual(previousAt(path, 1), [0, 1, 2, 1]);
  assert.deepEqual(questionAt(path, 1), {model: 'm', tokens: [0, 1, 2, 1]});
  const cut = readPath('m', packet(3, [1, 4], 8, 0, {n: 90}));
  assert.deepEqual(questionAt(cut, 2), {model: 'm', text: 'abcbe'});
});

test('what is known stays as long as the same tokens are drawn, and ends where another is', () => {
  const settings = {...PLAIN};
  const seed = 5;
  let path = readPath('m', packet(3, []));
  for (let i = 0; i < 6; i++) { // as the server rolls
    const id = drawnAt(path, i, settings, seed);
    assert.equal(id, draw(probabilities(logitsOf(8, i), settings, previousAt(path, i)), u(seed, 3 + i)));
    path = extend(path, i, readPath('m', packet(3, [id], 8, i)));
  }
  assert.equal(agreeing(path, 0, settings, seed), 6);
  assert.equal(agreeing(path, 4, settings, seed), 2);
  const greedy = {...PLAIN, temperature: 0};
  const same = agreeing(path, 0, greedy, seed);
  assert.ok(same < 6);
  for (let i = 0; i < same; i++) assert.equal(drawnAt(path, i, greedy, seed), path.ids[i]);
  assert.notEqual(drawnAt(path, same, greedy, seed), path.ids[same]);
  const broken = {...path, logits: path.logits.slice(0, 3)};
  assert.equal(agreeing(broken, 0, settings, seed), 2, 'a token whose successor is not known does not count');
});

test('an extension keeps what stands before it and nothing after', () => {
  const path = extend(readPath('m', packet(3, [1, 4, 2])), 1, readPath('m', packet(4, [7, 0], 8, 50, {names: {9: 'x'}})));
  assert.deepEqual(path.ids, [1, 7, 0]);
  assert.deepEqual(path.texts, ['b', 'h', 'a']);
  assert.deepEqual(path.logits.map((row) => [...row]), [0, 50, 51, 52].map((salt) => [...logitsOf(8, salt)]));
  assert.equal(path.names.get(9), 'x');
});

test('windows begin as in Python: on by half a window', () => {
  assert.deepEqual([0, 16, 17, 24, 25, 33].map((n) => windowStart(n, 16)), [0, 0, 8, 8, 16, 24]);
  assert.deepEqual([5, 6].map((n) => windowStart(n, 1)), [4, 5]);
});

test('what is left: a prefix by belief under top-p, and none where a penalty mixes them', () => {
  const logits = logitsOf(65);
  const belief = believe(logits);
  assert.deepEqual(belief.order.map((id) => belief.rank[id]), belief.order.map((_, i) => i + 1));
  assert.ok(belief.order.every((id, i) => i === 0 || belief.p[belief.order[i - 1]] >= belief.p[id]));
  const left = leave(logits, belief, {...PLAIN, temperature: 0.8, top_p: 0.9}, []);
  assert.equal(left.prefix, true);
  assert.deepEqual(left.by, ['top-p']);
  assert.equal(left.count, left.p.filter((q) => q > 0).length);
  assert.ok(left.mass > 0 && left.mass <= 0.1, `${left.mass}`);
  const best = belief.order.slice(0, 3);
  const mixed = leave(logits, belief, {...PLAIN, top_k: 3, repetition_penalty: 2}, best);
  assert.equal(mixed.prefix, false);
  assert.equal(mixed.count, 3);
});

test('only a setting that cuts is named, and nothing is cut where none does', () => {
  const logits = logitsOf(20);
  const belief = believe(logits);
  assert.deepEqual(leave(logits, belief, {...PLAIN, top_k: 2, top_p: 0.9999}, []).by, ['top-k']);
  assert.deepEqual(leave(logits, belief, {...PLAIN, top_k: 19, min_p: 0.5}, []).by, ['top-k', 'min-p']);
  assert.deepEqual(leave(logits, belief, {...PLAIN, top_k: 500}, []).by, []);
  const all = leave(logits, belief, PLAIN, []);
  assert.deepEqual([all.by, all.count, all.mass], [[], 20, 0]);
});

test('at temperature 0 the favourite stays alone, a tie is counted, and what it gives up is the belief of the others', () => {
  const logits = Float32Array.from([1, 3, 3, 0]);
  const belief = believe(logits);
  const left = leave(logits, belief, {...PLAIN, temperature: 0}, []);
  assert.deepEqual([left.count, left.favourite, left.ties, left.by], [1, 1, 2, ['temperature 0']]);
  assert.ok(Math.abs(left.mass - (1 - belief.p[1])) < 1e-12);
});

test('columns: all of them, or the likeliest and one for the rest, which takes what is over', () => {
  const belief = believe(logitsOf(300));
  const columns = columnsOf(belief, 50);
  assert.deepEqual([columns.ids.length, columns.others], [50, 250]);
  const shares = sharesOf(columns, belief.p);
  assert.equal(shares.length, 51);
  assert.ok(Math.abs(shares.reduce((a, b) => a + b) - 1) < 1e-12);
  assert.deepEqual(columnsOf(belief, 300), {ids: belief.order, others: 0});
  assert.deepEqual([columnsFor(65, 948, false), columnsFor(65, 358, false), columnsFor(65, 358, true), columnsFor(257, 948, true), columnsFor(257, 358, true), columnsFor(20, 358, false)], [65, 20, 65, 50, 20, 20]);
});

test('letters of narrow columns stand on several lines, and the bars below them', () => {
  assert.deepEqual([14.6, 12, 10.9, 5.5, 3].map((wide) => letterLines(wide)), [1, 1, 2, 3, 0]);
  const [one, three] = [heights(1, 150), heights(3, 150)];
  assert.equal(one.axis, three.axis);
  assert.equal(three.below - one.below, three.height - one.height);
});

test('tokens that are words stand upright in one line, where a column is as wide as a line of type', () => {
  assert.deepEqual([18, 11, 10.9, 4].map((wide) => letterLines(wide, true)), [1, 1, 0, 0]);
  const [letters, words, none] = [heights(1, 150), heights(1, 150, true), heights(0, 150, true)];
  assert.ok(words.letters > 3 * letters.letters);
  assert.equal(words.height - letters.height, words.letters - letters.letters);
  assert.equal(none.height, letters.height);
});

test('the scale of the bars is in steps and holds the largest', () => {
  assert.deepEqual([0.049, 0.05, 0.051, 0.24, 0.51, 1].map((p) => ceiling(p, 0.01)), [0.05, 0.05, 0.1, 0.25, 0.6, 1]);
});

test('a place among twelve temperatures is a temperature, and back, on the steps of the slider', () => {
  assert.equal(TEMPERATURES.length, 12);
  TEMPERATURES.forEach((temperature, i) => { assert.equal(rowOf(temperature), i); assert.equal(temperatureOf(i), temperature); });
  const slider = SETTINGS[0];
  for (let t = 0.1; t <= slider.max + 1e-9; t += slider.step) {
    const temperature = Math.round(t * 100) / 100;
    assert.equal(temperatureOf(rowOf(temperature)), temperature);
  }
  assert.deepEqual([rowOf(0), rowOf(99), temperatureOf(-3), temperatureOf(40)], [0, 11, 0.1, 3]);
  const logits = logitsOf(30);
  const columns = columnsOf(believe(logits), 30);
  assert.deepEqual([...rowAt(logits, columns, 0.5)], columns.ids.map((id) => probabilities(logits, {temperature: 0.5})[id]));
});

test('the band is the distribution end to end, in the order of the ids', () => {
  const p = Float64Array.from([0.25, 0, 0.5, 0.25]);
  assert.deepEqual(band(p), [{id: 0, from: 0, to: 0.25}, {id: 2, from: 0.25, to: 0.75}, {id: 3, from: 0.75, to: 1}]);
});

test('a thousand rolls are a thousand draws, for successive seeds at one position', () => {
  const p = leave(logitsOf(65), believe(logitsOf(65)), {...PLAIN, top_k: 12}, []).p;
  const counts = new Int32Array(65);
  for (let i = 0; i < 1000; i++) counts[draw(p, u(1603 + i, 54))]++;
  assert.deepEqual(tally(p, thousand(1603, 54)), counts);
  assert.equal(counts.reduce((a, b) => a + b), 1000);
  assert.equal(firstSeed(Number.MAX_SAFE_INTEGER) + 999, Number.MAX_SAFE_INTEGER);
  assert.deepEqual([...tally(Float64Array.from([0, 1, 0]), Float64Array.from([0, 0.5, 1 - 2 ** -53]))], [0, 3, 0]);
});

const words = (parts) => parts.map(({text}) => text).join('');
const left = (patch) => ({p: new Float64Array(65), bits: 3.6, count: 65, mass: 0, by: [], prefix: true, favourite: 0, ties: 1, ...patch});
const said = (settings, patch, favourite = 'o') => words(sentence({settings: {...PLAIN, ...settings}, left: left(patch), size: 65, unit: 'character', favourite}));

test('the sentence is written from the numbers', () => {
  assert.equal(said({temperature: 0.8, top_p: 0.92}, {count: 9, by: ['top-p']}), 'At temperature 0.8 with top-p 0.92, nine characters of 65 are left in the game.');
  assert.equal(said({top_k: 1}, {count: 1}, '\n'), 'At temperature 1 with top-k 1, one character of 65 is left in the game: a line break.');
  assert.equal(said({}, {}), 'Nothing is bent: this is what the model believes, and the choice is as open as one among twelve equally likely characters.');
  assert.equal(said({temperature: 2}, {bits: 5}), 'At temperature 2, all 65 characters stay in the game, and the choice is as open as one among 32 equally likely characters.');
  assert.equal(said({temperature: 0.2}, {bits: 0.01}), 'At temperature 0.2, all 65 characters stay in the game, and the choice of “o” is all but certain.');
  assert.equal(said({temperature: 0}, {count: 1}, ' '), 'At temperature 0 nothing is left to chance: a space follows.');
  assert.equal(said({temperature: 0}, {count: 1, ties: 2}), 'At temperature 0 nothing is left to chance: “o” follows, of two that are equally likely the first in the alphabet.');
  assert.equal(said({top_k: 5, min_p: 0.1, repetition_penalty: 1.2}, {count: 4}), 'At temperature 1 with top-k 5, min-p 0.1 and repetition penalty 1.2, four characters of 65 are left in the game.');
});

test('what was cut and what was drawn, in words', () => {
  assert.equal(cutWords(left({by: ['top-p'], count: 9, mass: 0.076}), 65, 'character'), 'cut by top-p: 56 characters, 7.6 % of the mass');
  assert.equal(cutWords(left({by: ['top-k', 'min-p'], count: 64, mass: 0.2}), 65, 'character'), 'cut by top-k and min-p: 1 character, 20 % of the mass');
  assert.equal(cutWords(left({by: ['top-p'], count: 9, mass: 0.076}), 65, 'character', true), '56 cut by top-p, 7.6 %');
  assert.equal(cutWords(left({}), 65, 'character'), '');
  assert.equal(drawWords({seed: 1603, n: 54, number: 0.57391, piece: 'o'}), 'u(seed 1603, 54) = 0.573 falls on o, in the order of the alphabet');
  assert.equal(drawWords({seed: 1, n: 2, number: 0, piece: '\n'}), 'u(seed 1, 2) = 0.000 falls on line break, in the order of the alphabet');
  assert.equal(drawWords({seed: 1, n: 2, number: 0, piece: ' ca', unit: 'token'}), 'u(seed 1, 2) = 0.000 falls on ␣ca, in the order of the vocabulary');
  assert.equal(drawWords({seed: 1, n: 2, number: 0, piece: '\ufffd', unit: 'token'}), 'u(seed 1, 2) = 0.000 falls on part of a character, in the order of the vocabulary');
  assert.equal(shownNumber(1 - 2 ** -53), '0.999');
  assert.deepEqual([' ', '\n', 'q', '\u0007'].map(quoted), ['a space', 'a line break', '“q”', '“U+0007”']);
  assert.deepEqual([1, 0.2361, 0.05, 0.0003, 1e-7, 0].map(share), ['100.0 %', '23.6 %', '5.0 %', '0.030 %', '<0.001 %', '0 %']);
});

test('texts side by side: how far they agree, and whether they differ or are only shorter', () => {
  assert.deepEqual(part(['abcd', 'abxd', 'abc']), {shared: 2, parted: true});
  assert.deepEqual(part(['abcd', 'ab']), {shared: 2, parted: false});
  assert.deepEqual(part(['a😀b', 'a😁b']), {shared: 1, parted: true});
  assert.deepEqual(part(['x']), {shared: 1, parted: false});
  assert.deepEqual(part([]), {shared: 0, parted: false});
  assert.deepEqual(namesAndValues({...USUAL, top_p: 0.9}), [['Temperature', '0.80'], ['Top-p', '0.90']]);
});

test('each key means one thing, and none with Ctrl', () => {
  const all = KEYS.flatMap(({keys}) => keys);
  assert.equal(new Set(all).size, all.length);
  const press = (key, more = {}) => actionOf(KEYS, {key, ctrlKey: false, metaKey: false, altKey: false, ...more});
  assert.deepEqual([press('r'), press('B'), press('?'), press('x'), press('r', {ctrlKey: true})], ['roll', 'back', 'help', null, null]);
});
