/** The tour: what its stops say follows from the trace on the screen, for any model, and its words are explained once. */
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {GLOSSARY, explain} from '../../ui/assets/attention/glossary.js';
import {mapOf} from '../../ui/assets/attention/maps.js';
import {STOPS, clearest, silencedAnswer, tellingHead, trainingSays} from '../../ui/assets/attention/stops.js';

const SETTINGS = {temperature: 0.7, top_k: 0, top_p: 1};
const role = (name, score, more = {}) => ({role: name, words: name, short: name, says: `Does ${name}.`, score, scores: {[name]: score, ...more}});
const MIXED = {role: 'mixed', words: 'mixed', short: 'mixed', says: 'Nothing.', score: 0, scores: {induction: 0.1}};

/** An app with "abab": two layers of two heads; head h of layer l looks from t at `at(l, h, t)`. */
function appOf({roles = [[MIXED, MIXED], [MIXED, MIXED]], at = () => 0, pieces = [...'abab'], silenced = []} = {}) {
  const rows = [];
  pieces.forEach((_, t) => {
    for (const l of [0, 1]) for (const h of [0, 1]) for (let s = 0; s <= t; s++) rows.push(s === at(l, h, t) ? 255 : 0);
  });
  const said = pieces.flatMap(() => [7, 7, 7]); // one entry for the input and each of two layers
  const trace = {
    layers: 2, heads: 2, tokens: pieces.length, start: 0, side: 0, vocabSize: 65, text: pieces.join(''), pieces, ids: pieces.map((_, i) => i), rows: Uint8Array.from(rows),
    roles, silenced, names: {7: 'c'}, lens: {first: 0, top: 1, ids: Uint32Array.from(said), p: Float32Array.from(said, () => 0.5)},
  };
  return {
    trace, base: null, info: {}, state: {layer: 1, head: 1, seed: 5}, role: (l, h) => roles[l][h], plain: (selection) => mapOf(trace, selection),
  };
}

test('five stops, and every one speaks for any model: with roles or none, one character or subwords, effects or not', () => {
  assert.deepEqual(STOPS.map((stop) => stop.id), ['characters', 'head', 'temperature', 'silencing', 'training']);
  const apps = [appOf(), appOf({pieces: ['a']}), appOf({pieces: ['ab', ' the']}), appOf({roles: [[MIXED, role('induction', 0.8)], [MIXED, MIXED]]})];
  for (const app of apps) {
    for (const effects of [null, {kl: [[0, 0.001], [0, 0]]}, {kl: [[0, 0.5], [1.2, 0]]}]) {
      const facts = {settings: SETTINGS, effects};
      for (const stop of STOPS) {
        const words = [...stop.says(app, facts), stop.question(app, facts), stop.answer(app, facts), stop.title].join(' ');
        assert.doesNotMatch(words, /undefined|NaN|null|Infinity/);
        assert.deepEqual(stop.state(app, facts).settings, SETTINGS);
      }
    }
  }
});

test('every word that is marked has a meaning, and is explained where it comes first', () => {
  const app = appOf({roles: [[MIXED, role('induction', 0.8)], [MIXED, MIXED]]});
  app.info = {parameters: 5e6, loss: 1.4};
  const seen = new Set();
  const terms = STOPS.flatMap((stop) => stop.says(app, {settings: SETTINGS, effects: {kl: [[0, 1], [0, 0]]}}))
    .flatMap((text) => {
      assert.doesNotMatch(explain(text, new Set()).map((piece) => piece.text).join(''), /\[\[|\]\]/);
      return explain(text, seen).flatMap(({term}) => term ?? []);
    });
  assert.equal(new Set(terms).size, terms.length);
  assert.deepEqual([...terms].sort(), Object.keys(GLOSSARY).sort());
});

test('a marked word may stand for another form of its term', () => {
  assert.deepEqual(explain('Two [[heads|head]], a [[head]].', new Set()), [
    {text: 'Two ', term: null}, {text: 'heads', term: 'head'}, {text: ', a ', term: null}, {text: 'head', term: null}, {text: '.', term: null},
  ]);
});

test('the head shown is the best at induction, else the one most sure of a role that looks for something', () => {
  const induction = role('induction', 0.6);
  const best = role('induction', 0.9);
  assert.deepEqual(tellingHead(appOf({roles: [[role('previous', 1), induction], [best, MIXED]]})), {layer: 1, head: 0});
  assert.deepEqual(tellingHead(appOf({roles: [[role('first', 1), role('line', 0.3)], [role('previous', 0.7), role('broad', 0.99)]]})), {layer: 1, head: 0});
  assert.deepEqual(tellingHead(appOf()), {layer: 1, head: 1});
});

test('the position pinned shows what the head is named for', () => {
  const at = (l, h, t) => (t === 3 ? 2 : t === 2 ? 1 : 0); // the one before
  const roles = (name) => [[role(name, 0.8), MIXED], [MIXED, MIXED]];
  assert.deepEqual(clearest(appOf({roles: roles('previous'), at}), {layer: 0, head: 0}), {row: 2, column: 1, weight: 1});
  assert.equal(clearest(appOf({roles: roles('same'), at}), {layer: 0, head: 0}), null);
  const back = (l, h, t) => (t === 3 ? 1 : 0);
  assert.deepEqual(clearest(appOf({roles: roles('same'), at: back}), {layer: 0, head: 0}), {row: 3, column: 1, weight: 1});
});

test('the stop of silencing takes the head with the largest effect, and says it', () => {
  const silencing = STOPS.find((stop) => stop.id === 'silencing');
  const facts = {settings: SETTINGS, effects: {kl: [[0, 0.5], [1.25, 0]]}};
  assert.deepEqual(silencing.state(appOf(), facts).silenced, [[1, 0]]);
  assert.match(silencing.says(appOf(), facts)[0], /head 1\.0 matters most: without it the prediction changes by 1\.25 \[\[bits\|bit\]\]/);
});

test('the answer to it is what came of it', () => {
  const said = (id, p, text) => ({...appOf({silenced: [[0, 0]]}).trace, names: {[id]: text}, lens: {first: 0, top: 1, ids: new Uint32Array(12).fill(id), p: new Float32Array(12).fill(p)}});
  assert.match(silencedAnswer({trace: said(1, 0.4, 'm'), base: said(1, 0.9, 'm')}), /^Yes: m, with 40 %; before it was 90 %/);
  assert.match(silencedAnswer({trace: said(2, 0.4, 'n'), base: said(1, 0.9, 'm')}), /^No\. Now it is n, with 40 %; before it was m, with 90 %/);
  assert.match(silencedAnswer({trace: said(2, 0.4, 'n'), base: null}), /bars/);
});

test('of the training it says what is known, and no more', () => {
  const all = trainingSays({parameters: 4751872, corpus: 'plays', characters: 1003854, steps: 1600, seconds: 3043, loss: 1.4259}, 65, 'character').join(' ');
  for (const known of ['4.75 million', '1,003,854 characters', '(plays)', '1,600 steps', '51 minutes', '1.43', '4.17']) assert.ok(all.includes(known), known);
  const none = trainingSays({}, 65, 'character').join(' ');
  assert.doesNotMatch(none, /\d|loss|undefined/);
});
