import assert from 'node:assert/strict';
import {test} from 'node:test';

import {linkState, readState} from '../../ui/assets/training/state.js';
import {firsts, readStory, roleAt, rolesAt, scoreOf, tellingHead, wayOf} from '../../ui/assets/training/story.js';
import {duration, losses, lossAt, milestones, nearest, path, place, placeLabels, slots, stepAt, verseOf} from '../../ui/assets/training/timeline.js';
import {factWords, sentenceOf, timelineOf} from '../../ui/assets/training/told.js';

const ROLES = [
  {id: 'previous', words: 'previous character', short: 'previous', says: '', found: true}, {id: 'back', words: 'a fixed number back', short: 'fixed back', says: '', found: true},
  {id: 'induction', words: 'induction', short: 'induction', says: '', found: true}, {id: 'mixed', words: 'mixed', short: 'mixed', says: '', found: false},
];
const STEPS = [0, 1, 10, 100, 1000];

/** One layer of two heads: the first finds what stands before from the third moment on, the second, at the end, what comes again. */
function story(changes = {}) {
  const role = [3, 3, 3, 3, 0, 3, 0, 3, 0, 2];
  const scores = role.flatMap((_, i) => (i % 2 ? [0, 0, [0, 0, 500, 1200, 6000][(i - 1) / 2]] : [[100, 900, 4000, 7000, 7100][i / 2], 0, 0]));
  const rows = Uint8Array.from({length: 5 * 2 * 3}, (_, i) => i);
  return readStory({
    header: {
      model: 'm', layers: 1, heads: 2, unit: 'characters', steps: STEPS, pieces: ['a', 'b'], prompt: 'ROMEO:\n', roles: ROLES,
      lines: STEPS.map((step, i) => [step, i, 4 - i / 2, 4 - i / 4]), samples: Object.fromEntries(STEPS.map((step) => [step, `ROMEO:\nwords of ${step}\n`])), facts: {}, note: '', ...changes,
    },
    blocks: {rows, scores: new Uint8Array(Uint16Array.from(scores).buffer), role: Uint8Array.from(role), offsets: Uint8Array.from(role, () => 3)},
  });
}

test('a step and its place on the axis are each other, and ten times as far is as far again', () => {
  for (const last of [10, 300, 20_000]) for (const step of [0, 1, 10, last]) assert.ok(Math.abs(stepAt(place(step, last), last) - Math.min(step, last)) < 1e-6 * (1 + step));
  assert.equal(place(0, 500), 0);
  assert.equal(place(500, 500), 1);
  const apart = place(10_000, 1e6) - place(1000, 1e6);
  assert.ok(Math.abs(place(100_000, 1e6) - place(10_000, 1e6) - apart) < 0.01);
});

test('the nearest step is so on the axis, not in numbers', () => {
  assert.equal(nearest([0, 100, 1000], 500, 1000), 2);
  assert.equal(nearest([0, 100, 1000], 300, 1000), 1);
  assert.equal(nearest([], 3, 10), -1);
});

test('the losses that are shown hold all that were measured, with a few round lines among them', () => {
  const {low, high, ticks} = losses([{step: 0, train: 4.17, val: 4.18}, {step: 9, train: 1.2, val: null}, {step: 10, train: null, val: 1.44}]);
  assert.ok(low < 1.2 && low >= 0 && high > 4.18);
  assert.deepEqual(ticks, [1, 2, 3, 4]);
  assert.deepEqual(losses([]).ticks, []);
  assert.ok(losses([{step: 0, train: 1.5, val: 1.5}]).high > 1.5);
  for (const span of [0.01, 0.3, 2, 9, 40]) {
    const found = losses([{step: 0, train: 1 + span, val: 1}]).ticks;
    assert.ok(found.length <= 6, `${span}: ${found}`);
  }
});

test('a line goes through what was measured, and the loss between two points is between theirs', () => {
  const points = [{step: 0, train: 4, val: 4}, {step: 10, train: null, val: null}, {step: 30, train: 2, val: 3}];
  assert.equal(path(points, 'train', (step) => step, (loss) => loss), 'M0.0 4.0L30.0 2.0');
  assert.equal(lossAt(points, 0), 4);
  assert.equal(lossAt(points, 30), 3);
  assert.equal(lossAt(points, 99), 3);
  const between = lossAt(points, 10);
  assert.ok(between < 4 && between > 3);
  assert.equal(lossAt([], 3), null);
});

