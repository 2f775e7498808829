/** Two models side by side: whose turn it is, what is asked, what the numbers say. */
import assert from 'node:assert/strict';
import test from 'node:test';
import {PRESS, bitsPerCharacter, createPair, verdict} from '../../ui/assets/models/pair.js';

const LETTERS = {name: 'letters', letters: true};
const WORDS = {name: 'words', letters: false};

/** A server that writes one letter a token, or one word of three, and finds every token worth two bits. */
function server({refuse = ''} = {}) {
  const asked = [];
  const words = (text) => text.match(/[^]{1,3}/g) ?? [];
  return {
    asked,
    async write(question) {
      asked.push({kind: 'write', ...question});
      if (question.model === refuse) throw new Error('It is too tired.');
      const texts = Array.from({length: question.count}, () => (question.model === 'words' ? 'abc' : 'x'));
      return {ids: texts.map((_, i) => i), texts, notes: [`read by ${question.model}`]};
    },
    async score({model, text, start}) {
      asked.push({kind: 'score', model, text, start});
      const pieces = (model === 'words' ? words(text) : [...text]);
      const some = pieces.slice(start, start + 50); // a piece at a time
      return {total: pieces.length, ids: some.map((_, i) => start + i), pieces: some, bits: some.map((_, i) => (start + i === 0 ? null : 2))};
    },
  };
}

test('both write as many characters, in turns, on one beginning and one seed, and then each reads both', async () => {
  const one = server();
  const pair = createPair(one, () => {});
  await pair.begin([LETTERS, WORDS], 'To be', 7);
  assert.equal(pair.error, '');
  for (const {text} of pair.sides) assert.ok(text.length >= PRESS && text.length < PRESS + 30, String(text.length));
  const turns = one.asked.filter(({kind}) => kind === 'write');
  assert.ok(turns.every(({seed}) => seed === 7));
  assert.deepEqual(turns.slice(0, 4).map(({model}) => model), ['letters', 'words', 'letters', 'words']);
  assert.equal(turns[2].text, `To be${'x'.repeat(16)}`);
  // Subwords go on as they are: the beginning's own, then all that were drawn.
  assert.deepEqual(turns[3].tokens, [0, 1, 0, 1, 2, 3, 4, 5]);
  assert.equal(turns[3].text, undefined);
  assert.deepEqual(pair.sides.map(({notes}) => notes[0]), ['read by letters', 'read by words']);
  assert.deepEqual(pair.readings.map((row) => row.map((bits) => bits?.toFixed(2))), [['2.00', '2.00'], ['0.67', '0.67']]);
  assert.equal(pair.doing, '');
});

test('going on writes as much again, from where they were', async () => {
  const pair = createPair(server(), () => {});
  await pair.begin([LETTERS, WORDS], 'a', 1);
  const before = pair.sides.map(({text}) => text);
  await pair.goOn();
  pair.sides.forEach(({text}, i) => assert.ok(text.startsWith(before[i]) && text.length >= 2 * PRESS));
});

test('stop keeps what is there and asks nothing more', async () => {
  const one = server();
  const pair = createPair(one, () => { if (pair.sides[0]?.text.length >= 32) pair.stop(); });
  await pair.begin([LETTERS, WORDS], 'a', 1);
  assert.equal(pair.doing, '');
  assert.equal(pair.sides[0].text.length, 32);
  assert.deepEqual(pair.readings, []);
  const asked = one.asked.length;
  await new Promise((go) => { setTimeout(go, 20); });
  assert.equal(one.asked.length, asked);
});

test('what the server refuses is said, and the rest stays', async () => {
  const pair = createPair(server({refuse: 'words'}), () => {});
  await pair.begin([LETTERS, WORDS], 'a', 1);
  assert.equal(pair.error, 'It is too tired.');
  assert.equal(pair.sides[0].text.length, 16);
  assert.equal(pair.doing, '');
});

test('bits a character leave out the first token, and are none of a text of one', () => {
  assert.equal(bitsPerCharacter([{pieces: ['abc'], bits: [null]}]), null);
  assert.equal(bitsPerCharacter([{pieces: ['abc', 'de'], bits: [null, 3]}, {pieces: ['f'], bits: [3]}]), 2);
});

test('what the numbers say is one sentence, once all four are known', () => {
  const names = ['a', 'b'];
  assert.equal(verdict(names, [[1, 2], [null, 1]]), '');
  assert.equal(verdict(names, [[1, 2], [2, 1]]), 'Each finds its own text the likelier one.');
  assert.equal(verdict(names, [[1, 2], [1, 2]]), 'Both find what a wrote the likelier text.');
  assert.equal(verdict(names, [[2, 1], [2, 1]]), 'Both find what b wrote the likelier text.');
  assert.match(verdict(names, [[2, 1], [1, 2]]), /^Each finds the other’s text/);
});
