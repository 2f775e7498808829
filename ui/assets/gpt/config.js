/** The shape of a model, checked: the twin of gpt/config.py. No DOM. */

/**
 * @typedef {object} Config
 * @property {number} vocab_size
 * @property {number} block_size
 * @property {number} n_layer
 * @property {number} n_head
 * @property {number} n_embd
 * @property {'learned' | 'rotary'} position
 * @property {'layer' | 'rms'} norm
 * @property {'gelu' | 'relu2'} activation
 * @property {boolean} qk_norm
 * @property {boolean} tied_head
 * @property {boolean} bias
 * @property {number} logit_cap
 */

/** Larger models are no download for a telephone. gpt/browserfile.py has the same number. */
export const MAX_PARAMETERS = 15_000_000;

const LARGEST = {vocab_size: 1_000_000, block_size: 65_536, n_layer: 256, n_head: 1_024, n_embd: 65_536};
const CHOICES = {position: ['learned', 'rotary'], norm: ['layer', 'rms'], activation: ['gelu', 'relu2']};
const FLAGS = ['qk_norm', 'tied_head', 'bias'];

/**
 * @param {any} found
 * @returns {Config}
 * @throws {Error} beginning with the field's name
 */
export function readConfig(found) {
  const fields = typeof found === 'object' && found !== null ? found : {};
  const names = [...Object.keys(LARGEST), ...Object.keys(CHOICES), ...FLAGS, 'logit_cap'];
  const wrong = names.find((name) => !fits(name, fields[name])) ?? Object.keys(fields).find((name) => !names.includes(name));
  if (wrong) throw new Error(`${wrong}: ${JSON.stringify(fields[wrong])} is not what a model may have`);
  if (fields.n_embd % fields.n_head) throw new Error(`n_embd: ${fields.n_embd} is not a multiple of n_head, ${fields.n_head}`);
  if (fields.position === 'rotary' && (fields.n_embd / fields.n_head) % 2) throw new Error('n_embd: rotary positions need an even head size');
  const count = parameters(fields);
  if (count > MAX_PARAMETERS) throw new Error(`n_layer: ${count.toLocaleString('en')} parameters; the limit is ${MAX_PARAMETERS.toLocaleString('en')}`);
  return fields;
}

function fits(name, value) {
  if (name in LARGEST) return Number.isInteger(value) && value >= 1 && value <= LARGEST[name];
  if (name in CHOICES) return CHOICES[name].includes(value);
  return name === 'logit_cap' ? typeof value === 'number' && value >= 0 && value <= 1000 : typeof value === 'boolean';
}

/** How many numbers are learned; a tied matrix counts once. @param {Config} config */
export function parameters(config) {
  return Object.values(shapes(config)).reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0);
}

/** Name and shape of every tensor that is learned, as gpt/model.py names them. @param {Config} config @returns {Record<string, number[]>} */
export function shapes(config) {
  const {n_embd: C, vocab_size: V, block_size: T, n_layer: L} = config;
  /** @type {Record<string, number[]>} */ const found = {'token_embedding.weight': [V, C]};
  const linear = (name, rows, columns) => {
    found[`${name}.weight`] = [rows, columns];
    if (config.bias) found[`${name}.bias`] = [rows];
  };
  const norm = (name) => {
    if (config.norm === 'layer') Object.assign(found, {[`${name}.weight`]: [C], [`${name}.bias`]: [C]});
  };
  if (config.position === 'learned') found['position_embedding.weight'] = [T, C];
  for (let l = 0; l < L; l++) {
    norm(`blocks.${l}.attention_norm`);
    linear(`blocks.${l}.attention.qkv`, 3 * C, C);
    linear(`blocks.${l}.attention.projection`, C, C);
    norm(`blocks.${l}.mlp_norm`);
    linear(`blocks.${l}.mlp.up`, 4 * C, C);
    linear(`blocks.${l}.mlp.projection`, C, 4 * C);
  }
  norm('final_norm');
  if (!config.tied_head) found['head.weight'] = [V, C];
  return found;
}

/** Whether a tensor is one that int8 rounds: the blocks' matrices, and the head where it has its own. @param {string} name @param {number[]} shape */
export function isRounded(name, shape) {
  return shape.length === 2 && !name.includes('embedding');
}

/** Where the window of a text of n tokens begins: at 0 while it fits, then on by half a window at a time. @param {number} n @param {number} blockSize */
export function windowStart(n, blockSize) {
  const half = halfOf(blockSize);
  return Math.ceil(Math.max(0, n - blockSize) / half) * half;
}

/** @param {number} blockSize */
export function halfOf(blockSize) { return Math.max(Math.floor(blockSize / 2), 1); }
