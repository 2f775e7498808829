import assert from 'node:assert/strict';
import {test} from 'node:test';
import {among, doing, liveStory, liveTimeline, nothingYet, sentence, takeIn} from '../../ui/assets/training/ownlive.js';
import {measure, readFile, titleOf} from '../../ui/assets/training/owntext.js';

const step = (n, loss, progress) => ({event: 'step', step: n, loss, progress, seconds: n / 10, seconds_left: 60 - n / 10, tokens_per_second: 12_345});
const evaluation = (n, loss, sample = `sample ${n}`) => ({event: 'evaluation', step: n, val_loss: loss, train_loss: loss, seconds: n / 10, sample});
const told = (more) => ({state: 'training', place: 0, left: 0, error: '', has_model: false, minutes: 2, ...more});

test('what happens is taken in piece by piece, and one piece is as good as many', () => {
  const events = [{event: 'loaded'}, {event: 'began', layers: 2, heads: 2}, evaluation(0, 4.2), step(1, 4.2, 0.01), evaluation(1, 3.5), step(5, 3, 0.05), {event: 'saved', step: 5}, evaluation(10, 2.5), {}];
  const whole = nothingYet();
  takeIn(whole, events);
  const parts = nothingYet();
  for (const event of events) takeIn(parts, [event]);
  assert.deepEqual(parts.points, whole.points);
  assert.deepEqual({...whole, points: 0, last: 0}, {...parts, points: 0, last: 0});
  assert.deepEqual(whole.points.filter(({val}) => val !== null).map(({step: n, val}) => [n, val]), [[0, 4.2], [1, 3.5], [10, 2.5]]);
  assert.deepEqual([whole.first, whole.loss, whole.step, whole.saved, whole.saves, whole.speed], [4.2, 2.5, 10, 5, 1, 12_345]);
  assert.equal(whole.samples.get(10), 'sample 10');
});

test('a loss that is no number draws nothing', () => {
  const live = nothingYet();
  takeIn(live, [evaluation(0, null), step(1, null, 0.1), {event: 'step'}]);
  assert.deepEqual([live.points, live.loss, live.batch], [[], null, null]);
});

test('the losses of the batches are smoothed over a tenth of the steps so far', () => {
  const live = nothingYet();
  takeIn(live, [step(1, 4, 0)]);
  assert.equal(live.points.at(-1).train, 4);
  takeIn(live, [step(2, 2, 0)]); // early, a step counts for much
  const early = live.points.at(-1).train;
  assert.ok(early < 3.2 && early > 2, String(early));
  takeIn(live, [step(1000, 2, 0.5), step(1001, 4, 0.5)]); // later for little
  assert.ok(live.points.at(-1).train < 2.05);
  takeIn(live, [step(2000, 3, 0.9)]);
  assert.ok(Math.abs(live.points.at(-1).train - 3) < 0.01);
});

test('the end of the axis is guessed, is never passed, and does not tremble', () => {
  const live = nothingYet();
  takeIn(live, [step(30, 3, 0.01)]);
  assert.equal(live.last, 100);
  takeIn(live, [step(130, 3, 0.015)]);
  assert.equal(live.last, 130);
  takeIn(live, [step(200, 3, 0.1)]);
  assert.equal(live.last, 2000);
  takeIn(live, [step(330, 3, 0.15)]); // 2,200: about the same
  assert.equal(live.last, 2000);
  takeIn(live, [step(2100, 3, 0.99)]);
  assert.ok(live.last >= 2100);
  assert.equal(liveTimeline(live, true, 800).last, 2100);
  assert.equal(liveTimeline(live, true, 800).at, 2100);
  assert.equal(liveTimeline(nothingYet(), false, 800).points.length, 0);
});

test('verses stand only where there is room for them', () => {
  const live = nothingYet();
  takeIn(live, [evaluation(0, 4, 'ab'), evaluation(1, 3.9, 'cd'), ...[10, 40, 100].map((n) => evaluation(n, 3, 'some words'))]);
  for (const room of [0, 60, 300, 1200]) {
    for (const {step: n} of liveTimeline(live, true, room).verses) assert.ok(live.samples.has(n));
  }
  assert.ok(liveTimeline(live, true, 1200).verses.length >= 3);
});

