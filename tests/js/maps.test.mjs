/** Maps, scales and pixels, against small cases worked out by hand. */
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {colour, letters, table} from '../../ui/assets/common/colours.js';
import {lights} from '../../ui/assets/attention/light.js';
import {align, difference, mapOf, rollout, rowOf, strongest, withoutFirst} from '../../ui/assets/attention/maps.js';
import {capacityFor, paint, paintRow} from '../../ui/assets/attention/raster.js';
import {cut, extend} from '../../ui/assets/attention/wire.js';
import {percent, place, placeSigned, tick} from '../../ui/assets/common/scales.js';

const INK = {scale: 'sqrt', colours: 'ink', dark: false};
const near = (found, wanted, by = 1e-6) => assert.ok(Math.abs(found - wanted) <= by, `${found} is not ${wanted}`);

/** Two layers of two heads over three tokens: head h of layer l puts all on position `at(l, h, t)`. */
function trace(at) {
  const rows = [];
  for (let t = 0; t < 3; t++) {
    for (const l of [0, 1]) for (const h of [0, 1]) for (let s = 0; s <= t; s++) rows.push(s === at(l, h, t) ? 255 : 0);
  }
  return {layers: 2, heads: 2, tokens: 3, rows: Uint8Array.from(rows)};
}

test('a head, the mean of a layer and the mean of all', () => {
  const found = trace((l, h, t) => (h === 0 ? t : 0));
  assert.deepEqual([...mapOf(found, {average: 'head', layer: 1, head: 0}).values], [1, 0, 1, 0, 0, 1]);
  assert.deepEqual([...mapOf(found, {average: 'layer', layer: 0, head: 0}).values], [1, 0.5, 0.5, 0.5, 0, 0.5]);
  assert.deepEqual([...mapOf(found, {average: 'all', layer: 0, head: 0}).values], [1, 0.5, 0.5, 0.5, 0, 0.5]);
});

test('rollout mixes each layer with the identity, and multiplies', () => {
  // Every position looks at the first: 0.5 stays in a layer; after two, 0.25 stays and 0.75 comes from the first.
  const first = Float32Array.from([1, 1, 0, 1, 0, 0]);
  assert.deepEqual([...rollout([first], 3)], [1, 0.5, 0.5, 0.5, 0, 0.5]);
  assert.deepEqual([...rollout([first, first], 3)], [1, 0.75, 0.25, 0.75, 0, 0.25]);
});

test('without the first position the others share what is left', () => {
  const map = {tokens: 3, signed: false, values: Float32Array.from([1, 0.5, 0.5, 0.5, 0.125, 0.375])};
  assert.deepEqual([...withoutFirst(map).values], [0, 0, 1, 0, 0.25, 0.75]);
  assert.deepEqual([...map.values.slice(0, 2)], [1, 0.5]);
});

test('texts are aligned by how they begin and end', () => {
  assert.deepEqual([...align('abcd', 'abXcd')], [0, 1, 3, 4]);
  assert.deepEqual([...align('abXcd', 'abcd')], [0, 1, -1, 2, 3]);
  assert.deepEqual([...align('abcd', 'aXYd')], [0, 1, 2, 3]);
  assert.deepEqual([...align('', 'abc')], []);
  assert.deepEqual([...align('aaa', 'aa')], [0, 1, -1]);
});

test('a difference is of aligned cells, and nothing where there is no counterpart', () => {
  const a = {tokens: 2, signed: false, values: Float32Array.from([1, 0.75, 0.25])};
  const b = {tokens: 3, signed: false, values: Float32Array.from([1, 0.5, 0.5, 0.25, 0.25, 0.5])};
  assert.deepEqual([...difference(a, b, Int32Array.from([0, 2])).values], [0, 0.5, -0.25]);
  assert.deepEqual([...difference(a, b, Int32Array.from([0, -1])).values], [0, 0, 0]);
  assert.equal(difference(a, b, Int32Array.from([0, 1])).signed, true);
});

