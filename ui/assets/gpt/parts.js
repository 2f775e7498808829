/** The small parts between the products: norms, bends, turns, softmax. Pure functions on places of one array. */

/** torch's defaults. */
const RMS_EPSILON = 2 ** -23;
const LAYER_EPSILON = 1e-5;

/** @typedef {(floats: Float32Array, from: number, to: number) => void} Norm */

/**
 * The layer normalisation of a recipe.
 * @param {import('./config.js').Config} config
 * @param {Record<string, import('./file.js').Tensor>} tensors
 * @param {string} name of its weights; root-mean-square norm has none
 * @returns {Norm}
 */
export function normOf({norm, n_embd: C}, tensors, name) {
  if (norm === 'rms') {
    return (floats, from, to) => {
      let squares = 0;
      for (let c = 0; c < C; c++) squares += floats[from + c] * floats[from + c];
      const size = Math.sqrt(squares / C + RMS_EPSILON);
      for (let c = 0; c < C; c++) floats[to + c] = floats[from + c] / size;
    };
  }
  const weight = tensors[`${name}.weight`].numbers;
  const bias = tensors[`${name}.bias`].numbers;
  return (floats, from, to) => {
    let sum = 0;
    for (let c = 0; c < C; c++) sum += floats[from + c];
    const mean = sum / C;
    let squares = 0;
    for (let c = 0; c < C; c++) squares += (floats[from + c] - mean) ** 2;
    const size = Math.sqrt(squares / C + LAYER_EPSILON);
    for (let c = 0; c < C; c++) floats[to + c] = ((floats[from + c] - mean) / size) * weight[c] + bias[c];
  };
}

/** The bend of a recipe, in place. @param {import('./config.js').Config} config @returns {(floats: Float32Array, at: number, count: number) => void} */
export function activationOf({activation}) {
  if (activation === 'relu2') {
    return (floats, at, count) => {
      for (let i = at; i < at + count; i++) floats[i] = floats[i] > 0 ? floats[i] * floats[i] : 0;
    };
  }
  const slope = Math.sqrt(2 / Math.PI);
  return (floats, at, count) => {
    for (let i = at; i < at + count; i++) {
      const x = floats[i];
      floats[i] = 0.5 * x * (1 + Math.tanh(slope * (x + 0.044715 * x * x * x)));
    }
  };
}

/** Weights out of scores, in place: they sum to 1. */
export function softmax(floats, at, count, scale) {
  let largest = -Infinity;
  for (let i = at; i < at + count; i++) if (floats[i] > largest) largest = floats[i];
  let sum = 0;
  for (let i = at; i < at + count; i++) sum += floats[i] = Math.exp((floats[i] - largest) * scale);
  for (let i = at; i < at + count; i++) floats[i] /= sum;
}

export function addTo(floats, to, others, from, count) {
  for (let i = 0; i < count; i++) floats[to + i] += others[from + i];
}

/**
 * Rotary positions: cosine and sine of each position's angle for each pair of channels, rounded as torch rounds them.
 * @param {number} positions
 * @param {number} size of a head
 * @returns {{cos: Float32Array, sin: Float32Array}} (positions, size / 2)
 */
export function turns(positions, size) {
  const half = size / 2;
  const cos = new Float32Array(positions * half);
  const sin = new Float32Array(positions * half);
  for (let i = 0; i < half; i++) {
    const frequency = Math.fround(10_000 ** -Math.fround((2 * i) / size));
    for (let position = 0; position < positions; position++) {
      const angle = Math.fround(position * frequency);
      cos[position * half + i] = Math.cos(angle);
      sin[position * half + i] = Math.sin(angle);
    }
  }
  return {cos, sin};
}

/** Turn channel pairs (i, i + size / 2) by the angle of their position, in place. */
export function turn(floats, at, size, {cos, sin}, position) {
  const half = size / 2;
  for (let i = 0, k = position * half; i < half; i++, k++) {
    const a = floats[at + i];
    const b = floats[at + half + i];
    floats[at + i] = a * cos[k] - b * sin[k];
    floats[at + half + i] = a * sin[k] + b * cos[k];
  }
}
