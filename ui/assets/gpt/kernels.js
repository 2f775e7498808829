/**
 * The arithmetic that takes the time: products of matrices and vectors, four numbers at once (WebAssembly SIMD). Each
 * kernel has a twin in plain.js, which checks it at the start and stands in for it where it cannot run.
 *
 * All of them work on one memory. Arguments are places in it, in bytes, and counts. A row of a matrix, and a vector, has
 * a multiple of 16 numbers, a matrix a multiple of 4 rows: what is more than the model has is zero.
 */
import {add, advance, assemble, floats, get, lanes, less, load, loadBytes, loadSplat, multiply, plus, repeat, set, shifted, store, storeHalf, times, whole, zeros} from './assembler.js';
import {Refused} from '../common/ask.js';
import {plain} from './plain.js';

/**
 * @typedef {object} Kernels
 * @property {'wasm' | 'plain'} way
 * @property {(w: number, scales: number, x: number, y: number, rows: number, columns: number) => void} bytesTimesVector y = scales * (w x), w of int8
 * @property {(w: number, x: number, y: number, rows: number, columns: number) => void} timesVector y = w x
 * @property {(w: number, scales: number, out: number, rows: number, columns: number) => void} expand out = w * scales, as float32
 * @property {(w: number, x: number, y: number, rows: number, columns: number, tokens: number, stride: number) => void} timesVectors for each of `tokens`, a multiple of 4, vectors x: y = w x; the y of one token is `stride` bytes after that of the one before
 * @property {(weights: number, values: number, y: number, count: number, width: number) => void} mix y = the sum of `count` values, each `width` wide, times their weights
 */

/** How far a kernel's numbers may be from its twin's, which adds in float64, as a share of the largest. */
const TOLERANCE = 1e-5;
const CHECKED = {rows: 8, columns: 48, tokens: 4, seed: 7};

/**
 * The kernels for a memory, and why they are the slow ones; empty where they are not.
 * @param {Memory} memory
 * @param {'wasm' | 'plain'} wanted
 * @returns {{kernels: Kernels, notice: string}}
 */
export function kernelsFor(memory, wanted = 'wasm') {
  const slow = plain(memory.buffer);
  if (wanted === 'plain') return {kernels: slow, notice: ''};
  try {
    if (typeof WebAssembly === 'undefined') throw new Error('this browser has no WebAssembly');
    const module = new WebAssembly.Module(assemble(SOURCE));
    const fast = /** @type {Kernels} */ (/** @type {unknown} */ ({way: 'wasm', ...new WebAssembly.Instance(module, {page: {memory: /** @type {WebAssembly.Memory} */ (memory)}}).exports}));
    const fault = faultOf(fast, slow, memory.buffer);
    return fault ? {kernels: slow, notice: fault} : {kernels: fast, notice: ''};
  } catch (error) {
    return {kernels: slow, notice: `Thinking slowly: ${/** @type {Error} */ (error).message}`};
  }
}

/** @typedef {WebAssembly.Memory | {buffer: ArrayBuffer}} Memory */

/** Memory for all that a model needs, taken once: growing would pull every array from under its user. @param {number} bytes @returns {Memory} */
export function reserve(bytes) {
  try {
    if (typeof WebAssembly === 'undefined') return {buffer: new ArrayBuffer(bytes)};
    return new WebAssembly.Memory({initial: Math.ceil(bytes / 65536)});
  } catch {
    throw new Refused(`This model takes ${Math.ceil(bytes / 1e6)} MB of memory, more than there is here.`);
  }
}

/** How much memory, from its beginning on, the check of the kernels writes over. */
export const CHECK_BYTES = 8192;

/**
 * What is wrong with some kernels, held against others; empty when nothing is.
 * @param {Kernels} fast
 * @param {Kernels} slow
 * @param {ArrayBuffer} buffer whose beginning is written over
 */
export function faultOf(fast, slow, buffer) {
  const {rows, columns, tokens} = CHECKED;
  const bytes = new Int8Array(buffer, 0, rows * columns);
  const [w, scales, x, y] = [1024, 4096, 4608, 6144];
  const outputs = new Float32Array(buffer, y, rows * columns);
  const fill = () => {
    let state = CHECKED.seed;
    const next = () => { state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff; return state / 2 ** 30 - 1; };
    for (let i = 0; i < bytes.length; i++) bytes[i] = Math.round(127 * next());
    for (const [at, count] of [[w, rows * columns], [scales, rows], [x, tokens * columns]]) {
      const numbers = new Float32Array(buffer, at, count);
      for (let i = 0; i < count; i++) numbers[i] = next();
    }
    outputs.fill(0);
  };
  /** @type {[string, (kernels: Kernels) => void][]} */ const tries = [
    ['bytesTimesVector', (k) => k.bytesTimesVector(0, scales, x, y, rows, columns)],
    ['timesVector', (k) => k.timesVector(w, x, y, rows, columns)],
    ['expand', (k) => k.expand(0, scales, y, rows, columns)],
    ['timesVectors', (k) => k.timesVectors(w, x, y, rows, columns, tokens, 4 * rows)],
    ['mix', (k) => k.mix(scales, w, y, rows, columns)],
  ];
  for (const [name, run] of tries) {
    fill();
    run(slow);
    const expected = outputs.slice();
    fill();
    run(fast);
    const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - outputs[i])), 0);
    if (!(worst <= TOLERANCE * largest)) return `Thinking slowly: the fast kernel ${name} is off by ${(worst / largest).toPrecision(2)} here`;
  }
  return '';
}