test('milestones are the first, the last, and those between that have room', () => {
  const found = milestones(STEPS, 1000, 600, 150);
  assert.equal(found[0], 0);
  assert.equal(found.at(-1), 1000);
  for (let i = 1; i < found.length; i++) assert.ok((place(found[i], 1000) - place(found[i - 1], 1000)) * 600 >= 100);
  assert.deepEqual(milestones(STEPS, 1000, 0, 150), [0, 1000]);
  assert.deepEqual(milestones([7], 7, 600, 150), [7]);
  assert.deepEqual(milestones([], 7, 600, 150), []);
});

test('words under milestones never lie over one another', () => {
  for (const ends of [true, false]) {
    const steps = [0, 12, 60, 300, 1000];
    const widths = slots(steps, 1000, 800, ends);
    let right = -1;
    steps.forEach((step, i) => {
      const x = place(step, 1000) * 800;
      const left = i === 0 ? x : ends && i === 4 ? x - widths[i] : x - widths[i] / 2;
      assert.ok(left > right, `${i}`);
      right = left + widths[i];
    });
    if (ends) assert.ok(right <= 800);
  }
});

test('labels stand beside their dots, clear of one another and inside', () => {
  const room = {left: 0, right: 400, top: 0, bottom: 200, high: 17};
  const labels = [{x: 100, y: 80, width: 120}, {x: 130, y: 85, width: 120}, {x: 160, y: 90, width: 120}, {x: 170, y: 92, width: 120}, {x: 390, y: 100, width: 100}];
  const boxes = placeLabels(labels, room).map((found, i) => found && {left: found.end ? found.x - labels[i].width : found.x, right: found.end ? found.x : found.x + labels[i].width, top: found.y - 14, bottom: found.y + 3}).filter(Boolean);
  assert.ok(boxes.length >= 4);
  boxes.forEach((a, i) => {
    assert.ok(a.left >= 0 && a.right <= 400 && a.top >= 0 && a.bottom <= 200);
    for (const b of boxes.slice(i + 1)) assert.ok(a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top);
  });
});

test('a verse is a line that was written, without a speaker and cut at a word', () => {
  assert.equal(verseOf('ROMEO:\n\n  Then say it, love, for ever and a day\nno', 20), 'Then say it, love,');
  assert.equal(verseOf('\n a\n'), 'a');
  assert.equal(verseOf(''), '');
  assert.equal(verseOf('xQ;vKz&jTaaaaaaaaaaaaaaaaaaaaaaaaaaa', 10), 'xQ;vKz&jTa');
});

test('times are said as people do', () => {
  assert.deepEqual([0.52, 48, 130, 3720].map(duration), ['0.5 s', '48 s', '2 min 10 s', '1 h 2 min']);
});

test('a story is read moment by moment', () => {
  const it = story();
  assert.deepEqual(it.moments.map(({step, val}) => [step, val]), STEPS.map((step, i) => [step, 4 - i / 4]));
  assert.deepEqual([...it.moments[2].seen.rows], [12, 13, 14, 15, 16, 17]);
  assert.equal(it.line, 'ab');
  assert.equal(it.last, 1000);
});

test('without a story the moments are the evaluations that were told', () => {
  const {lines, samples} = {lines: [[50, 1, 2, 2], [100, 2, 1.5, 1.6]], samples: {100: 'b', 50: 'a'}};
  const it = readStory({header: {model: 'm', layers: 1, heads: 1, unit: 'characters', lines, samples, facts: {}, note: 'none'}, blocks: {}});
  assert.deepEqual(it.moments.map(({step, sample, seen}) => [step, sample, seen]), [[50, 'a', null], [100, 'b', null]]);
  assert.deepEqual(firsts(it), []);
  assert.deepEqual(tellingHead(it), [0, 0]);
  const nothing = readStory({header: {model: 'm', layers: 1, heads: 1, unit: 'characters', lines: [], samples: {}, facts: {}, note: 'none'}, blocks: {}});
  assert.equal(nothing.last, 0);
  assert.deepEqual(nothing.moments, []);
});

