/** A model that thinks beside the page, here in the same thread: what is asked at once, and what is given up. Argument: a file of weights. */
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {test} from 'node:test';

import {Refused} from '../../ui/assets/common/ask.js';
import {load, run, start} from '../../ui/assets/gpt.js';

const bytes = () => Uint8Array.from(readFileSync(process.argv[2]));
const thinker = await start(bytes(), {worker: () => null, name: 'mine'});
const alone = load(bytes());
const settings = {temperature: 0.8};
const TEXT = 'ROMEO:\nBut soft, what light through yonder';
const order = {prompt: 'ROMEO:', settings, count: 60, seed: 4};
const all = async (stream) => { const parts = []; for await (const part of stream) parts.push(part); return parts; };

test('a thinker says what it is, and answers under the name it was given', async () => {
  assert.deepEqual({...thinker.about, name: undefined}, {...alone.about, name: undefined});
  const {header} = await thinker.ask('trace', {model: 'another', text: 'a', silenced: []});
  assert.equal(header.model, 'mine');
  const rolled = await thinker.ask('roll', {model: 'another', text: 'a', settings, seed: 1, count: 2});
  assert.equal(rolled.header.model, 'mine');
});

test('a text grows piece by piece, and its pieces are the whole', async () => {
  const parts = await all(thinker.write(order));
  const tokens = [...alone.generate('ROMEO:', settings, {count: 60, seed: 4})].filter(Boolean);
  assert.equal(parts.at(-1).status, 'done');
  assert.ok(parts.slice(0, -1).every(({status}) => status === 'writing'));
  assert.equal(parts.at(-1).text, tokens.map((token) => token?.text).join(''));
  assert.deepEqual(parts.flatMap((part) => part.tokens).map(({id, position}) => [id, position]), tokens.map((token) => [token?.id, token?.position]));
});

test('what is asked at once is answered as if it had been asked alone, more questions than there are caches', async () => {
  const texts = Array.from({length: 12}, (_, i) => TEXT.slice(i % 5, 20 + i));
  const questions = texts.flatMap((text, i) => [['effects', {text}], ['play', {text, settings, seed: i, count: 5, silenced: i % 2 ? [[0, 0]] : []}], ['row', {text, position: i % 3}]]);
  const one = [];
  for (const [name, question] of questions) one.push(await thinker.ask(name, question));
  const [together, written] = await Promise.all([Promise.all(questions.map(([name, question]) => thinker.ask(name, question))), Promise.all([1, 2, 3].map(() => all(thinker.write(order))))]);
  const near = (a, b) => {
    if (ArrayBuffer.isView(a)) return; // weights as bytes
    if (typeof a === 'number') assert.ok(Math.abs(a - b) < 1e-4, `${a} ${b}`);
    else if (a && typeof a === 'object') for (const name of Object.keys(a)) near(a[name], b[name]);
    else assert.equal(a, b);
  };
  near(one, together);
  for (const parts of written) assert.equal(parts.at(-1).text, written[0].at(-1).text);
});

test('what is given up ends with AbortError, and all that was taken comes back', async () => {
  for (let i = 0; i < 20; i++) {
    const control = new AbortController();
    const asked = thinker.ask('effects', {text: TEXT}, control.signal, () => control.abort());
    await assert.rejects(asked, {name: 'AbortError'});
  }
  for (let i = 0; i < 20; i++) for await (const {text} of thinker.write({...order, count: 500})) if (text.length) break;
  await assert.rejects(thinker.ask('trace', {text: TEXT}, AbortSignal.abort()), {name: 'AbortError'});
  const {kl} = await thinker.ask('effects', {text: 'JULIET:'});
  const {kl: expected} = run(alone.headEffects('JULIET:'));
  assert.ok(Math.abs(kl[0][0] - expected[0][0]) < 1e-6);
});

test('progress is told, up to the end', async () => {
  const told = [];
  await thinker.ask('effects', {text: TEXT}, undefined, (progress) => told.push(progress));
  assert.ok(told.length > 4);
  for (const {done, total} of told) assert.ok(done <= total);
});

test('what is wrong is one sentence for the person', async () => {
  await assert.rejects(start(new Uint8Array(50), {worker: () => null}), (error) => error instanceof Refused && error.message === 'This is no file of weights for this page.');
  await assert.rejects(thinker.ask('trace', {text: 5}), Refused);
  await assert.rejects(thinker.ask('fetch_corpus', {text: 'a'}), (error) => error instanceof Refused && error.message === 'A model in the page is not asked for fetch_corpus.');
  await assert.rejects(all(thinker.write({...order, count: 9999})), Refused);
  await assert.rejects(start(bytes(), {worker: () => { throw new Error('no worker from here'); }}).then((other) => { other.close(); throw new RangeError('it thinks in this thread'); }), RangeError);
});

test('a worker that never says that it is there is given up, and one sentence says so', async (t) => {
  t.mock.timers.enable({apis: ['setTimeout']});
  let ended = false;
  const begun = start(bytes(), {worker: () => /** @type {any} */ ({terminate: () => { ended = true; }})});
  t.mock.timers.tick(30_000);
  await assert.rejects(begun, (error) => error instanceof Refused && error.message.startsWith('The model has stopped in this browser'));
  assert.ok(ended);
});

test('a thinker that is closed lets the program end', () => { thinker.close(); });
