/** The twin of gpt/sampling.py, on the vectors that both reproduce. */
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {test} from 'node:test';

import {draw, entropy, probabilities, ranked, splitmix64, u} from '../../ui/assets/sampling.js';

const vectors = JSON.parse(readFileSync(new URL('../vectors/sampling.json', import.meta.url), 'utf8'));

test('the random number at a position is the same as in Python, bit for bit', () => {
  assert.ok(vectors.random.length > 100);
  for (const {seed, n, bits, u: number} of vectors.random) {
    assert.equal(splitmix64(seed, n).toString(16).padStart(16, '0'), bits);
    assert.equal(u(seed, n), number);
  }
});

test('settings leave the same as in Python, within 1e-6, and the same token is drawn', () => {
  assert.ok(vectors.sampling.length > 50);
  for (const {why, logits, settings, previous, probabilities: expected, number, token} of vectors.sampling) {
    const found = probabilities(logits, settings, previous);
    assert.equal(found.length, expected.length);
    expected.forEach((p, id) => {
      assert.ok(Math.abs(found[id] - p) < 1e-6, `${why}: token ${id} has ${found[id]}, not ${p}`);
      assert.equal(found[id] === 0, p === 0, `${why}: token ${id} is cut in one twin alone`);
    });
    assert.equal(draw(found, number), token, why);
  }
});

test('a draw falls on what has probability, whatever the number', () => {
  const p = Float64Array.from([0, 0.125, 0, 0.875, 0]);
  assert.deepEqual([0, 0.05, 0.125, 0.5, 1 - 2 ** -53].map((number) => draw(p, number)), [1, 1, 3, 3, 3]);
});

test('ranks: the smaller id wins a tie', () => {
  assert.deepEqual(ranked(Float64Array.from([0.2, 0.3, 0, 0.3, 0.2])), [1, 3, 0, 4]);
});

test('entropy is in bits, and that of a certainty is 0, not -0', () => {
  assert.ok(Object.is(entropy(Float64Array.from([0, 1])), 0));
  assert.ok(Math.abs(entropy(new Float64Array(8).fill(1 / 8)) - 3) < 1e-12);
});