test('a head is told with its role, its score and where it goes', () => {
  const it = story();
  assert.equal(roleAt(it, 2, 0, 0).words, 'previous character');
  assert.equal(scoreOf(it, 2, 0, 0, 'previous'), 0.4);
  assert.equal(wayOf(it, 2, 0, 0), '0.40, and rising');
  assert.equal(wayOf(it, 4, 0, 0), '0.71');
  assert.equal(wayOf(it, 0, 0, 1), 'induction from step 1,000');
  assert.equal(scoreOf(it, 0, 0, 1, 'mixed'), 0);
});

test('roles are grouped, with those that come soon, and each is first found once', () => {
  const it = story();
  assert.deepEqual(rolesAt(it, 2), {found: 1, groups: [{id: 'previous', short: 'previous', now: ['0.0'], soon: []}, {id: 'induction', short: 'induction', now: [], soon: ['0.1']}]});
  assert.deepEqual(rolesAt(it, 0).groups.map(({id, soon}) => [id, soon]), [['previous', ['0.0']]]);
  assert.deepEqual(firsts(it), [{step: 10, words: 'previous character'}, {step: 1000, words: 'induction'}]);
  assert.deepEqual(tellingHead(it), [0, 1]);
});

test('a role that comes and goes at once is not found then', () => {
  const it = story();
  it.role[1] = 2; // for the first moment alone
  assert.deepEqual(firsts(it).map(({step}) => step), [10, 1000]);
});

test('the curve is told what the moment is, and gets the same parts while only the handle moves', () => {
  const it = story();
  const [a, b] = [timelineOf(it, 1, 800), timelineOf(it, 3, 800)];
  assert.equal(b.title, 'step 100 of 1,000');
  assert.equal(b.says, 'validation 3.25 nats, 3 s');
  assert.equal(a.marks, b.marks);
  assert.equal(a.verses, b.verses);
  assert.equal(a.points, b.points);
  assert.notEqual(timelineOf(it, 3, 500).verses, b.verses);
  assert.ok(b.verses.every(({text}) => text.startsWith('words of') && !text.includes('ROMEO')));
});

test('facts are said as far as they are known', () => {
  const said = (facts) => factWords(facts).map(([words]) => words).join('');
  assert.equal(said({characters: 1003854, corpus: 'tinyshakespeare', hardware: 'x86_64 CPU, 1 threads', seconds: 3120}), 'Trained on 1,003,854 characters of tinyshakespeare, x86_64 CPU, 1 thread, 52 min 0 s');
  assert.equal(said({seconds: 5, before: 1500}), 'Trained for 5 s; it began with weights of 1,500 steps before');
  assert.equal(said({}), '');
});

test('of a link what is not as it should be is dropped, and named', () => {
  assert.deepEqual(readState({step: 12, layer: 1, head: 0}), {state: {step: 12, layer: 1, head: 0}, dropped: []});
  assert.deepEqual(readState({step: -1, layer: 1.5, head: '0', more: 1}), {state: {}, dropped: ['step', 'layer', 'head']});
  assert.deepEqual(readState([1]).dropped, ['everything']);
  assert.deepEqual(linkState('m', {step: 3, layer: 0, head: 1}), {tab: 'training', model: 'm', training: {step: 3, layer: 0, head: 1}});
});

test('a moment is one sentence, of what is known', () => {
  assert.equal(sentenceOf(story(), 0), 'Before the first step it writes “words of 0”, and none of 2 heads has found a role.');
  assert.equal(sentenceOf(story(), 3), 'After 100 of 1,000 steps it writes “words of 100”, and 1 of 2 heads has found a role.');
  assert.equal(sentenceOf(story(), 4), 'After 1,000 of 1,000 steps it writes “words of 1000”, and 2 of 2 heads have found a role.');
  assert.equal(sentenceOf(story({steps: []}), 2), 'After 10 of 1,000 steps it writes “words of 10”.');
  assert.equal(sentenceOf(story({steps: [], samples: {10: 'ROMEO:\n'}}), 0), 'After 10 of 1,000 steps.');
  assert.equal(sentenceOf(story({steps: [], samples: {}}), 0), '');
});
