/**
 * The file of weights, read: gpt/browserfile.py writes it and says what it holds. Nothing of it is trusted: whatever is
 * wrong is one sentence for the person. No DOM.
 */
import {Refused} from '../common/ask.js';
import {isRounded, readConfig, shapes} from './config.js';
import {readTokenizer} from './tokenizer.js';

const MAGIC = 'GLWT';
const VERSION = 1;
const PREAMBLE = 20;
const ALIGNMENT = 16;
const SIZES = {int8: 1, bfloat16: 2, float32: 4};

/**
 * @typedef {object} Tensor
 * @property {number[]} shape
 * @property {Int8Array | Float32Array} numbers whole ones stand for themselves times their row's scale
 * @property {Float32Array | null} scales of the rows of whole numbers
 */

/**
 * @typedef {object} WeightsFile
 * @property {string} id of the checkpoint
 * @property {'int8' | 'float32'} weights
 * @property {import('./config.js').Config} config
 * @property {import('./tokenizer.js').Tokenizer} tokenizer
 * @property {any[][]} roles of the heads, as a trace has them
 * @property {Record<string, string>} scores what each score of a role is called
 * @property {Record<string, any>} training
 * @property {string} card
 * @property {Record<string, Tensor>} tensors
 */

/**
 * @param {Uint8Array} bytes
 * @returns {WeightsFile}
 * @throws {Refused} what is wrong with the file
 */
export function readFile(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4 || String.fromCharCode(...bytes.subarray(0, 4)) !== MAGIC) throw new Refused('This is no file of weights for this page.');
  if (bytes.length < PREAMBLE) throw cutOff(bytes.length);
  const [version, headerBytes, bodyBytes, checksum] = [4, 8, 12, 16].map((at) => view.getUint32(at, true));
  if (version !== VERSION) throw new Refused(`The file of weights is of version ${version}; this page reads version ${VERSION}.`);
  const whole = PREAMBLE + headerBytes + bodyBytes;
  if (bytes.length < whole) throw cutOff(bytes.length, whole);
  if (bytes.length > whole || crc32(bytes.subarray(PREAMBLE)) !== checksum) throw new Refused('The file of weights was altered: its checksum does not fit what it holds.');
  try {
    const header = JSON.parse(new TextDecoder('utf-8', {fatal: true}).decode(bytes.subarray(PREAMBLE, PREAMBLE + headerBytes)));
    return readParts(header, bytes.subarray(PREAMBLE + headerBytes));
  } catch (error) {
    throw new Refused(`The file of weights cannot be used: ${/** @type {Error} */ (error).message}.`);
  }
}

function cutOff(found, whole = 0) {
  return new Refused(`The file of weights is cut off: ${found.toLocaleString('en')} bytes are here${whole ? ` of ${whole.toLocaleString('en')}` : ''}.`);
}

function readParts(header, body) {
  const config = readConfig(header.config);
  const tokenizer = readTokenizer(header.tokenizer);
  if (tokenizer.vocabSize !== config.vocab_size) throw new Error(`tokenizer: it has ${tokenizer.vocabSize} characters; vocab_size is ${config.vocab_size}`);
  if (typeof header.id !== 'string' || !/^[0-9a-f]{1,64}$/.test(header.id)) throw new Error('id: it is none');
  if (!['int8', 'float32'].includes(header.weights)) throw new Error(`weights: ${JSON.stringify(header.weights)} is neither int8 nor float32`);
  return {
    id: header.id, weights: header.weights, config, tokenizer, roles: header.roles ?? [], scores: header.scores ?? {},
    training: header.training ?? {}, card: header.card ?? '', tensors: readTensors(header, config, body),
  };
}

function readTensors({tensors, weights}, config, body) {
  if (!Array.isArray(tensors)) throw new Error('tensors: they are not listed');
  const expected = shapes(config);
  /** @type {Record<string, Tensor>} */ const found = {};
  for (const {name, shape, type, at, scales} of tensors) {
    const wanted = expected[name];
    if (!wanted || name in found) throw new Error(`${String(name).slice(0, 60)}: not a tensor of this model`);
    if (String(shape) !== String(wanted)) throw new Error(`${name}: shape ${String(shape).slice(0, 60)}, expected ${wanted}`);
    const whole = type === 'int8';
    if (whole !== (weights === 'int8' && isRounded(name, wanted))) throw new Error(`${name}: its numbers are ${String(type).slice(0, 20)}, which is not how weights of ${weights} are kept`);
    const count = wanted.reduce((a, b) => a * b, 1);
    found[name] = {shape: wanted, numbers: numbersAt(body, name, type, at, count), scales: whole ? /** @type {Float32Array} */ (numbersAt(body, name, 'bfloat16', scales, wanted[0])) : null};
  }
  const missing = Object.keys(expected).find((name) => !(name in found));
  if (missing) throw new Error(`${missing}: missing`);
  return found;
}

/** A copy of some numbers of the body. */
function numbersAt(body, name, type, at, count) {
  const size = SIZES[type];
  if (!size || !Number.isInteger(at) || at < 0 || at % ALIGNMENT || at + size * count > body.length) throw new Error(`${name}: it lies outside the file`);
  const bytes = body.slice(at, at + size * count); // a copy: its memory is aligned
  if (type === 'int8') return new Int8Array(bytes.buffer);
  const numbers = type === 'float32' ? new Float32Array(bytes.buffer) : widened(new Uint16Array(bytes.buffer));
  if (!numbers.every(Number.isFinite)) throw new Error(`${name}: has numbers that are not finite`);
  return numbers;
}

/** bfloat16 is the upper half of a float32. @param {Uint16Array} halves */
function widened(halves) {
  const words = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) words[i] = halves[i] << 16;
  return new Float32Array(words.buffer);
}

/** @param {Uint8Array} bytes @returns {number} CRC-32, as zlib has it. Not crypto.subtle: that is missing on a page that comes by plain http. */
export function crc32(bytes) {
  let crc = ~0;
  for (let i = 0; i < bytes.length; i++) crc = TABLE[(crc ^ bytes[i]) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

const TABLE = Uint32Array.from({length: 256}, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});
