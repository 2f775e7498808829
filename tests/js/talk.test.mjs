import assert from 'node:assert/strict';
import {test} from 'node:test';

import {collect, imports, inScript, page, rename as renamed} from '../../ui/assets/attention/bundle.js';
import {embedded} from '../../ui/assets/attention/embedded.js';
import {fromBase64, pack, toBase64, unpack} from '../../ui/assets/common/packet.js';
import {opening} from '../../ui/assets/attention/whole.js';
import {EMPTY, FORMAT, MAX_VIEWS, add, move, ofAttention, read, remove, rename, show, walk, write} from '../../ui/assets/talk/talk.js';

const view = (text, more = {}) => ({tab: 'attention', state: {text, model: 'shakespeare'}, caption: text, says: `says ${text}`, thumb: '', ...more});
const moment = (step, more = {}) => ({tab: 'training', state: {model: 'shakespeare', step, layer: 4, head: 1}, caption: `step ${step}`, says: '', thumb: '', ...more});
const captions = (talk) => talk.views.map((one) => one.caption);
const three = ['a', 'b', 'c'].reduce((talk, text) => add(talk, view(text)), EMPTY);

test('a view is kept after the one that is shown, and is then shown', () => {
  assert.deepEqual(captions(three), ['a', 'b', 'c']);
  assert.equal(three.current, 2);
  const between = add(show(three, 0), view('x'));
  assert.deepEqual([captions(between), between.current], [['a', 'x', 'b', 'c'], 1]);
});

test('a talk is full at its limit', () => {
  let talk = EMPTY;
  for (let i = 0; i < MAX_VIEWS + 3; i++) talk = add(talk, view(String(i)));
  assert.equal(talk.views.length, MAX_VIEWS);
});

test('moving keeps what is shown shown, and stops at the ends', () => {
  const moved = move(show(three, 0), 2, -1);
  assert.deepEqual([captions(moved), moved.current], [['a', 'c', 'b'], 0]);
  const followed = move(show(three, 0), 0, 1);
  assert.deepEqual([captions(followed), followed.current], [['b', 'a', 'c'], 1]);
  assert.equal(move(three, 0, -1), three);
  assert.equal(move(three, 2, 1), three);
  assert.equal(move(three, 7, -1), three);
});

test('removing a view keeps the others in order and what is shown shown', () => {
  assert.deepEqual([captions(remove(three, 0)), remove(three, 0).current], [['b', 'c'], 1]);
  assert.equal(remove(three, 2).current, -1);
  assert.deepEqual(remove(add(EMPTY, view('a')), 0), EMPTY);
});

test('walking goes on and back and holds at the ends', () => {
  const begun = walk({...three, current: -1}, 1);
  assert.equal(begun.current, 0);
  assert.deepEqual([1, 1, 1, -1, -1, -1].reduce((seen, by) => [...seen, walk({...three, current: seen.at(-1)}, by).current], [0]), [0, 1, 2, 2, 1, 0, 0]);
  assert.equal(walk(EMPTY, 1), EMPTY);
});

test('a caption is one line of a limited length', () => {
  assert.equal(rename(three, 1, '  two\n lines ').views[1].caption, 'two lines');
  assert.equal(rename(three, 1, 'x'.repeat(9999)).views[1].caption.length, 400);
});

test('a saved talk is read as it was', () => {
  const talk = add(EMPTY, view('To be', {state: {text: 'To be', model: 'm', layer: 3, pin: 4, silenced: [[0, 1]]}, thumb: 'data:image/png;base64,iVBORw0KGgo='}));
  const {talk: again, said} = read(write(talk));
  assert.deepEqual(said, []);
  assert.deepEqual(again.views, talk.views);
  assert.equal(again.current, -1);
});

test('a talk of several tabs is read as it was, and one that was saved when there was one tab only, too', () => {
  const talk = [view('a'), moment(1450), view('b')].reduce(add, EMPTY);
  const {talk: again, said} = read(write(talk));
  assert.deepEqual(said, []);
  assert.deepEqual(again.views, talk.views);
  const {tab, ...old} = view('old');
  assert.deepEqual(read(JSON.stringify({format: FORMAT, version: 1, views: [old]})), {talk: {views: [view('old')], current: -1}, said: []});
});

