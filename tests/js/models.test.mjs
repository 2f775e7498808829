/** The Models tab's pure parts: the shared scale, words, and the card's Markdown. */
import assert from 'node:assert/strict';
import test from 'node:test';
import {blocks, parts} from '../../ui/assets/models/markdown.js';
import {arriving, bytes, inMemory, left, place, scaleOf} from '../../ui/assets/models/scale.js';

test('a scale holds every value, with room on both sides, in few round steps', () => {
  for (const values of [[2.006, 2.105], [2.0], [1.2, 6.02], [0.01, 0.02], [3, 3, 3]]) {
    const scale = scaleOf(values);
    assert.ok(scale.low <= Math.min(...values) && scale.high >= Math.max(...values), JSON.stringify(scale));
    assert.ok(scale.ticks.length >= 2 && scale.ticks.length <= 8, JSON.stringify(scale));
    assert.equal(scale.ticks[0], Number(scale.low.toFixed(4)));
    assert.ok(values.every((value) => place(value, scale) >= 0 && place(value, scale) <= 1));
  }
});

test('without a value there is no scale, and what is not measured does not stretch it', () => {
  assert.equal(scaleOf([]), null);
  assert.equal(scaleOf([NaN]), null);
  assert.deepEqual(scaleOf([2, NaN]), scaleOf([2]));
});

test('places keep the order and the distances of the values', () => {
  const scale = scaleOf([1.8, 2.0, 2.4]);
  const [a, b, c] = [1.8, 2.0, 2.4].map((value) => place(value, scale));
  assert.ok(a < b && b < c);
  assert.ok(Math.abs((c - b) / (b - a) - 2) < 1e-9);
});

test('sizes and times are said as people say them', () => {
  assert.deepEqual([9527822, 548105171, 2100000000, 900].map(bytes), ['9.5 MB', '548.1 MB', '2.1 GB', '1 kB']);
  assert.deepEqual([null, 0.4, 12.4, 200].map(left), ['', 'a second left', '12 seconds left', '3 minutes left']);
});

test('an arrival says what is done, how far, and for how long', () => {
  const arrival = {name: 'ada/sonnets', state: 'fetching', done: 6.2e6, total: 9.4e6, left: 4, error: ''};
  assert.equal(arriving(arrival), 'Fetching ada/sonnets: 6.2 of 9.4 MB, 4 seconds left');
  assert.equal(arriving({...arrival, done: 9.4e6, left: 0}), 'All of ada/sonnets is here and is read; a large model takes up to a minute');
  assert.equal(arriving({...arrival, state: 'asking'}), 'Asking the Hub for ada/sonnets');
  assert.match(arriving({...arrival, state: 'stopped'}), /^Stopped\. Nothing of ada\/sonnets/);
  assert.equal(arriving({...arrival, state: 'failed', error: 'no such repository'}), 'no such repository');
});

test('which models are in memory is one sentence', () => {
  assert.match(inMemory([], 3), /^No model is in memory yet/);
  assert.match(inMemory(['a'], 3), /^In memory: a\. Of at most 3/);
  assert.match(inMemory(['a', 'b', 'c'], 3), /^In memory: a, b and c\./);
});

test('a card is headings, paragraphs, lists and code', () => {
  assert.deepEqual(blocks('# Title\n\nOne line\nand on.\n\n- a\n- b\n  goes on\n\n1. c\n\n```python\nx = "# no heading"\n```\n\n    indented\n\n    still\n\nEnd'), [
    {kind: 'heading', level: 1, text: 'Title'},
    {kind: 'paragraph', text: 'One line and on.'},
    {kind: 'list', ordered: false, items: ['a', 'b goes on']},
    {kind: 'list', ordered: true, items: ['c']},
    {kind: 'code', text: 'x = "# no heading"'},
    {kind: 'code', text: 'indented\n\nstill'},
    {kind: 'paragraph', text: 'End'},
  ]);
});

test('markup, links and pictures of a card stay what they are: text', () => {
  const hostile = '<img src=x onerror=alert(1)>\n\n[a](javascript:alert(1)) ![b](http://c)\n\n# <script>alert(1)</script>';
  assert.deepEqual(blocks(hostile), [
    {kind: 'paragraph', text: '<img src=x onerror=alert(1)>'},
    {kind: 'paragraph', text: '[a](javascript:alert(1)) ![b](http://c)'},
    {kind: 'heading', level: 1, text: '<script>alert(1)</script>'},
  ]);
});

test('a fence that never ends is code to the end, and endless lines end', () => {
  assert.deepEqual(blocks('```\na\nb'), [{kind: 'code', text: 'a\nb'}]);
  const began = performance.now();
  blocks('- '.repeat(60_000));
  blocks('#'.repeat(60_000));
  parts('`'.repeat(30_000) + '*'.repeat(30_000));
  blocks(`# ${'a #'.repeat(20_000)}`);
  assert.ok(performance.now() - began < 1000);
});

test('code and strong words of a line are told apart from the rest', () => {
  assert.deepEqual(parts('see `gpt/heads.py` and **this**.'), [
    {kind: 'text', text: 'see '}, {kind: 'code', text: 'gpt/heads.py'}, {kind: 'text', text: ' and '}, {kind: 'strong', text: 'this'}, {kind: 'text', text: '.'},
  ]);
});
