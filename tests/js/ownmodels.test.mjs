import assert from 'node:assert/strict';
import {beforeEach, test} from 'node:test';

const kept = new Map();
globalThis.localStorage = /** @type {any} */ ({getItem: (name) => kept.get(name) ?? null, setItem: (name, value) => kept.set(name, value)});
globalThis.document = /** @type {any} */ ({dispatchEvent() {}});
const {forgetTrainings, isOwn, keepTraining, ownModels, shownName, trainings} = await import('../../ui/assets/common/ownmodels.js');
const {encodeLink} = await import('../../ui/assets/common/links.js');
beforeEach(() => kept.clear());

test('a name is shown without what opens the model', () => {
  assert.equal(shownName('my-night~0123'), 'my-night');
  assert.equal(shownName('shakespeare'), 'shakespeare');
  assert.deepEqual(['my-night~0123', 'shakespeare', null, 3].map(isOwn), [true, false, false, false]);
});

test('trainings are kept by their keys, changed, and forgotten', () => {
  keepTraining({key: 'a', model: 'x~1', ready: false});
  keepTraining({key: 'b', model: 'y~2', ready: true});
  keepTraining({key: 'a', model: 'x~1', ready: true});
  assert.deepEqual(trainings().map(({key}) => key), ['a', 'b']);
  assert.deepEqual(ownModels(), ['y~2', 'x~1']);
  forgetTrainings(({key}) => key === 'a');
  assert.deepEqual(ownModels(), ['y~2']);
  for (let i = 0; i < 50; i++) keepTraining({key: `k${i}`, model: `m~${i}`, ready: true});
  assert.equal(trainings().length, 20);
});

test('what somebody else has written there is left out', () => {
  for (const value of ['{', 'null', '{}', '[null, 1, {"key": 2}, {"key": "a", "model": "shakespeare"}]']) {
    kept.set('gl-trainings', value);
    assert.deepEqual(trainings(), []);
  }
});

test('a browser that keeps nothing breaks nothing', () => {
  const real = globalThis.localStorage;
  globalThis.localStorage = /** @type {any} */ ({getItem() { throw new Error('no'); }, setItem() { throw new Error('no'); }});
  keepTraining({key: 'a', model: 'x~1', ready: false});
  assert.deepEqual(trainings(), []);
  globalThis.localStorage = real;
});

test('a link names such a model without its token', async () => {
  const read = async (packed) => JSON.parse(await new Response(new Blob([Buffer.from(packed, 'base64url')]).stream().pipeThrough(new DecompressionStream('deflate'))).text());
  assert.deepEqual(await read(await encodeLink({tab: 'attention', model: 'my-night~0123'})), {tab: 'attention', model: 'my-night'});
  assert.deepEqual(await read(await encodeLink({model: 'gpt2-tiny', n: 1})), {model: 'gpt2-tiny', n: 1});
});