// The source. A vector register holds four numbers; names end in the row, token or part they belong to.

const each = (count, make) => Array.from({length: count}, (_, i) => make(i));
const registers = (...names) => Object.fromEntries(names.map((name) => [name, /** @type {const} */ ('v128')]));
const indices = (...names) => Object.fromEntries(names.map((name) => [name, /** @type {const} */ ('i32')]));

/** Where row `i` of four begins that are `size` apart. */
const row = (base, size, i) => (i === 0 ? get(base) : plus(get(base), i === 1 ? get(size) : i === 2 ? shifted(get(size), 1) : plus(get(size), shifted(get(size), 1))));
/** The four sums of the lanes of four registers, as one vector. Takes the registers p and q. */
const sums = (name) => [
  set('p', pairs(get(`${name}0`), get(`${name}1`))),
  set('q', pairs(get(`${name}2`), get(`${name}3`))),
  add(lanes(get('p'), get('q'), [0, 1, 4, 5]), lanes(get('p'), get('q'), [2, 3, 6, 7])),
];
/** Of two vectors a and b: a0 + a2, b0 + b2, a1 + a3, b1 + b3. */
const pairs = (a, b) => add(lanes(a, b, [0, 4, 1, 5]), lanes(a, b, [2, 6, 3, 7]));

/** Four rows at a time: the vector is read once for them. */
const timesVector = {
  name: 'timesVector', parameters: ['w', 'x', 'y', 'rows', 'columns'],
  locals: {...indices('size', 'end', 'at', 'last', 'w1', 'w2', 'w3'), ...registers('p', 'q', 'x0', ...each(4, (i) => `sum${i}`))},
  body: [
    set('size', shifted(get('columns'), 2)),
    set('last', plus(get('y'), shifted(get('rows'), 2))),
    repeat([
      each(4, (i) => set(`sum${i}`, zeros)),
      each(3, (i) => set(`w${i + 1}`, row('w', 'size', i + 1))),
      set('at', get('x')),
      set('end', plus(get('x'), get('size'))),
      repeat([
        set('x0', load(get('at'))),
        each(4, (i) => [set(`sum${i}`, add(get(`sum${i}`), multiply(load(get(i ? `w${i}` : 'w')), get('x0')))), advance(i ? `w${i}` : 'w', whole(16))]),
        advance('at', whole(16)),
      ], less(get('at'), get('end'))),
      set('w', get('w3')),
      store(get('y'), sums('sum')),
      advance('y', whole(16)),
    ], less(get('y'), get('last'))),
  ],
};

/** The same with int8, widened on the way: eight numbers at a time. */
const bytesTimesVector = {
  name: 'bytesTimesVector', parameters: ['w', 'scales', 'x', 'y', 'rows', 'columns'],
  locals: {...indices('size', 'end', 'at', 'last', 'w1', 'w2', 'w3'), ...registers('p', 'q', 'x0', 'x1', 'words', ...each(4, (i) => `sum${i}`))},
  body: [
    set('size', shifted(get('columns'), 2)),
    set('last', plus(get('y'), shifted(get('rows'), 2))),
    repeat([
      each(4, (i) => set(`sum${i}`, zeros)),
      each(3, (i) => set(`w${i + 1}`, row('w', 'columns', i + 1))),
      set('at', get('x')),
      set('end', plus(get('x'), get('size'))),
      repeat([
        set('x0', load(get('at'))),
        set('x1', load(get('at'), 16)),
        each(4, (i) => [
          set('words', loadBytes(get(i ? `w${i}` : 'w'))),
          advance(i ? `w${i}` : 'w', whole(8)),
          set(`sum${i}`, add(get(`sum${i}`), multiply(floats(get('words'), false), get('x0')))),
          set(`sum${i}`, add(get(`sum${i}`), multiply(floats(get('words'), true), get('x1')))),
        ]),
        advance('at', whole(32)),
      ], less(get('at'), get('end'))),
      set('w', get('w3')),
      store(get('y'), multiply(load(get('scales')), sums('sum'))),
      advance('scales', whole(16)),
      advance('y', whole(16)),
    ], less(get('y'), get('last'))),
  ],
};

