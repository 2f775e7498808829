/** The numbers behind the figures: what the model believes, what the settings leave, and what is drawn. Pure: no DOM. */
import {entropy, probabilities, ranked, u} from '../sampling.js';
import {PLAIN} from '../common/settings.js';

/** @typedef {import('../common/settings.js').Settings} Settings */

/**
 * What does not change with the settings.
 * @typedef {object} Belief
 * @property {Float64Array} p at temperature 1
 * @property {number[]} order all ids, the likeliest first
 * @property {Int32Array} rank of each id, from 1
 * @property {number} bits entropy
 */

/** @param {ArrayLike<number>} logits @returns {Belief} */
export function believe(logits) {
  const p = probabilities(logits, PLAIN);
  const order = ranked(p);
  if (order.length < p.length) p.forEach((q, id) => { if (q === 0) order.push(id); });
  const rank = new Int32Array(p.length);
  order.forEach((id, i) => { rank[id] = i + 1; });
  return {p, order, rank, bits: entropy(p)};
}

/**
 * What the settings leave of it.
 * @typedef {object} Left
 * @property {Float64Array} p
 * @property {number} bits entropy
 * @property {number} count tokens that can still be drawn
 * @property {number} mass of what was cut, in the distribution as temperature and penalty had bent it
 * @property {string[]} by names of the settings that cut, as the page calls them
 * @property {boolean} prefix those that stay are the first by belief, so that one line parts them from the rest
 * @property {number} favourite id of the likeliest
 * @property {number} ties tokens that are as likely as it, before the cut
 */

/** @param {ArrayLike<number>} logits @param {Belief} belief @param {Settings} settings @param {number[]} previous @returns {Left} */
export function leave(logits, belief, settings, previous) {
  const p = probabilities(logits, settings, previous);
  const {temperature, repetition_penalty: penalty} = settings;
  const bent = temperature === 0
    ? probabilities(logits, {repetition_penalty: penalty}, previous)
    : probabilities(logits, {temperature, repetition_penalty: penalty}, previous);
  let count = 0;
  let kept = 0;
  let favourite = 0;
  let most = 0;
  for (let id = 0; id < p.length; id++) {
    if (p[id] > 0) { count++; kept += bent[id]; }
    if (p[id] > p[favourite]) favourite = id;
    if (bent[id] > most) most = bent[id];
  }
  let ties = 0;
  for (const q of bent) if (q === most) ties++;
  let prefix = true;
  for (let i = 0; i < count && prefix; i++) prefix = p[belief.order[i]] > 0;
  const by = cutters(logits, settings, previous, count);
  return {p, bits: entropy(p), count, mass: by.length ? Math.max(0, 1 - kept) : 0, by, prefix, favourite, ties};
}

/** Counting what each setting leaves costs more than it says where the vocabulary is large. */
const STAGED_UP_TO = 256;

function cutters(logits, {temperature, top_k: topK, top_p: topP, min_p: minP, repetition_penalty: penalty}, previous, count) {
  const size = logits.length;
  if (temperature === 0) return size > 1 ? ['temperature 0'] : [];
  if (count === size) return [];
  const stages = [
    ...(topK > 0 && topK < size ? [{name: 'top-k', setting: {top_k: topK}}] : []),
    ...(topP < 1 ? [{name: 'top-p', setting: {top_p: topP}}] : []),
    ...(minP > 0 ? [{name: 'min-p', setting: {min_p: minP}}] : []),
  ];
  if (stages.length < 2 || size > STAGED_UP_TO) return stages.map(({name}) => name);
  let so = {temperature, repetition_penalty: penalty};
  let before = size;
  return stages.filter(({setting}) => {
    so = {...so, ...setting};
    const after = probabilities(logits, so, previous).reduce((sum, q) => sum + Number(q > 0), 0);
    const cut = after < before;
    before = after;
    return cut;
  }).map(({name}) => name);
}

/**
 * The columns of the three figures: those with the most belief, and where there are more, one for the rest.
 * @typedef {{ids: number[], others: number}} Columns
 * @param {Belief} belief
 * @param {number} most columns of one token
 * @returns {Columns}
 */
