import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {test} from 'node:test';

import {figure, sceneOf} from '../../ui/assets/attention/figure.js';
import {FAMILIES, INKS, breakLines, serif} from '../../ui/assets/attention/figureink.js';
import {layStrip} from '../../ui/assets/attention/figuretext.js';
import {cell, fileName, toCSV, toJSON} from '../../ui/assets/attention/numbers.js';
import {START} from '../../ui/assets/attention/state.js';
import {escape, toSVG} from '../../ui/assets/attention/svg.js';
import {align, difference, mapOf, rowOf} from '../../ui/assets/attention/maps.js';

const measure = (text, {size}) => 0.5 * size * [...text].length;
const HOSTILE = ['<', '&', '"', '\'', ']', ']', '>', '\u0001', '=', '\n', ',', ' '];

/** A trace of one layer and two heads in which every position looks at itself and at the first. */
function traceOf(pieces, more = {}) {
  const [layers, heads, tokens] = [1, 2, pieces.length];
  const rows = new Uint8Array((layers * heads * tokens * (tokens + 1)) / 2);
  let at = 0;
  for (let t = 0; t < tokens; t++) for (let h = 0; h < heads; h++) for (let s = 0; s <= t; s++) rows[at++] = s === t ? 180 : s === 0 ? 150 : 10;
  const role = {role: 'mixed', words: 'mixed', short: 'mixed', says: 'nothing in particular', score: 0.1, scores: {}};
  return {
    id: 'abcdef0123456789', model: 'test', text: pieces.join(''), layers, heads, tokens, start: 0, before: [], blockSize: 64, vocabSize: 65,
    pieces, ids: pieces.map((_, i) => i), rows, side: 0, thumbnails: new Uint8Array(0), names: {}, loss: 2, silenced: [], notes: [],
    lens: {first: 0, top: 0, ids: new Uint32Array(0), p: new Float32Array(0), next: new Float32Array(0)},
    roles: [[role, {...role, role: 'induction', words: 'induction', short: 'induction', score: 0.91}]], ...more,
  };
}

/** What of the application a scene is read from. */
function appOf(trace, state = {}) {
  const whole = {...START, text: trace.text, ...state};
  const selection = {average: whole.average, layer: whole.layer, head: whole.head};
  const said = [[{id: 1, text: 'e', p: 0.6}, {id: 2, text: ' ', p: 0.2}], [{id: 3, text: 'm', p: 0.9}, {id: 4, text: '<', p: 0.05}]];
  const app = {
    trace, state: whole, base: null, selection: () => selection, row: () => whole.pin ?? trace.tokens - 1, pinned: () => whole.pin,
    map: () => mapOf(trace, selection), weights: (t) => rowOf(mapOf(trace, selection), t), role: (l, h) => trace.roles[l][h], exact: () => null, exactRow: () => null, compared: () => null,
    lens: (t, of) => (of?.said ?? said), ink: () => ({scale: whole.scale, colours: whole.colours, dark: whole.dark ?? false}),
  };
  return app;
}

const sceneWith = (pieces, state, more) => sceneOf(appOf(traceOf(pieces, more), state), [{text: 'It looks '}, {text: 'back', mark: true}, {text: '.'}]);
const PLAY = [...'ROMEO:\nIf I profane with my unworthiest hand\nThis holy shrine'];
const texts = (items) => items.flatMap((item) => (item.kind === 'runs' ? [item.runs.map((run) => run.text).join('')] : item.kind === 'text' ? [item.text] : []));

