/** Who owes an answer and says nothing: gone, slow, or asleep with the whole device. */
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {createWatch} from '../../ui/assets/gpt/watch.js';

const LIGHT = 4_800_000;

/** What a watch says of so many ticks without a word. */
const ticks = (watch, count) => Array.from({length: count}, () => watch.tick());

test('whoever says nothing for ten ticks is gone, and is asked for a word once', () => {
  assert.deepEqual(ticks(createWatch(LIGHT), 10), ['ask', ...Array(8).fill('wait'), 'gone']);
});

test('a word, of whatever kind, begins it anew', () => {
  const watch = createWatch(LIGHT);
  for (let i = 0; i < 50; i++) {
    assert.ok(!ticks(watch, 3).includes('gone'));
    watch.hear();
  }
  assert.equal(watch.tick(), 'ask');
});

test('whoever owed nothing meanwhile was not silent', () => {
  const watch = createWatch(LIGHT);
  ticks(watch, 9);
  watch.rest();
  assert.ok(!ticks(watch, 9).includes('gone'));
  assert.equal(watch.tick(), 'gone');
});

test('a slow one is given three times as long as it has needed', () => {
  const watch = createWatch(LIGHT);
  ticks(watch, 7);
  watch.hear();
  assert.equal(ticks(watch, 30).indexOf('gone'), 20);
});

test('a larger model is given longer', () => {
  assert.equal(ticks(createWatch(4 * 5_000_000), 60).indexOf('gone'), 39);
});
