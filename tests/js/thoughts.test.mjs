import assert from 'node:assert/strict';
import {test} from 'node:test';

import {createPulse} from '../../ui/assets/prompt/pulse.js';
import {createScorer} from '../../ui/assets/prompt/scorer.js';
import {align, bitsPerCharacter, cut, extremes, join, layOut, placesOf} from '../../ui/assets/prompt/thoughts.js';
import {bitsWords, choiceWords, TINTS} from '../../ui/assets/prompt/tint.js';

/** What a server would know of a text whose k-th token is `pieces[k]`: k bits, and so on. */
function knownOf(pieces, text = pieces.join('')) {
  const each = (f) => pieces.map((piece, k) => (k === 0 ? null : f(k, piece)));
  return {
    text, total: pieces.length, pieces, bits: each((k) => k), p: each((k) => 2 ** -k), rank: each((k) => k), entropy: each(() => 3),
    alternatives: each((k, piece) => [[k, piece, 2 ** -k]]),
  };
}

const answerOf = (known, start, end) => ({...known, start, ...Object.fromEntries(['pieces', 'bits', 'p', 'rank', 'entropy', 'alternatives'].map((name) => [name, known[name].slice(start, end)]))});

test('of a silence while something is written it is asked whether the server is there, and told once when it is not', async () => {
  let there = true;
  let gone = 0;
  /** @type {any[]} */ const heard = [];
  /** @type {(() => void)[]} */ let waits = [];
  const pulse = createPulse(() => { gone++; }, {
    heard: (answer) => { heard.push(answer); },
    reach: async () => { if (!there) throw new TypeError('no network'); return {waiting: 7, long: true}; },
    wait: (resume) => { waits.push(resume); return resume; }, stop: (timer) => { waits = waits.filter((one) => one !== timer); },
  });
  const silence = async () => { const now = waits; waits = []; now.forEach((resume) => resume()); await new Promise((go) => setTimeout(go)); };
  pulse.listen();
  await silence();
  assert.deepEqual([gone, waits.length], [0, 1], 'it is there, and only slow: the next silence is waited for');
  assert.deepEqual(heard, [{waiting: 7, long: true}], 'it says how many wait');
  there = false;
  await silence();
  await silence();
  assert.deepEqual([gone, waits.length], [1, 0]);
  assert.equal(heard.length, 1);
  pulse.listen();
  pulse.rest();
  await silence();
  assert.equal(gone, 1, 'nothing is awaited');
});

test('answers that overlap are joined to what one answer would have been', () => {
  const whole = knownOf([...'To be, or not']);
  const first = join(null, answerOf(whole, 0, 7));
  assert.deepEqual(join(first, answerOf(whole, 5, 13)), {...whole});
});

test('each character of the text finds what was thought of it', () => {
  const {at, units} = layOut('abc', knownOf([...'abc']));
  assert.deepEqual([...at].map((k) => units[k].piece), ['a', 'b', 'c']);
  assert.deepEqual(units.map(({bits}) => bits), [null, 1, 2]);
});

test('a token of several characters is one unit over all of them', () => {
  const {at, units} = layOut('Now is the', knownOf(['Now', ' is', ' the']));
  assert.deepEqual([...at], [0, 0, 0, 1, 1, 1, 2, 2, 2, 2]);
  assert.deepEqual(units.map(({start, end, token}) => [start, end, token]), [[0, 3, 0], [3, 6, 1], [6, 10, 2]]);
});

test('tokens that are parts of one character are one unit, which costs what they cost together', () => {
  const known = knownOf(['a', '\ufffd', '\ufffd', 'b'], 'aéb');
  const {at, units} = layOut('aéb', known);
  assert.deepEqual([...at], [0, 1, 2]);
  assert.equal(units[1].bits, 1 + 2);
  assert.equal(units[1].p, 2 ** -3);
  assert.equal(units[2].token, 3);
});

test('a character of two UTF-16 units is one place', () => {
  assert.deepEqual(placesOf(['x', '🙂', 'y'], 'x🙂y'), [[0, 1], [1, 3], [3, 4]]);
  assert.deepEqual(placesOf(['x', '\ufffd', '\ufffd', '\ufffd'], 'x🙂'), [[0, 1], [1, 3], [1, 3], [1, 3]]);
});

