/**
 * What is known of how a text goes on: the logits at each position, and the tokens that lead from one to the next. All of
 * it stays true whatever the settings; only which token is drawn changes with them. Pure: no DOM.
 */
import {draw, probabilities, u} from '../sampling.js';
import {REPETITION_WINDOW} from '../common/settings.js';

/** @typedef {import('../common/settings.js').Settings} Settings */

/**
 * @typedef {object} Path
 * @property {string} model name
 * @property {string} text as the model reads it, where the path begins
 * @property {number} n tokens in that text: the position of the first draw
 * @property {number} blockSize
 * @property {number} vocabSize
 * @property {string[] | null} vocabulary all pieces; null where they are too many
 * @property {boolean} characters a token is one character
 * @property {Map<number, string>} names pieces that are known without it
 * @property {number[]} previous the last ids of the text
 * @property {number[]} ids the tokens that follow
 * @property {string[]} texts what each adds to the text
 * @property {Float32Array[]} logits for position n, n + 1, ...: one more than `ids`
 */

/** @param {string} model @param {import('../common/packet.js').Packet} packet the answer to `roll` @returns {Path} */
export function readPath(model, {header, blocks}) {
  const {text, n, block_size: blockSize, vocab_size: vocabSize, vocabulary, characters, names, previous, ids, texts} = header;
  const all = new Float32Array(blocks.logits.buffer, blocks.logits.byteOffset, blocks.logits.byteLength / 4);
  const logits = Array.from({length: ids.length + 1}, (_, i) => all.subarray(i * vocabSize, (i + 1) * vocabSize));
  const known = new Map(Object.entries(names ?? {}).map(([id, piece]) => [Number(id), piece]));
  return {model, text, n, blockSize, vocabSize, vocabulary, characters, names: known, previous, ids, texts, logits};
}

/** @param {Path} path @param {number} at tokens along it @returns {string} the text there */
export function textAt(path, at) {
  return path.text + path.texts.slice(0, at).join('');
}

/** @param {Path} path @param {number} at @returns {number[]} the ids before that position which the repetition penalty looks at */
export function previousAt(path, at) {
  return [...path.previous, ...path.ids.slice(0, at)].slice(-REPETITION_WINDOW);
}

/** @param {Path} path @param {number} id @returns {string} */
export function pieceOf(path, id) {
  return path.vocabulary?.[id] ?? path.names.get(id) ?? `#${id}`;
}

/**
 * What a question must say of the text at a position: its tokens where all are known, else the text.
 * @param {Path} path
 * @param {number} at
 * @returns {{model: string, tokens: number[]} | {model: string, text: string}}
 */
export function questionAt(path, at) {
  if (path.previous.length === path.n) return {model: path.model, tokens: [...path.previous, ...path.ids.slice(0, at)]};
  return {model: path.model, text: textAt(path, at)};
}

/**
 * The token that these settings and this seed draw at a position: what gpt.generate draws there.
 * @param {Path} path
 * @param {number} at
 * @param {Settings} settings
 * @param {number} seed
 * @returns {number} id
 */
export function drawnAt(path, at, settings, seed) {
  return draw(probabilities(path.logits[at], settings, previousAt(path, at)), u(seed, path.n + at));
}

/**
 * How many tokens from a position on stand as these settings and this seed draw them, with what follows each known.
 * @param {Path} path
 * @param {number} at
 * @param {Settings} settings
 * @param {number} seed
 */
export function agreeing(path, at, settings, seed) {
  let k = at;
  while (k < path.ids.length && k + 1 < path.logits.length && path.ids[k] === drawnAt(path, k, settings, seed)) k++;
  return k - at;
}

/**
 * The path up to a position, and from there as a later answer knows it.
 * @param {Path} path
 * @param {number} at
 * @param {Path} more begins at that position
 * @returns {Path}
 */
export function extend(path, at, more) {
  return {
    ...path,
    names: new Map([...path.names, ...more.names]),
    ids: [...path.ids.slice(0, at), ...more.ids],
    texts: [...path.texts.slice(0, at), ...more.texts],
    logits: [...path.logits.slice(0, at), ...more.logits],
  };
}

/** Where the window of a text of n tokens begins: the twin of gpt.generation.window_start. @param {number} n @param {number} blockSize */
export function windowStart(n, blockSize) {
  const half = Math.max(1, Math.floor(blockSize / 2));
  return Math.ceil(Math.max(0, n - blockSize) / half) * half;
}