test('a hostile view of the Training tab loses what does not fit, and of a tab that there is not, all', () => {
  const views = [
    {tab: 'training', state: {step: 3, layer: -1, head: '1', model: 'x'.repeat(101), text: 'a', play: true}, caption: 5, thumb: 'data:text/html,x', more: 1},
    {tab: 'training', state: {step: 1.5, layer: 0, head: 0}}, {tab: 'training', state: {text: 'ok'}}, {tab: 'training', state: []},
    {tab: 'models', state: {text: 'ok', step: 1}}, {tab: 'constructor', state: {text: 'ok'}}, {tab: '__proto__', state: {text: 'ok'}}, {tab: {toString: 1}, state: {text: 'ok'}}, {tab: null, state: {text: 'ok'}},
  ];
  const {talk, said} = read(JSON.stringify({format: FORMAT, version: 1, views}));
  assert.deepEqual(talk.views, [{tab: 'training', state: {step: 3}, caption: '', says: '', thumb: ''}]);
  assert.equal(said[0], 'View 1: left out layer, head, model, its caption, its picture.');
  assert.deepEqual(said.slice(1, 4), [2, 3, 4].map((i) => `View ${i}: left out the view, which has no step.`));
  assert.deepEqual(said.slice(4), [5, 6, 7, 8, 9].map((i) => `View ${i}: left out the view, which is of no tab that a talk shows.`));
});

test('a file of the Attention tab alone says how many views it has left out', () => {
  assert.deepEqual(ofAttention([view('a'), moment(1), view('b')]), {views: [view('a'), view('b')], said: 'Left out: 1 view of the Training tab, which this file does not have.'});
  assert.deepEqual(ofAttention([moment(1), moment(2)]), {views: [], said: 'Left out: 2 views of the Training tab, which this file does not have.'});
  assert.deepEqual(ofAttention([view('a')]), {views: [view('a')], said: ''});
});

test('a hostile talk loses what does not fit, says so, and brings nothing else in', () => {
  const views = [
    {state: {text: 'ok', layer: -1, view: 'evil', __proto__: {x: 1}, extra: '<script>'}, caption: '<img src=x onerror=alert(1)>', thumb: 'javascript:alert(1)', more: 1},
    {state: {text: 'ok'}, caption: {toString: 'x'}, thumb: 'data:image/svg+xml,<svg onload=alert(1)>'},
    {state: {text: 5}}, {state: null}, 'x', null, 7,
    {state: {text: 'x'.repeat(30_000)}},
  ];
  const {talk, said} = read(JSON.stringify({format: FORMAT, version: 1, views}));
  assert.equal(talk.views.length, 2);
  assert.deepEqual(talk.views[0], {tab: 'attention', state: {text: 'ok'}, caption: '<img src=x onerror=alert(1)>', says: '', thumb: ''});
  assert.deepEqual(talk.views[1], {tab: 'attention', state: {text: 'ok'}, caption: '', says: '', thumb: ''});
  assert.ok(said[0].includes('layer') && said[0].includes('view') && said[0].includes('its picture'));
  assert.equal(said.length, 8);
  assert.equal({}.x, undefined);
});

test('what is no talk is refused in a sentence', () => {
  for (const text of ['', '{', 'null', '[]', '{"format": "other", "views": []}', JSON.stringify({format: FORMAT, version: 2, views: []}), JSON.stringify({format: FORMAT, version: 1, views: {}}), ' '.repeat(4_000_001)]) {
    const {talk, said} = read(text);
    assert.equal(talk, null, text.slice(0, 40));
    assert.equal(said.length, 1);
  }
});

test('more views than a talk may have are left out, and said', () => {
  const {talk, said} = read(JSON.stringify({format: FORMAT, version: 1, views: Array(140).fill({state: {text: 'a'}})}));
  assert.equal(talk.views.length, MAX_VIEWS);
  assert.deepEqual(said, ['A talk has at most 100 views; 40 were left out.']);
});

test('a packet that is packed is unpacked as it was', async () => {
  const header = {layers: 2, text: 'naïve “you”', pieces: ['a', '\n']};
  const blocks = {rows: Uint8Array.of(1, 2, 3), lens_p: new Uint8Array(Float32Array.of(0.5).buffer)};
  const found = await unpack(fromBase64(toBase64(await pack({header, blocks}))));
  assert.deepEqual({...found.header, blocks: undefined}, {...header, blocks: undefined});
  assert.deepEqual(found.blocks, blocks);
});