test('the inks and the type of a figure are those of the page', () => {
  const css = readFileSync(new URL('../../ui/assets/frame.css', import.meta.url), 'utf-8');
  for (const name of ['light', 'dark']) {
    const block = css.split(`/* inks, ${name} */`)[1].split('}')[0];
    const inks = Object.fromEntries([...block.matchAll(/--gl-([\w-]+): (#\w+);/g)].map(([, key, value]) => [key.replace('-', ''), value]));
    for (const [key, value] of Object.entries(INKS[name])) assert.equal(value, inks[key], `${name} ${key}`);
  }
  for (const [name, stack] of Object.entries(FAMILIES)) assert.ok(css.includes(`--gl-${name}: ${stack};`));
});

test('a figure says the sentence, the text, the head, its role, the scale, the model, its id and the seed', () => {
  const {width, height, items} = figure(sceneWith(PLAY, {head: 1, pin: 9}), measure);
  const words = texts(items);
  assert.equal(width, 1440);
  assert.ok(height > 700 && height < 1000, String(height));
  assert.equal(words[0], 'It looks back.');
  for (const said of ['If I profane with my unworthiest hand', 'Head 0.1', 'induction 0.91', 'weight, square root scale', 'All heads', 'Next character', '90 %']) assert.ok(words.includes(said), said);
  assert.ok(words.some((line) => line.startsWith('test   abcdef012345   seed ')));
  assert.ok(words.includes('·'.repeat(6)) && words.includes('¶'));
});

test('nothing of a figure stands outside it', () => {
  for (const view of ['map', 'arcs', 'row', 'lens']) {
    const {width, height, items} = figure(sceneWith(PLAY, {view, pin: 20}), measure);
    for (const item of items) {
      if ('x' in item) assert.ok(item.x >= 0 && item.x + ('w' in item ? item.w : 0) <= width, `${view} ${JSON.stringify(item).slice(0, 120)}`);
      if ('y' in item) assert.ok(item.y >= 0 && item.y + ('h' in item ? item.h : 0) <= height, `${view} ${JSON.stringify(item).slice(0, 120)}`);
    }
  }
});

test('the pin is red, and without one nothing in the text is', () => {
  const red = (state) => figure(sceneWith(PLAY, {...state, average: 'layer'}), measure).items
    .filter((item) => item.x < 420 && (item.stroke === INKS.light.red || (item.runs ?? []).some((run) => run.fill === INKS.light.red))).length
    + figure(sceneWith(PLAY, state), measure).items.filter((item) => item.kind === 'runs' && item.runs.some((run) => run.fill === INKS.light.red)).length;
  assert.ok(red({pin: 9}) >= 2);
  assert.equal(red({}), 0);
});

test('on dark the page and the ink are dark ones', () => {
  const {page, items} = figure(sceneWith(PLAY, {dark: true}), measure);
  assert.equal(page, INKS.dark.page);
  const used = new Set(items.flatMap((item) => [item.fill, item.stroke]).filter(Boolean));
  assert.ok(!used.has(INKS.light.ink) && !used.has(INKS.light.red));
});

test('with heads silenced the bars are paired, and the thumbnail is marked', () => {
  const app = appOf(traceOf(PLAY, {silenced: [[0, 1]]}), {silenced: [[0, 1]]});
  app.base = {...traceOf(PLAY), said: [[{id: 3, text: 'm', p: 0.1}], [{id: 3, text: 'm', p: 0.41}]]};
  const words = texts(figure(sceneOf(app, []), measure).items);
  for (const said of ['41 %', '90 %', 'all heads', '0.1 silenced', 'silenced']) assert.ok(words.includes(said), said);
});

test('a difference is drawn, signed and named as one, in the map and in every other view', () => {
  const trace = traceOf(PLAY);
  const other = traceOf(PLAY);
  const t = 30;
  const from = (t * (t + 1)) + t + 1; // the second head's row
  other.rows.set([10, 180], from);
  trace.rows.set([150, 10], from); // 0.35 and 0.00 against 0.00 and 0.50
  const app = appOf(trace, {head: 1, pin: t, second: 'x'});
  const map = difference(mapOf(trace, app.selection()), mapOf(other, app.selection()), align(trace.ids, other.ids));
  Object.assign(app, {map: () => map, weights: (row) => rowOf(map, row), compared: () => 'text', ink: () => ({scale: 'sqrt', colours: 'ink', dark: false, signed: true})});
  const drawn = (view) => { app.state.view = view; return figure(sceneOf(app, []), measure).items; };
  const words = texts(drawn('map'));
  for (const said of ['difference, square root scale', '−1', '−.25', '0', '+.25', '+1', '−0.50']) assert.ok(words.includes(said), said);
  assert.ok(words.some((line) => line.startsWith('This text minus the other')));
  assert.ok(texts(drawn('row')).includes('+0.34') && texts(drawn('row')).includes('−0.50'));
  for (const view of ['row', 'arcs']) {
    const used = drawn(view).flatMap((item) => [item.fill, item.stroke]);
    assert.ok(used.includes(INKS.light.blue) && used.includes(INKS.light.ochre), view);
  }
  const scene = sceneOf(app, []);
  const lines = toCSV(scene).split('\r\n');
  assert.ok(lines[0].endsWith(',difference'));
  assert.ok(lines.some((line) => line.startsWith(`${t},`) && Number(line.split(',').at(-1)) < -0.49));
  assert.equal(JSON.parse(toJSON(scene, app.exact)).map.minus, 'the other text');
  const arcs = drawn('map').filter((item) => item.d?.includes(' C')); // they say what is looked at, and a difference is not that
  assert.equal(arcs.length, 0);
});

test('maps of long texts have as many pixels as the picture, those of short ones a pixel a cell', () => {
  const sides = (tokens, scale) => figure(sceneWith(Array(tokens).fill('a'), {}, {blockSize: 256}), measure, scale).items
    .filter((item) => item.kind === 'image' && item.h > 500).map((item) => [item.columns, item.w]);
  assert.deepEqual(sides(60, 1), [[64, 576]]);
  assert.deepEqual(sides(60, 4), [[64, 576]]);
  assert.deepEqual(sides(250, 1), [[600, 600]]);
  assert.deepEqual(sides(250, 2), [[1200, 600]]);
});

test('a trace of thumbnails draws them, and the one map that was fetched', () => {
  const [layers, heads, side] = [12, 12, 64];
  const trace = traceOf(Array(300).fill('ab '), {layers, heads, side, blockSize: 1024, rows: new Uint8Array(0), thumbnails: new Uint8Array(layers * heads * side * side).fill(90), roles: []});
  const whole = {tokens: 300, signed: false, values: new Float32Array((300 * 301) / 2).fill(0.01)};
  const app = {...appOf(trace), map: () => whole, weights: (t) => rowOf(whole, t), role: () => null};
  const scene = sceneOf(app, []);
  const {items, width, height} = figure(scene, measure);
  assert.equal(items.filter((item) => item.kind === 'image' && item.w < 30 && item.h === item.w).length, layers * heads);
  assert.ok(items.every((item) => !('w' in item) || (item.x + item.w <= width && item.y + item.h <= height)));
  const found = JSON.parse(toJSON(scene, () => null));
  assert.deepEqual(found.row.heads, []);
  assert.equal(found.map.weights.length, 300);
});

test('a long line is turned over at a word and hangs; a word wider than the strip is cut', () => {
  const placed = layStrip([...'to be or not\nto'], 38, serif(10), measure);
  const lines = [0, 1, 2, 3].map((line) => placed.filter((c) => c.line === line).map((c) => c.character).join(''));
  assert.deepEqual(lines, ['to be ', 'or ', 'not\n', 'to']);
  assert.equal(placed.find((c) => c.line === 1).x, 12);
  const wide = layStrip([...'x'.repeat(40)], 40, serif(10), measure);
  assert.ok(wide.every((c) => c.x + c.w <= 40));
});

test('a piece of several characters keeps its position on every one of them', () => {
  assert.deepEqual(layStrip(['Go', 'od ', 'my'], 400, serif(10), measure).map((c) => c.position), [0, 0, 1, 1, 1, 2, 2]);
});

test('a sentence is broken where it is too wide, and marks are kept', () => {
  const lines = breakLines([{text: 'one two '}, {text: 'three', mark: true}], serif(10), 45, measure);
  assert.deepEqual(lines.map((line) => line.map((w) => w.text).join('')), ['one two ', 'three']);
  assert.equal(lines[1][0].mark, true);
});

test('SVG escapes what markup would be and replaces what XML forbids', () => {
  assert.equal(escape('<a href="x">&\'\u0000\u000b\ud800]]>'), '&lt;a href=&quot;x&quot;&gt;&amp;&#39;\ufffd\ufffd\ufffd]]&gt;');
  assert.equal(escape('😀'), '😀');
  const svg = toSVG(figure(sceneWith(HOSTILE, {caption: ''}), measure), () => 'data:image/png;base64,', '</desc><script>alert(1)</script>');
  assert.ok(!/<script/i.test(svg) && !svg.includes(']]>') && !/[\0-\x08\x0B-\x1F]/.test(svg));
  assert.ok(!/<[^>]*<[^>]*>/.test(svg.replace(/^<\?xml.*\?>/, '')), 'every bracket closes');
});

test('CSV holds the whole lower triangle with labels, quoted as RFC 4180 says, and no formula', () => {
  const scene = sceneWith(HOSTILE, {});
  const csv = toCSV(scene);
  const rows = parse(csv);
  const T = HOSTILE.length;
  assert.deepEqual(rows[0], ['row', 'row piece', 'column', 'column piece', 'weight']);
  assert.equal(rows.length - 1, (T * (T + 1)) / 2);
  assert.ok(rows.every((row) => row.length === 5));
  for (const [t, piece, s, , weight] of rows.slice(1)) {
    assert.ok(!/^[=+\-@\t\r]/.test(piece));
    assert.ok([HOSTILE[t], `'${HOSTILE[t]}`].includes(piece));
    assert.ok(Math.abs(Number(weight) - rowOf(scene.map, Number(t))[s]) < 1e-6);
  }
  for (const risky of ['=1+1', '+1', '-1', '@x', '\t=1', ' =1', '\n=1', '%0']) assert.ok(cell(risky).replace(/^"/, '').startsWith('\''), JSON.stringify(risky));
  assert.equal(cell('a"b'), '"a""b"');
  assert.equal(cell('m'), 'm');
});

test('JSON holds the state, the text, the map, all heads at the row, the lens and the checkpoint', () => {
  const scene = sceneWith(PLAY, {pin: 9});
  const exact = Float32Array.from({length: 10}, () => 0.125);
  const found = JSON.parse(toJSON(scene, (t, layer, head) => (head === 1 ? exact : null)));
  assert.equal(found.checkpoint, 'abcdef0123456789');
  assert.deepEqual(found.pieces, PLAY);
  assert.equal(found.map.weights.length, PLAY.length);
  assert.equal(found.map.weights[9].length, 10);
  assert.deepEqual(found.row.heads.map((head) => head.exact), [false, true]);
  assert.equal(found.row.heads[1].weights[3], 0.125);
  assert.ok(Math.abs(found.row.heads[0].weights[9] - (180 / 255) ** 2) < 1e-6);
  assert.equal(found.lens.length, 2);
  assert.equal(found.next.all_heads[0].text, 'm');
  assert.equal(found.state.pin, 9);
});

test('names of files hold nothing that a disk refuses', () => {
  assert.equal(fileName(['attention', 'shakespeare', 'head 5.2'], 'png'), 'attention-shakespeare-head-5.2.png');
  assert.equal(fileName(['../../etc/passwd', 'a\u0000b', '..', '<>|:*?"'], 'svg'), 'etc-passwd-a-b.svg');
  assert.equal(fileName([''], 'csv'), 'attention.csv');
  assert.ok(fileName(['x'.repeat(999)], 'json').length < 120);
});

/** RFC 4180, read by the book. */
function parse(csv) {
  const rows = [];
  let row = [];
  let field = '';
  let quoted = false;
  for (let i = 0; i < csv.length; i++) {
    const c = csv[i];
    if (quoted) {
      if (c === '"' && csv[i + 1] === '"') { field += '"'; i++; } else if (c === '"') quoted = false; else field += c;
    } else if (c === '"') quoted = true;
    else if (c === ',') { row.push(field); field = ''; } else if (c === '\r' && csv[i + 1] === '\n') { rows.push([...row, field]); row = []; field = ''; i++; } else field += c;
  }
  return rows;
}