const expand = {
  name: 'expand', parameters: ['w', 'scales', 'out', 'rows', 'columns'],
  locals: {...indices('end', 'last'), ...registers('scale', 'words')},
  body: [
    set('last', plus(get('scales'), shifted(get('rows'), 2))),
    repeat([
      set('scale', loadSplat(get('scales'))),
      set('end', plus(get('w'), get('columns'))),
      repeat([
        set('words', loadBytes(get('w'))),
        store(get('out'), multiply(floats(get('words'), false), get('scale'))),
        store(get('out'), multiply(floats(get('words'), true), get('scale')), 16),
        advance('w', whole(8)),
        advance('out', whole(32)),
      ], less(get('w'), get('end'))),
      advance('scales', whole(4)),
    ], less(get('scales'), get('last'))),
  ],
};

/** Tiles of two rows and four tokens: six loads for eight products, and the sums stay in registers. */
const timesVectors = {
  name: 'timesVectors', parameters: ['w', 'x', 'y', 'rows', 'columns', 'tokens', 'stride'],
  locals: {
    ...indices('size', 'wEnd', 'wRow', 'w0', 'w1', 'xRow', 'xEnd', 'xAt', 'x1', 'x2', 'x3', 'yAt', 'end', 'out'),
    ...registers('p', 'q', 'wa', 'wb', 'xv', 'low', 'high', ...each(4, (i) => `a${i}`), ...each(4, (i) => `b${i}`)),
  },
  body: [
    set('size', shifted(get('columns'), 2)),
    set('xEnd', plus(get('x'), times(get('tokens'), get('size')))),
    set('wEnd', plus(get('w'), times(get('rows'), get('size')))),
    set('wRow', get('w')),
    repeat([
      set('xRow', get('x')),
      set('yAt', get('y')),
      repeat([
        each(4, (i) => [set(`a${i}`, zeros), set(`b${i}`, zeros)]),
        set('w0', get('wRow')),
        set('w1', plus(get('wRow'), get('size'))),
        set('end', get('w1')),
        set('xAt', get('xRow')),
        each(3, (i) => set(`x${i + 1}`, row('xRow', 'size', i + 1))),
        repeat([
          set('wa', load(get('w0'))),
          set('wb', load(get('w1'))),
          each(4, (i) => [
            set('xv', load(get(i ? `x${i}` : 'xAt'))),
            set(`a${i}`, add(get(`a${i}`), multiply(get('wa'), get('xv')))),
            set(`b${i}`, add(get(`b${i}`), multiply(get('wb'), get('xv')))),
            advance(i ? `x${i}` : 'xAt', whole(16)),
          ]),
          advance('w0', whole(16)),
          advance('w1', whole(16)),
        ], less(get('w0'), get('end'))),
        set('low', sums('a')),
        set('high', sums('b')),
        set('out', get('yAt')),
        each(4, (i) => [storeHalf(get('out'), lanes(get('low'), get('high'), [i, 4 + i, i, 4 + i])), advance('out', get('stride'))]),
        set('yAt', get('out')),
        set('xRow', get('x3')),
      ], less(get('xRow'), get('xEnd'))),
      set('wRow', get('w1')),
      advance('y', whole(8)),
    ], less(get('wRow'), get('wEnd'))),
  ],
};

/** Sixteen columns at a time, which stay in registers while all values are added. */
const mix = {
  name: 'mix', parameters: ['weights', 'values', 'y', 'count', 'width'],
  locals: {...indices('size', 'at', 'v', 'last', 'end'), ...registers('weight', ...each(4, (i) => `sum${i}`))},
  body: [
    set('size', shifted(get('width'), 2)),
    set('last', plus(get('weights'), shifted(get('count'), 2))),
    set('end', plus(get('y'), get('size'))),
    repeat([
      each(4, (i) => set(`sum${i}`, zeros)),
      set('at', get('weights')),
      set('v', get('values')),
      repeat([
        set('weight', loadSplat(get('at'))),
        each(4, (i) => set(`sum${i}`, add(get(`sum${i}`), multiply(load(get('v'), 16 * i), get('weight'))))),
        advance('v', get('size')),
        advance('at', whole(4)),
      ], less(get('at'), get('last'))),
      each(4, (i) => store(get('y'), get(`sum${i}`), 16 * i)),
      advance('values', whole(64)),
      advance('y', whole(64)),
    ], less(get('y'), get('end'))),
  ],
};

/** @type {import('./assembler.js').Kernel[]} */
const SOURCE = /** @type {any} */ ([bytesTimesVector, timesVector, expand, timesVectors, mix]);