test('scales keep 0 and 1 and never fall', () => {
  for (const scale of ['linear', 'sqrt', 'log', 'row']) {
    assert.equal(place(scale, 0), 0);
    assert.equal(place(scale, 1), 1);
    for (let w = 0; w < 1; w += 0.01) assert.ok(place(scale, w) <= place(scale, w + 0.01));
  }
  near(place('sqrt', 0.25), 0.5);
  near(place('log', 0.01), 0.5);
  near(place('row', 0.1, 0.2), 0.5);
  near(placeSigned('linear', -0.5), 0.25);
  assert.equal(placeSigned('sqrt', 0), 0.5);
});

test('numbers are short, and what is not nothing does not look so', () => {
  assert.deepEqual([0, 1 / 16, 0.25, 9 / 16, 1, 0.0001].map(tick), ['0', '.06', '.25', '.56', '1', '.0001']);
  assert.deepEqual([1, 0.93, 0.03, 0.0001, 0].map(percent), ['100 %', '93 %', '3.0 %', '<0.1 %', '0 %']);
});

test('colour maps run from the page to their darkest, in light and dark', () => {
  const channels = (packed) => [packed & 255, (packed >> 8) & 255, (packed >> 16) & 255];
  assert.deepEqual(channels(table('ink', false)[0]), [0xfc, 0xfc, 0xfa]);
  assert.deepEqual(channels(table('ink', true)[0]), [0x13, 0x14, 0x17]);
  assert.deepEqual(channels(table('ink', false)[255]), [0x1b, 0x1a, 0x4d]);
  const luminance = (packed) => channels(packed).reduce((sum, c, i) => sum + [0.2126, 0.7152, 0.0722][i] * (c / 255) ** 2.2, 0);
  for (const name of ['ink', 'cividis', 'viridis', 'magma']) {
    const all = [...table(name, false)].map(luminance);
    const falling = all[0] > all[255];
    for (let i = 1; i < 256; i++) assert.ok(falling ? all[i] <= all[i - 1] + 1e-3 : all[i] >= all[i - 1] - 1e-3, `${name} at ${i}`);
  }
});