test('a sign for a part that stands in the text itself takes its parts, and not what follows', () => {
  const part = '\ufffd';
  assert.deepEqual(placesOf(['ab', part, part, part, ' sun', ' hat', ' sun'], `ab${part} sun hat sun`), [[0, 2], [2, 3], [2, 3], [2, 3], [3, 7], [7, 11], [11, 15]]);
});

test('parts at the end of a text are its last characters, once all are known', () => {
  const parts = ['a', ...'\ufffd'.repeat(6)];
  const {at, units} = layOut('a日本', knownOf(parts, 'a日本'));
  assert.deepEqual([...at], [0, 1, 1]);
  assert.equal(units[1].piece, '日本');
  const some = layOut('a日本', {...knownOf(parts.slice(0, 4), 'a日本'), total: 7});
  assert.deepEqual([...some.at], [0, 1, -1]);
});

test('what the model did not read is stepped over, what was replaced keeps its place', () => {
  const of = (shown, read) => [...align(shown, read)].map((i) => shown[i]).join('');
  assert.equal(of('It’s 你 naive', "It's  naive"), 'It’s  naive');
  assert.equal(of('abc…def', 'abc...def'), 'abc………def');
  const {at, units} = layOut('It’s 你 so', knownOf([..."It's  so"]));
  assert.equal(at[5], -1);
  assert.equal(units[at[2]].bits, 2);
  assert.equal(units[at[8]].bits, 7);
});

test('of a text that is too long the end was read', () => {
  assert.deepEqual([...align('0123456789', '6789')], [6, 7, 8, 9]);
});

test('a text that is on the screen and was not read yet has no thoughts', () => {
  const {at} = layOut('abcdef', knownOf([...'abc']));
  assert.deepEqual([...at], [0, 1, 2, -1, -1, -1]);
});

test('what begins alike is known of another text, and no more than that', () => {
  const known = knownOf(['Now', ' is', ' the']);
  assert.deepEqual(cut(known, 8)?.pieces, ['Now', ' is']);
  assert.equal(cut(known, 2), null);
});

test('bits a character are the mean over what was predicted', () => {
  assert.equal(bitsPerCharacter(layOut('abc', knownOf([...'abc'])).units), 1.5);
  assert.equal(bitsPerCharacter(layOut('Now is', knownOf(['Now', ' is'])).units), 1 / 3);
  assert.equal(bitsPerCharacter([]), null);
});

test('the first character, of which nothing was expected, is no extreme', () => {
  const {most, least} = extremes(layOut('abcd', knownOf([...'abcd'])).units, 2);
  assert.deepEqual(most.map(({piece}) => piece), ['b', 'c']);
  assert.deepEqual(least.map(({piece}) => piece), ['d', 'c']);
});

test('bands are between nothing and everything, and none for the first character', () => {
  const [first, second] = layOut('ab', {...knownOf([...'ab']), bits: [null, 9], p: [null, 0.002], entropy: [null, 3]}).units;
  assert.deepEqual(['surprise', 'probability', 'entropy'].map((tint) => TINTS[tint].value(first)), [0, 0, 0]);
  assert.deepEqual(['none', 'surprise', 'probability', 'entropy'].map((tint) => TINTS[tint].value(second)), [0, 1, 0.002, 0.5]);
});

test('ranks and bits are said as people say them', () => {
  assert.deepEqual([1, 3, 10, 11, 12, 21, 22, 43, 111].map(choiceWords), ['first choice', 'third choice', 'tenth choice', '11th choice', '12th choice', '21st choice', '22nd choice', '43rd choice', '111th choice']);
  assert.deepEqual([0, 0.001, 1.04, 5.43].map(bitsWords), ['0.0 bits of surprise', '<0.1 bits of surprise', '1.0 bit of surprise', '5.4 bits of surprise']);
});

/** A model that knows every text by its characters, answers at most `most` tokens, and only when it is let. */
function slowModel(most = 4) {
  const waiting = [];
  const questions = [];
  const ask = (question, signal) => new Promise((resolve, reject) => {
    questions.push(question);
    signal.addEventListener('abort', () => reject(new Error('aborted')));
    waiting.push(() => resolve(answerOf(knownOf([...question.text]), question.start, question.start + most)));
  });
  const turn = async () => { waiting.shift()?.(); for (let i = 0; i < 8; i++) await Promise.resolve(); };
  return {ask, turn, questions, waiting};
}

const read = (told) => told.at(-1)?.pieces.join('');