test('an exported file answers for what it holds and refuses the rest in one sentence', async () => {
  const packet = toBase64(await pack({header: {text: 'ab'}, blocks: {}}));
  const source = embedded([{model: 'm', silenced: [[1, 0], [0, 1]], texts: ['ab'], tokens: [1, 2], packet, rows: [{position: 1, packet}], maps: [{kind: 'layer', layer: 1, head: 0, packet}], effects: {kl: [[1]], loss: [[2]]}}]);
  const silenced = [[0, 1], [1, 0]];
  assert.equal((await source.trace({model: 'm', text: 'ab', silenced})).header.text, 'ab');
  assert.equal((await source.trace({model: 'm', tokens: [1, 2], silenced})).header.text, 'ab');
  assert.equal((await source.row({model: 'm', tokens: [1, 2], silenced, position: 1})).header.text, 'ab');
  assert.equal((await source.map({model: 'm', tokens: [1, 2], silenced, kind: 'layer', layer: 1, head: 3})).header.text, 'ab');
  assert.deepEqual(await source.effects({model: 'm', text: 'ab', silenced}), {kl: [[1]], loss: [[2]]});
  assert.equal(source.live, false);
  for (const ask of [
    () => source.trace({model: 'm', text: 'ab', silenced: []}), () => source.trace({model: 'm', text: 'abc', silenced}),
    () => source.trace({model: 'n', text: 'ab', silenced}), () => source.row({model: 'm', text: 'ab', silenced, position: 0}), () => source.play({}), () => source.rewrite({}),
  ]) await assert.rejects(ask, /This file holds what it was saved with/);
});

test('modules find each other by the names of the import map, types in comments are left alone', async () => {
  const files = {
    'attention/a.js': "import {b} from './b.js';\nimport '../dom.js';\n/** @param {import('./types.js').T} x */\nconst later = () => import('./c.js');",
    'attention/b.js': "export {d} from \"./sub/d.js\";", 'attention/c.js': '', 'attention/sub/d.js': "import {a} from '../a.js';", 'dom.js': '',
  };
  const found = await collect('attention/a.js', async (path) => files[path] ?? assert.fail(path));
  assert.deepEqual([...found.keys()].sort(), Object.keys(files).sort());
  assert.ok(found.get('attention/a.js').startsWith("import {b} from 'gl/attention/b.js';\nimport 'gl/dom.js';"));
  assert.ok(found.get('attention/a.js').includes("import('gl/attention/c.js')"));
  assert.equal(found.get('attention/sub/d.js'), "import {a} from 'gl/attention/a.js';");
  assert.deepEqual(imports("const text = 'from here';", 'a.js'), []);
  assert.equal(renamed("import fs from 'fs';", 'a.js'), "import fs from 'fs';");
});

test('a page opens on one view, or on a talk, and holds nobody’s own name of a model', () => {
  const file = '<b>$&</b><script type="application/json" id="gl-opens">null</script><script>$1</script>';
  const evil = '</script>$1$&<!--';
  const opens = (html) => JSON.parse(/id="gl-opens">([^<]*)<\/script>/.exec(html)[1]);
  const views = [view('a', {caption: evil, state: {text: 'a', model: 'mine~s3cret', pin: 2}}), view('b')];
  const one = opening(file, views, {talk: false, dark: true});
  assert.deepEqual(opens(one), {dark: true, view: {...views[0], state: {text: 'a', pin: 2}}});
  assert.ok(one.startsWith('<b>$&</b>') && one.endsWith('<script>$1</script>'));
  const talk = opening(one, views, {talk: true, dark: false}); // of a page that opened on something
  assert.equal(opens(talk).dark, false);
  assert.deepEqual(read(opens(talk).talk).talk.views.map(({caption}) => caption), [evil, 'b']);
  for (const html of [one, talk]) assert.ok(!html.includes('s3cret'));
  assert.throws(() => opening('<h1>another page</h1>', views, {talk: false, dark: false}), /not the page/);
});

test('nothing that a file holds ends its script or its style', () => {
  const evil = '</script><script>alert(1)</script><!--';
  const html = page({title: evil, modules: new Map([['attention/offline.js', `const x = '${evil}';`]]), styles: ['a::before { content: "</style>"; }'], held: {views: [{caption: evil}]}});
  assert.equal(html.match(/<script/g).length, 3);
  assert.equal(html.match(/<\/script>/g).length, 3);
  assert.equal(html.match(/<\/style>/g).length, 1);
  assert.ok(html.includes("default-src 'none'") && html.includes("connect-src 'none'"));
  assert.deepEqual(JSON.parse(inScript({evil})), {evil});
});
