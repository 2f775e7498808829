/**
 * WebAssembly out of readable source: a module's bytes, written as nested expressions, for the few instructions that
 * kernels.js needs. Nothing is fetched or compiled beforehand. Encodings: the WebAssembly core specification 2.0,
 * chapter 5, with its vector instructions (128 bits, "SIMD").
 *
 * Code is a list of bytes, of names of locals, and of lists of the same.
 */

/** @typedef {(number | {local: string} | Code)[]} Code */

/**
 * @typedef {object} Kernel
 * @property {string} name under which it is exported
 * @property {string[]} parameters whole numbers of 32 bits
 * @property {Record<string, 'i32' | 'f32' | 'v128'>} locals
 * @property {Code} body
 */

const TYPES = {i32: 0x7f, f32: 0x7d, v128: 0x7b};
const [TYPE, IMPORT, FUNCTION, EXPORT, CODE] = [1, 2, 3, 7, 10];

/**
 * @param {Kernel[]} kernels
 * @returns {Uint8Array<ArrayBuffer>} a module that imports `page.memory` and exports each kernel
 */
export function assemble(kernels) {
  const types = kernels.map(({parameters}) => [0x60, ...list(parameters.map(() => [TYPES.i32])), 0]);
  const bodies = kernels.map((kernel) => {
    const code = [...list(Object.values(kernel.locals).map((type) => [1, TYPES[type]])), ...flat(kernel), 0x0b];
    return [...unsigned(code.length), ...code];
  });
  return Uint8Array.from([
    0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(TYPE, list(types)),
    ...section(IMPORT, list([[...text('page'), ...text('memory'), 2, 0, 1]])),
    ...section(FUNCTION, list(kernels.map((_, i) => unsigned(i)))),
    ...section(EXPORT, list(kernels.map(({name}, i) => [...text(name), 0, ...unsigned(i)]))),
    ...section(CODE, list(bodies)),
  ]);
}

/** The body's bytes: names of locals have become their numbers, parameters first. */
function flat({parameters, locals, body}) {
  const names = [...parameters, ...Object.keys(locals)];
  /** @type {number[]} */ const bytes = [];
  const walk = (/** @type {Code} */ code) => {
    for (const part of code) {
      if (Array.isArray(part)) walk(part);
      else if (typeof part === 'number') bytes.push(part);
      else if (names.includes(part.local)) bytes.push(...unsigned(names.indexOf(part.local)));
      else throw new Error(`no local is called ${part.local}`);
    }
  };
  walk(body);
  return bytes;
}

function section(id, content) { return [id, ...unsigned(content.length), ...content]; }
function list(items) { return [...unsigned(items.length), ...items.flat()]; }
function text(name) { return list([...name].map((c) => [c.charCodeAt(0)])); }

/** LEB128: seven bits a byte, the lowest first. @param {number} value @returns {number[]} */
function unsigned(value) {
  const bytes = [];
  do {
    bytes.push((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
    value >>>= 7;
  } while (value);
  return bytes;
}

function signed(value) {
  const bytes = [];
  for (;;) {
    const byte = value & 0x7f;
    value >>= 7;
    const last = value === (byte & 0x40 ? -1 : 0);
    bytes.push(byte | (last ? 0 : 0x80));
    if (last) return bytes;
  }
}

// Locals and control.
/** @param {string} name @returns {Code} */
export const get = (name) => [0x20, {local: name}];
/** @param {string} name @param {Code} value @returns {Code} */
export const set = (name, value) => [value, 0x21, {local: name}];
/** Code that runs again as long as its condition, at its end, is not 0. @param {Code} body @param {Code} condition @returns {Code} */
export const repeat = (body, condition) => [0x03, 0x40, body, condition, 0x0d, 0, 0x0b];

// Whole numbers.
/** @param {number} value @returns {Code} */
export const whole = (value) => [0x41, ...signed(value)];
/** @param {Code} a @param {Code} b @returns {Code} */
export const plus = (a, b) => [a, b, 0x6a];
/** @param {Code} a @param {Code} b @returns {Code} */
export const times = (a, b) => [a, b, 0x6c];
/** @param {Code} a @param {Code} b @returns {Code} without signs */
export const less = (a, b) => [a, b, 0x49];
/** A local moves on by so much. @param {string} name @param {Code} by @returns {Code} */
export const advance = (name, by) => set(name, plus(get(name), by));
/** Times a power of two. @param {Code} a @param {number} power @returns {Code} */
export const shifted = (a, power) => [a, whole(power), 0x74];

// Vectors: four float32, or sixteen int8 on their way to them. `offset` is in bytes.
const simd = (/** @type {number} */ code) => [0xfd, ...unsigned(code)];
/** @param {Code} at @param {number} [offset] @returns {Code} */
export const load = (at, offset = 0) => [at, simd(0x00), 0, ...unsigned(offset)];
/** Eight int8 as eight int16. @param {Code} at @param {number} [offset] @returns {Code} */
export const loadBytes = (at, offset = 0) => [at, simd(0x01), 0, ...unsigned(offset)];
/** One float32, four times. @param {Code} at @param {number} [offset] @returns {Code} */
export const loadSplat = (at, offset = 0) => [at, simd(0x09), 0, ...unsigned(offset)];
/** @param {Code} at @param {Code} value @param {number} [offset] @returns {Code} */
export const store = (at, value, offset = 0) => [at, value, simd(0x0b), 0, ...unsigned(offset)];
/** The first half of a vector. @param {Code} at @param {Code} value @returns {Code} */
export const storeHalf = (at, value) => [at, value, simd(0x5b), 0, 0, 0];
/** The lower, or the upper, four of eight int16 as float32. @param {Code} words @param {boolean} upper @returns {Code} */
export const floats = (words, upper) => [words, simd(upper ? 0xa8 : 0xa7), simd(0xfa)];
/** @param {Code} a @param {Code} b @returns {Code} */
export const add = (a, b) => [a, b, simd(0xe4)];
/** @param {Code} a @param {Code} b @returns {Code} */
export const multiply = (a, b) => [a, b, simd(0xe6)];
/** @type {Code} */
export const zeros = [simd(0x0c), ...new Array(16).fill(0)];
/** Lanes of two vectors, 0 to 3 of the first and 4 to 7 of the second. @param {Code} a @param {Code} b @param {number[]} lanes @returns {Code} */
export const lanes = (a, b, lanes) => [a, b, simd(0x0d), ...lanes.flatMap((lane) => [0, 1, 2, 3].map((byte) => 4 * lane + byte))];