export function columnsOf({order}, most) {
  return order.length <= most ? {ids: order, others: 0} : {ids: order.slice(0, most), others: order.length - most};
}

/** @param {Columns} columns @param {Float64Array} p @returns {Float64Array} what falls on each column; last on the others, where there are any */
export function sharesOf({ids, others}, p) {
  const shares = new Float64Array(ids.length + Number(others > 0));
  let sum = 0;
  ids.forEach((id, i) => { shares[i] = p[id]; sum += p[id]; });
  if (others) shares[ids.length] = Math.max(0, 1 - sum);
  return shares;
}

const CEILINGS = [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1];

/** The probability at which a bar fills its room: in steps, so that the figure does not breathe with the slider. @param {...number} shares */
export function ceiling(...shares) {
  const most = Math.max(...shares);
  return CEILINGS.find((c) => most <= c) ?? 1;
}

/** The rows of the heatmap. */
export const TEMPERATURES = [0.1, 0.25, 0.4, 0.5, 0.65, 0.8, 1, 1.25, 1.5, 2, 2.5, 3];
const STEP = 0.05;

/** @param {number} temperature @returns {number} its place among the rows, 0 for the first; between two of them a fraction */
export function rowOf(temperature) {
  const last = TEMPERATURES.length - 1;
  if (temperature <= TEMPERATURES[0]) return 0;
  if (temperature >= TEMPERATURES[last]) return last;
  const i = TEMPERATURES.findIndex((t) => t > temperature) - 1;
  return i + (temperature - TEMPERATURES[i]) / (TEMPERATURES[i + 1] - TEMPERATURES[i]);
}

/** @param {number} row a place, perhaps between two @returns {number} the slider's temperature there */
export function temperatureOf(row) {
  const last = TEMPERATURES.length - 1;
  const at = Math.max(0, Math.min(last, row));
  const i = Math.min(Math.floor(at), last - 1);
  const exact = TEMPERATURES[i] + (at - i) * (TEMPERATURES[i + 1] - TEMPERATURES[i]);
  return Math.round(Math.round(exact / STEP) * STEP * 100) / 100;
}

/** @param {ArrayLike<number>} logits @param {Columns} columns @param {number} temperature @returns {Float64Array} shares of the columns at this temperature alone */
export function rowAt(logits, columns, temperature) {
  return sharesOf(columns, probabilities(logits, {...PLAIN, temperature}));
}

/**
 * The distribution as it is drawn from: what can be drawn, in the order of the ids, end to end.
 * @param {Float64Array} p
 * @returns {{id: number, from: number, to: number}[]} from 0 to 1
 */
export function band(p) {
  let sum = 0;
  for (const q of p) sum += q;
  let reached = 0;
  const parts = [];
  for (let id = 0; id < p.length; id++) {
    if (p[id] === 0) continue;
    const from = reached / sum;
    reached += p[id];
    parts.push({id, from, to: reached / sum});
  }
  return parts;
}

export const ROLLS = 1000;

/** @param {number} seed @returns {number} the first of a thousand successive seeds; the largest seeds have none after them */
export function firstSeed(seed) {
  return Math.min(seed, Number.MAX_SAFE_INTEGER - ROLLS + 1);
}

/** @param {number} seed @param {number} n @returns {Float64Array} u(seed', n) for a thousand successive seeds */
export function thousand(seed, n) {
  const first = firstSeed(seed);
  return Float64Array.from({length: ROLLS}, (_, i) => u(first + i, n));
}

/**
 * How often each token is drawn by these numbers: `draw` of sampling.js, many at a time.
 * @param {Float64Array} p
 * @param {Float64Array} numbers in [0, 1)
 * @returns {Int32Array} for each id
 */
export function tally(p, numbers) {
  const ids = [];
  const reached = [];
  let sum = 0;
  p.forEach((q, id) => { if (q > 0) { sum += q; ids.push(id); reached.push(sum); } });
  const counts = new Int32Array(p.length);
  for (const number of numbers) {
    const at = number * sum;
    let low = 0;
    let high = ids.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (reached[middle] > at) high = middle; else low = middle + 1;
    }
    counts[ids[low]]++;
  }
  return counts;
}