test('the newest moment shows the newest sample, with the attention that was saved last', () => {
  const live = nothingYet();
  assert.deepEqual(liveStory(live, null, 'soon').moments, []);
  takeIn(live, [{event: 'began', layers: 3, heads: 4}, evaluation(0, 4, 'ROMEO:\nxx')]);
  const early = liveStory(live, null, 'soon');
  assert.deepEqual([early.layers, early.heads, early.note, early.prompt, early.moments[0].seen], [3, 4, 'soon', 'ROMEO:\n', null]);
  const seen = {...early, prompt: '', moments: [{step: 0, seconds: 0, val: 4, sample: '', seen: {tokens: 5}}]};
  takeIn(live, [evaluation(10, 3, 'newer')]);
  const later = liveStory(live, seen, 'soon');
  assert.deepEqual([later.moments.length, later.moments[0].sample, later.moments[0].seen, later.note], [1, 'newer', {tokens: 5}, '']);
});

test('each state has its sentence', () => {
  const live = nothingYet();
  assert.equal(sentence(told({state: 'waiting', place: 1, left: 3}), live), 'One training comes before yours: it begins by itself, in at most 3 minutes.');
  assert.match(sentence(told({state: 'waiting', place: 2, left: 6}), live), /^2 trainings come before yours/);
  assert.match(sentence(told({state: 'beginning'}), live), /a few seconds away/);
  assert.match(sentence(told({}), live), /a few seconds away/);
  assert.equal(sentence(told({state: 'stopped'}), live), 'Stopped before it had begun: there is nothing to keep.');
  takeIn(live, [evaluation(0, Math.log(65)), step(1, 3, 0.1)]);
  assert.equal(sentence(told({}), live), 'After 1 step it is as unsure of the next character as among 65.');
  takeIn(live, [evaluation(1400, Math.log(7.31)), {event: 'saved', step: 1400}]);
  assert.equal(sentence(told({}), live), 'After 1,400 steps it is as unsure of the next character as among 7.3, where it began with 65.');
  assert.equal(sentence(told({state: 'failed', error: 'The loss is nan at step 7.'}), live), 'It could not go on. The loss is nan at step 7.');
  assert.match(sentence(told({state: 'died', has_model: true}), live), /ended without a word.*after 1,400 steps is kept/);
  assert.match(sentence(told({state: 'died'}), live), /Nothing was saved yet/);
  assert.match(sentence(told({state: 'finished'}), live), /^It has learned for 2 minutes: /);
  takeIn(live, [evaluation(3000, Math.log(12))]);
  assert.match(sentence(told({}), live), /^It learns its text by heart: .* least after 1,400 steps/);
});

test('what it does is said with how long it takes', () => {
  const live = nothingYet();
  assert.equal(doing(told({state: 'waiting'}), live), 'Waiting');
  assert.equal(doing(told({}), live), 'Loading');
  takeIn(live, [evaluation(0, 4.1), step(10, 3, 0.1)]);
  assert.equal(doing(told({}), live), 'loss 4.10, 12,000 characters a second, 59 s left');
  takeIn(live, [{...step(11, 3, 1), seconds_left: 0}]);
  assert.match(doing(told({}), live), /measuring on all that is held out$/);
});

test('among how many a loss leaves one unsure', () => {
  assert.deepEqual([0, Math.log(7.25), Math.log(65), Math.log(4000)].map(among), ['1.0', '7.3', '65', '4,000']);
});

test('a file of 2 GB is refused before anything of it is read', async () => {
  const file = {name: 'big.txt', size: 2_000_000_000, arrayBuffer: () => assert.fail('it was read')};
  await assert.rejects(readFile(file, 8_000_000), {message: 'big.txt has 2 GB; the limit of this page is 8 MB. Open a part of it.'});
});

test('a file that is not UTF-8 is refused, and one that is comes whole', async () => {
  const file = (...bytes) => ({name: 'a.txt', size: bytes.length, arrayBuffer: async () => new Uint8Array(bytes).buffer});
  await assert.rejects(readFile(file(0x66, 0xfc, 0x72), 100), /^Error: a.txt is not UTF-8/);
  await assert.rejects(readFile({...file(1), arrayBuffer: async () => { throw new Error('gone'); }}, 100), /a.txt cannot be read/);
  assert.equal(await readFile(file(0xef, 0xbb, 0xbf, 0x66, 0xc3, 0xbc, 0x72), 100), 'für');
});

test('a text is measured in characters, not in halves of them', () => {
  assert.equal(measure('', 1000), '');
  assert.equal(measure('😀😀a', 2), '3 characters, 2 different ones');
  assert.equal(measure('ab', 1000), '2 characters, 2 different ones; at least 1,000 are needed');
  assert.equal(titleOf('my.poems.txt'), 'my.poems');
});