test('between two questions of a text that grows it rests ten times as long as the answer took, and never long', async (t) => {
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const {ask, turn} = slowModel();
  const rests = [];
  const scorer = createScorer(ask, () => {}, (resume, ms) => { rests.push(ms); resume(); });
  let text = '';
  for (const took of [1, 100, 2000]) {
    text += 'abc';
    scorer.want({model: 'm', text, growing: true});
    now += took;
    await turn();
  }
  assert.deepEqual(rests, [500, 1000, 5000]);
});

test('a text is asked for piece by piece, one question at a time, and once', async () => {
  const {ask, turn, questions, waiting} = slowModel();
  const told = [];
  const scorer = createScorer(ask, (known) => told.push(known));
  scorer.want({model: 'm', text: 'abcdefghij', growing: false});
  for (let i = 0; i < 6; i++) {
    assert.ok(waiting.length <= 1);
    await turn();
  }
  assert.deepEqual(questions.map(({start}) => start), [0, 4, 8]);
  assert.equal(read(told), 'abcdefghij');
});

test('while a text grows what is known is not asked for again', async () => {
  const {ask, turn, questions} = slowModel(100);
  const told = [];
  const scorer = createScorer(ask, (known) => told.push(known), (resume) => resume());
  scorer.want({model: 'm', text: 'abc', growing: true});
  scorer.want({model: 'm', text: 'abcd', growing: true});
  await turn();
  scorer.want({model: 'm', text: 'abcdef', growing: false});
  await turn();
  await turn();
  assert.equal(read(told), 'abcdef');
  assert.deepEqual(questions.map(({text, start}) => [text, start]), [['abc', 0], ['abcd', 3], ['abcdef', 4]]);
});

test('between two questions there is a rest while the text grows, and none once it is written', async () => {
  const {ask, turn, questions} = slowModel(100);
  const rests = [];
  const scorer = createScorer(ask, () => {}, (resume, ms) => rests.push({resume, ms}));
  scorer.want({model: 'm', text: 'abc', growing: true});
  await turn();
  for (const text of ['abcd', 'abcde', 'abcdef']) scorer.want({model: 'm', text, growing: true});
  assert.equal(questions.length, 1);
  assert.ok(rests[0].ms >= 500);
  rests[0].resume();
  await turn();
  assert.deepEqual(questions.map(({text}) => text), ['abc', 'abcdef']);
  scorer.want({model: 'm', text: 'abcdefg', growing: false});
  assert.equal(questions.at(-1).text, 'abcdefg');
});

test('a new text starts anew, what was asked before is dropped, and a fork keeps what it begins with', async () => {
  const {ask, turn, questions} = slowModel(100);
  const told = [];
  const scorer = createScorer(ask, (known) => told.push(known));
  scorer.want({model: 'm', text: 'wxyz', growing: false});
  scorer.want({model: 'm', text: 'abcdef', growing: false});
  await turn();
  await turn();
  assert.equal(read(told), 'abcdef');
  scorer.want({model: 'm', text: 'abcX', growing: false});
  assert.equal(read(told), 'abc');
  await turn();
  assert.equal(read(told), 'abcX');
  scorer.want({model: 'm', text: 'abcdef', growing: false}); // walked back
  assert.equal(read(told), 'abcdef');
  assert.deepEqual(questions.map(({text, start}) => [text, start]), [['wxyz', 0], ['abcdef', 0], ['abcX', 3]]);
});

test('another model thinks otherwise: nothing of the first is kept', async () => {
  const {ask, turn, questions} = slowModel(100);
  const told = [];
  const scorer = createScorer(ask, (known) => told.push(known));
  scorer.want({model: 'm', text: 'abc', growing: false});
  await turn();
  scorer.want({model: 'n', text: 'abc', growing: false});
  assert.equal(told.at(-1), null);
  await turn();
  assert.deepEqual(questions.map(({model, start}) => [model, start]), [['m', 0], ['n', 0]]);
});

test('a refusal is told once and not asked again until the text is another', async () => {
  const problems = [];
  let asked = 0;
  const scorer = createScorer(async () => { asked++; throw new Error('The server answered 503.'); }, (known, answer, problem) => problems.push(problem));
  scorer.want({model: 'm', text: 'abc', growing: false});
  for (let i = 0; i < 8; i++) await Promise.resolve();
  scorer.want({model: 'm', text: 'abc', growing: false});
  assert.equal(asked, 1);
  assert.equal(problems.at(-1), 'The server answered 503.');
  scorer.want({model: 'm', text: 'abcd', growing: false});
  assert.equal(asked, 2);
});
