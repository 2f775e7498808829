/** The matrices of a model, laid out in the kernels' memory: padded with zeros, int8 ones as they are. */

/** @typedef {import('./kernels.js').Kernels} Kernels */

/**
 * @typedef {object} Matrix
 * @property {boolean} whole of int8, with a scale for each row
 * @property {number} at where it begins in memory
 * @property {number} scales
 * @property {number} rows padded to a multiple of 4
 * @property {number} columns padded
 * @property {number} stride bytes from one token's product to the next one's
 * @property {Float32Array | null} bias
 */

/** Rows of so many are expanded together: they and the vectors they are multiplied with stay close to the processor. */
const TILE_ROWS = 32;

/** The next multiple of 16. @param {number} count */
export function padded(count) { return Math.ceil(count / 16) * 16; }

/**
 * @param {import('./config.js').Config} config
 * @param {Record<string, import('./file.js').Tensor>} tensors
 * @param {(bytes: number) => number} room takes memory
 */
export function createMatrices(config, tensors, room) {
  const tile = room(4 * TILE_ROWS * padded(4 * config.n_embd));
  const sources = Object.entries(tensors).filter(([name, {shape}]) => shape.length === 2 && !name.includes('embedding'))
    .map(([name, tensor]) => /** @type {const} */ ([name.replace(/\.weight$/, ''), tensor]));
  if (config.tied_head) sources.push(['head', tensors['token_embedding.weight']]);
  /** @type {Map<string, Matrix>} */ const laid = new Map();
  for (const [name, {shape: [height, width], scales}] of sources) {
    const [rows, columns] = [Math.ceil(height / 4) * 4, padded(width)];
    laid.set(name, {
      whole: scales !== null, at: room((scales ? 1 : 4) * rows * columns), scales: scales ? room(4 * rows) : 0,
      rows, columns, stride: 4 * padded(height), bias: /** @type {Float32Array} */ (tensors[`${name}.bias`]?.numbers ?? null),
    });
  }

  return {
    /** @param {string} name @returns {Matrix} */
    of: (name) => /** @type {Matrix} */ (laid.get(name)),

    /** Fill the memory. @param {ArrayBuffer} buffer @param {Kernels} kernels */
    into(buffer, kernels) {
      for (const [name, {shape: [height, width], numbers, scales}] of sources) {
        const {at, scales: scalesAt, columns} = /** @type {Matrix} */ (laid.get(name));
        const target = scales ? new Int8Array(buffer, at) : new Float32Array(buffer, at);
        for (let r = 0; r < height; r++) target.set(numbers.subarray(r * width, (r + 1) * width), r * columns);
        if (scales) new Float32Array(buffer, scalesAt).set(scales);
      }
      return {multiply: multiplier(kernels, tile)};
    },
  };
}

/** @param {Kernels} kernels @param {number} tile */
function multiplier(kernels, tile) {
  /**
   * y = matrix x for each of some tokens, whose x lie one after the other.
   * @param {Matrix} matrix @param {number} x @param {number} y @param {number} count
   */
  return ({whole, at, scales, rows, columns, stride}, x, y, count) => {
    if (count === 1) {
      if (whole) kernels.bytesTimesVector(at, scales, x, y, rows, columns);
      else kernels.timesVector(at, x, y, rows, columns);
      return;
    }
    const tokens = Math.ceil(count / 4) * 4; // what lies behind the last is multiplied in vain
    if (!whole) {
      kernels.timesVectors(at, x, y, rows, columns, tokens, stride);
      return;
    }
    for (let r = 0; r < rows; r += TILE_ROWS) {
      const some = Math.min(TILE_ROWS, rows - r);
      kernels.expand(at + r * columns, scales + 4 * r, tile, some, columns);
      kernels.timesVectors(tile, x, y + 4 * r, some, columns, tokens, stride);
    }
  };
}