test('letters on every tint have a contrast of at least 4.5', () => {
  const linear = (c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
  for (const name of ['ink', 'surprise', 'difference', 'cividis', 'viridis', 'magma']) {
    for (const dark of [false, true]) {
      table(name, dark).forEach((packed, i) => {
        const l = 0.2126 * linear(packed & 255) + 0.7152 * linear((packed >> 8) & 255) + 0.0722 * linear((packed >> 16) & 255);
        const contrast = letters(name, dark, i / 255) === '#000' ? (l + 0.05) / 0.05 : 1.05 / (l + 0.05);
        assert.ok(contrast >= 4.5, `${name} ${dark} ${i}: ${contrast}`);
      });
    }
  }
});

test('where cells are smaller than pixels the largest is painted, so that no stripe is lost', () => {
  const tokens = 64;
  const values = new Float32Array((tokens * (tokens + 1)) / 2);
  for (let t = 5; t < tokens; t++) values[(t * (t + 1)) / 2 + 5] = 1; // one column
  const pixels = new Uint32Array(16 * 16);
  paint(pixels, 16, 64, {tokens, signed: false, values}, INK);
  const dark = table('ink', false)[255];
  for (let y = 2; y < 16; y++) assert.equal(pixels[y * 16 + 1], dark, `line ${y}`);
  assert.equal(pixels[15], 0, 'above the diagonal is the page');
});

test('where pixels are smaller than cells each cell is a square', () => {
  const pixels = new Uint32Array(8 * 8);
  paint(pixels, 8, 2, {tokens: 2, signed: false, values: Float32Array.from([1, 0, 1])}, INK);
  const all = table('ink', false)[255];
  const none = table('ink', false)[0];
  for (let y = 0; y < 8; y++) for (let x = 0; x < 8; x++) {
    const wanted = y < 4 ? (x < 4 ? all : 0) : x < 4 ? none : all;
    assert.equal(pixels[y * 8 + x], wanted, `${x}, ${y}`);
  }
});

test('a text grows into a frame that keeps its size', () => {
  assert.deepEqual([1, 32, 33, 199, 256].map((n) => capacityFor(n, 256)), [32, 32, 64, 200, 256]);
  assert.equal(capacityFor(7, 8), 8);
  assert.equal(capacityFor(300, 1024), 384);
  assert.equal(capacityFor(1024, 1024), 1024);
});

test('a difference is painted by its sign', () => {
  const pixels = new Uint32Array(4);
  paint(pixels, 2, 2, {tokens: 2, signed: true, values: Float32Array.from([-1, 0, 1])}, INK);
  const of = table('difference', false);
  assert.deepEqual([...pixels], [of[0], 0, of[128], of[255]]);
});

test('one row is painted as the map paints it', () => {
  const weights = [0, 0.25, 1];
  const [line, square] = [new Uint32Array(4), new Uint32Array(16)];
  paintRow(line, 4, Float32Array.from(weights), INK);
  paint(square, 4, 4, {tokens: 3, signed: false, values: Float32Array.from([1, 1, 1, ...weights])}, INK);
  assert.deepEqual([...line], [...square.slice(8, 12)]);
});

test('a row of a difference is painted as the map paints it, and a text is lit up by both its signs', () => {
  const values = Float32Array.from([-0.5, 0, 0.25]);
  const [line, square] = [new Uint32Array(4), new Uint32Array(16)];
  paintRow(line, 4, values, {...INK, signed: true});
  paint(square, 4, 4, {tokens: 3, signed: true, values: Float32Array.from([0, 0, 0, ...values])}, INK);
  assert.deepEqual([...line], [...square.slice(8, 12)]);
  const lit = lights(values, {...INK, signed: true});
  assert.deepEqual([...lit.keys()], [0, 2]);
  assert.equal(lit.get(0).box, colour('difference', false, 0.5 - Math.sqrt(0.5) / 2));
  assert.equal(lit.get(2).box, colour('difference', false, 0.75));
});

test('after a step back and another continuation the map shows the new rows', () => {
  const head = {average: 'head', layer: 0, head: 0};
  const began = {...trace((l, h, t) => t), id: 'm', start: 0, side: 0, text: 'abc', pieces: ['a', 'b', 'c'], ids: [1, 2, 3], names: {}, notes: [], lens: {first: 0, top: 0, ids: new Uint32Array(0), p: new Float32Array(0), next: new Float32Array(0)}};
  assert.deepEqual([...rowOf(mapOf(began, head), 2)], [0, 0, 1]);
  const shorter = cut(began, 2);
  const rows = Uint8Array.from([255, 0, 0, 0, 255, 0, 255, 0, 0, 0, 255, 0]);
  const none = new Uint8Array(0);
  const other = extend(shorter, {
    header: {id: 'm', first: 2, start: 0, tokens: 3, pieces: ['x'], ids: [9], loss: null, names: {}, layers: 2, lens_first: 0, lens_top: 0},
    blocks: {rows, lens_ids: none, lens_p: none},
  });
  assert.equal(other.rows, began.rows, 'in the same memory');
  assert.deepEqual([...rowOf(mapOf(other, head), 2)], [1, 0, 0]);
  assert.deepEqual([...mapOf(shorter, head).values], [1, 0, 1]);
});

test('the strongest is the largest in size', () => {
  assert.deepEqual([[0.1, 0.3, 0.2], [0.1, -0.3, 0.2], [0]].map(strongest), [1, 1, 0]);
});

test('a row is where it should be', () => {
  const map = {tokens: 3, signed: false, values: Float32Array.from([1, 2, 3, 4, 5, 6])};
  assert.deepEqual([...rowOf(map, 2)], [4, 5, 6]);
});
