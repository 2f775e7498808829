import assert from 'node:assert/strict';
import {test} from 'node:test';

import {begin, change, current, fork, MAX_BRANCHES, merge, places, wholeOf, words} from '../../ui/assets/prompt/branches.js';
import {inText, whereWords} from '../../ui/assets/prompt/copied.js';
import {differences} from '../../ui/assets/prompt/differ.js';

const EMPTY = {branches: [], current: null, next: 1};
const made = (prompt, text, example = false) => ({prompt, text, with: {seed: 1}, example});
const idOf = (tree, text) => tree.branches.find((one) => one.text === text)?.id;

/** ROMEO: and two that left it, the second of them from the first. */
function family() {
  let {tree} = begin(EMPTY, made('ROMEO:', ' What, shall I speak no more?'));
  ({tree} = fork(tree, 13, made('ROMEO:', ' What, then')));
  ({tree} = fork(tree, 16, made('ROMEO:', ' What, there')));
  return tree;
}

test('a fork hangs on the text that it left, and is the one on the screen', () => {
  const tree = family();
  assert.deepEqual(tree.branches.map(({id, parent, at}) => [id, parent, at]), [[1, null, 0], [2, 1, 13], [3, 2, 16]]);
  assert.equal(tree.current, 3);
});

test('a fork before the place where its text had left another hangs on that other', () => {
  const tree = family();
  const {tree: next} = fork(tree, 8, made('ROMEO:', ' Wh'));
  assert.equal(current(next)?.parent, 1);
});

test('a prompt written again leaves the first text where the prompt ends; another prompt begins by itself', () => {
  let {tree} = begin(EMPTY, made('ROMEO:', ' one'));
  ({tree} = begin(tree, made('ROMEO:', ' two')));
  assert.deepEqual([current(tree)?.parent, current(tree)?.at], [1, 6]);
  ({tree} = begin(tree, made('JULIET:', ' three')));
  assert.deepEqual([current(tree)?.parent, tree.branches.length], [null, 3]);
});

test('an example makes room, unless somebody has forked it', () => {
  const {tree} = begin(EMPTY, made('ROMEO:', ' example', true));
  assert.deepEqual(begin(tree, made('JULIET:', ' mine')).tree.branches.map(({text}) => text), [' mine']);
  const {tree: forked} = fork(tree, 7, made('ROMEO:', ' other'));
  assert.equal(begin(forked, made('JULIET:', ' mine')).tree.branches.length, 3);
});

test('beyond the limit the oldest that nothing hangs on goes, and is named', () => {
  let {tree} = begin(EMPTY, made('ROMEO:', ' trunk that holds all others'));
  let dropped = null;
  const gone = [];
  for (let i = 0; i < MAX_BRANCHES + 2; i++) {
    ({tree, dropped} = fork({...tree, current: 1}, 8, made('ROMEO:', ` f${i}`)));
    if (dropped) gone.push(dropped.text);
  }
  assert.equal(tree.branches.length, MAX_BRANCHES);
  assert.deepEqual(gone, [' f0', ' f1', ' f2']);
  assert.ok(idOf(tree, ' trunk that holds all others'));
  assert.equal(current(tree)?.text, ` f${MAX_BRANCHES + 1}`);
});

test('a text that comes out as one that is here is not kept twice', () => {
  let {tree} = begin(EMPTY, made('ROMEO:', ' one two'));
  ({tree} = fork(tree, 7, made('ROMEO:', ' one')));
  tree = change(tree, {text: ' one two'});
  const merged = merge(tree);
  assert.deepEqual([merged.branches.length, merged.current], [1, 1]);
});

test('a tree is never changed', () => {
  const tree = family();
  const before = JSON.stringify(tree);
  fork(tree, 3, made('', 'x'));
  change(tree, {text: 'y'});
  begin(tree, made('A', 'b'));
  assert.equal(JSON.stringify(tree), before);
});

test('every branch has a row of its own, below the one it left, and within the width', () => {
  for (const width of [300, 400]) {
    let tree = family();
    for (let i = 0; i < 12; i++) ({tree} = fork(tree, wholeOf(current(tree)).length - 1, made('ROMEO:', ` What, there${'e'.repeat(i)} and on`)));
    const found = places(tree, width);
    assert.deepEqual(found.map(({row}) => row), found.map((_, i) => i));
    for (const {row, from, x, labelX, forks} of found) {
      if (from) assert.ok(from.row < row && from.x < x);
      assert.ok(labelX < width - 100);
      assert.ok(forks.every((one) => one.x >= x));
    }
  }
});

test('the way to the text on the screen goes along its parents, up to where it left each', () => {
  const found = places(family(), 400);
  const [root, first, second] = found;
  assert.equal(root.onPath, root.forks[0].x);
  assert.equal(first.onPath, first.forks[0].x);
  assert.equal(second.onPath, Infinity);
  const other = places({...family(), current: 1}, 400);
  assert.deepEqual(other.map(({onPath}) => onPath), [Infinity, null, null]);
});

test('a branch is named by its first words, and a word that was cut in two is whole', () => {
  assert.equal(words('ROMEO:\nGood sir,\nno more of it', 9), 'Good sir, no more of');
  assert.equal(words('one two', 4), 'two');
  assert.equal(words('', 0), '');
});

test('texts differ in the words that the other does not have', () => {
  const shown = 'the gates before the town of men';
  const {passages, same, words: count} = differences(shown, 'the sun before the old town of men');
  assert.deepEqual(passages.map(([a, b]) => shown.slice(a, b)), ['gates']);
  assert.deepEqual([same, count], [6, 7]);
});

test('equal texts do not differ, and a text differs from none in all its words', () => {
  assert.deepEqual(differences('a b\nc', 'a b\nc').passages, []);
  assert.deepEqual(differences('a b\nc', '').passages, [[0, 3], [4, 5]]);
});

test('places in code points become places on the screen', () => {
  const found = inText({text: '🙂 to be or not', copied: [[2, 7]], unknown: [[0, 1]], longest: {start: 2, end: 7, where: null}}, '🙂 to be or not', 10);
  const on = (passage) => `0123456789🙂 to be or not`.slice(...passage);
  assert.deepEqual([found.copied.map(on), found.unknown.map(on), on([found.longest.start, found.longest.end])], [['to be'], ['🙂'], 'to be']);
});

test('a text that was read otherwise is not marked, and its numbers stand', () => {
  const found = inText({text: "it's", copied: [[0, 4]], unknown: [], longest: {start: 0, end: 4, where: null}}, 'it’s', 0);
  assert.deepEqual([found.copied, found.passages, found.longest.end - found.longest.start], [[], 1, 4]);
});

test('where a passage stands is said in words', () => {
  assert.equal(whereWords({line: 2034, speaker: 'KING RICHARD II', before: 'of\nall the '}), 'line 2,034 of it, KING RICHARD II speaks, after “of all the”');
  assert.equal(whereWords({line: 1, speaker: null, before: ''}), 'line 1 of it');
  assert.equal(whereWords(null), '');
});
