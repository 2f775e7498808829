/** The kernels of the model in the page: the fast ones, assembled here, beside the plain ones; and what is noticed when one is wrong. */
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {add, advance, assemble, get, less, load, multiply, plus, repeat, set, shifted, store, whole} from '../../ui/assets/gpt/assembler.js';
import {CHECK_BYTES, faultOf, kernelsFor, reserve} from '../../ui/assets/gpt/kernels.js';
import {plain} from '../../ui/assets/gpt/plain.js';

const BYTES = 1 << 20;

test('the assembler makes a module that runs: whole numbers of any size, loops, vectors', () => {
  const memory = new WebAssembly.Memory({initial: 1});
  const body = [
    set('end', plus(get('at'), shifted(get('count'), 2))),
    repeat([store(get('at'), add(load(get('at')), multiply(load(get('at')), load(whole(70000 - 8))))), advance('at', whole(16))], less(get('at'), get('end'))),
  ];
  const large = new WebAssembly.Memory({initial: 2});
  const make = (/** @type {WebAssembly.Memory} */ page) => new WebAssembly.Instance(new WebAssembly.Module(assemble([{name: 'grow', parameters: ['at', 'count'], locals: {end: 'i32'}, body}])), {page: {memory: page}}).exports;
  assert.throws(() => /** @type {any} */ (make(memory)).grow(0, 4), WebAssembly.RuntimeError); // 69,992 lies outside
  new Float32Array(large.buffer, 69992, 4).fill(2);
  new Float32Array(large.buffer, 64, 8).set([1, 2, 3, 4, 5, 6, 7, 8]);
  /** @type {any} */ (make(large)).grow(64, 8);
  assert.deepEqual([...new Float32Array(large.buffer, 64, 9)], [3, 6, 9, 12, 15, 18, 21, 24, 0]);
  assert.throws(() => assemble([{name: 'f', parameters: [], locals: {}, body: [get('nothing')]}]), /no local is called nothing/);
});

test('fast and plain kernels agree on all shapes', () => {
  const memory = reserve(BYTES);
  const {kernels, notice} = kernelsFor(memory);
  assert.equal(kernels.way, 'wasm');
  assert.equal(notice, '');
  const slow = plain(memory.buffer);
  const floats = new Float32Array(memory.buffer);
  const bytes = new Int8Array(memory.buffer);
  const [w, scales, x, y] = [0, 262144, 300000, 400000];
  const random = () => Math.random() * 2 - 1;
  for (const rows of [4, 8, 68]) {
    for (const columns of [16, 32, 48, 256]) {
      for (const tokens of [4, 12]) {
        for (const [name, run] of /** @type {[string, (k: import('../../ui/assets/gpt/kernels.js').Kernels) => void][]} */ ([
          ['bytesTimesVector', (k) => k.bytesTimesVector(w, scales, x, y, rows, columns)], ['timesVector', (k) => k.timesVector(w, x, y, rows, columns)],
          ['expand', (k) => k.expand(w, scales, y, rows, columns)], ['timesVectors', (k) => k.timesVectors(w, x, y, rows, columns, tokens, 4 * rows + 64)],
          ['mix', (k) => k.mix(x, w, y, rows, columns)],
        ])) {
          const isWhole = name === 'bytesTimesVector' || name === 'expand';
          if (isWhole) for (let i = 0; i < rows * columns; i++) bytes[i] = Math.round(127 * random());
          else for (let i = 0; i < rows * columns; i++) floats[i] = random();
          for (let i = 0; i < 100; i++) floats[scales / 4 + i] = random();
          for (let i = 0; i < tokens * 256; i++) floats[x / 4 + i] = random();
          const outputs = floats.subarray(y / 4, y / 4 + 20000);
          outputs.fill(7);
          run(slow);
          const expected = outputs.slice();
          outputs.fill(7);
          run(kernels);
          const size = isWhole ? 127 : 1;
          const worst = outputs.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i])), 0);
          assert.ok(worst < 2e-5 * size, `${name} ${rows} ${columns} ${tokens}: off by ${worst}`);
          assert.ok(expected.some((value) => value !== 7), name);
        }
      }
    }
  }
});

test('a kernel that computes something else is found out, whichever it is', () => {
  const memory = reserve(CHECK_BYTES);
  const right = plain(memory.buffer);
  assert.equal(faultOf(right, right, memory.buffer), '');
  const floats = new Float32Array(memory.buffer);
  for (const name of ['bytesTimesVector', 'timesVector', 'expand', 'timesVectors', 'mix']) {
    const y = {bytesTimesVector: 3, timesVector: 2, expand: 2, timesVectors: 2, mix: 2}[name] ?? 0;
    for (const spoil of [(/** @type {number} */ v) => v * 1.001, () => NaN, () => 0]) {
      const wrong = {...right, [name]: (...places) => { right[name](...places); floats[places[y] / 4 + 1] = spoil(floats[places[y] / 4 + 1]); }};
      assert.match(faultOf(wrong, right, memory.buffer), new RegExp(`^Thinking slowly: the fast kernel ${name} is off by .* here$`));
    }
  }
});

test('where there is no WebAssembly, or none of its vectors, the plain kernels think, and it is said why', () => {
  const there = globalThis.WebAssembly;
  try {
    // @ts-expect-error a browser without it
    delete globalThis.WebAssembly;
    const {kernels, notice} = kernelsFor(reserve(BYTES));
    assert.equal(kernels.way, 'plain');
    assert.match(notice, /^Thinking slowly: this browser has no WebAssembly$/);
    globalThis.WebAssembly = there;
    const old = Object.create(there, {Module: {value: class { constructor() { throw new there.CompileError('invalid opcode 0xfd'); } }}});
    globalThis.WebAssembly = old;
    assert.deepEqual({...kernelsFor(reserve(BYTES)), kernels: null}, {kernels: null, notice: 'Thinking slowly: invalid opcode 0xfd'});
  } finally {
    globalThis.WebAssembly = there;
  }
});
