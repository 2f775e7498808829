/** Scales: where a weight falls between nothing and everything. Pure: no DOM. */

/** @typedef {'linear' | 'sqrt' | 'log' | 'row'} ScaleName */

const LOG_DECADES = 4;

/**
 * For each scale its name on a picture, and the weights that its legend marks.
 * @type {Record<ScaleName, {title: string, ticks: number[]}>}
 */
export const SCALES = {
  sqrt: {title: 'square root', ticks: [0, 1 / 16, 1 / 4, 9 / 16, 1]},
  linear: {title: 'linear', ticks: [0, 0.25, 0.5, 0.75, 1]},
  log: {title: 'log', ticks: [0.0001, 0.001, 0.01, 0.1, 1]},
  row: {title: 'row maximum', ticks: [0, 0.25, 0.5, 0.75, 1]},
};

/** @param {ScaleName} scale @param {{hideFirst?: boolean, difference?: boolean}} [shown] @returns {string} "weight, square root scale": what a legend says */
export function legendWords(scale, {hideFirst = false, difference = false} = {}) {
  const {title} = SCALES[scale === 'row' && difference ? 'sqrt' : scale];
  return `${difference ? 'difference' : 'weight'}${hideFirst ? ' without the first' : ''}, ${title}${scale === 'row' && !difference ? '' : ' scale'}`;
}

/**
 * @param {ScaleName} scale
 * @param {number} weight 0 to 1
 * @param {number} [rowMax] largest weight of its row; needed for 'row' alone
 * @returns {number} 0 to 1
 */
export function place(scale, weight, rowMax = 1) {
  if (weight <= 0) return 0;
  if (scale === 'sqrt') return Math.sqrt(weight);
  if (scale === 'log') return Math.max(0, 1 + Math.log10(weight) / LOG_DECADES);
  if (scale === 'row') return Math.min(1, weight / rowMax);
  return weight;
}

/**
 * A signed number, -1 to 1, as a difference is drawn: 0 is the middle, the scale acts on its size.
 * @param {ScaleName} scale
 * @param {number} difference
 * @returns {number} 0 to 1, 0.5 for none
 */
export function placeSigned(scale, difference) {
  return 0.5 + (Math.sign(difference) * place(scale === 'row' ? 'sqrt' : scale, Math.abs(difference))) / 2;
}

/** A weight or a difference, as its ink has it. @param {{scale: ScaleName, signed?: boolean}} ink @param {number} value @param {number} [rowMax] @returns {number} 0 to 1 */
export function placeOf({scale, signed: difference}, value, rowMax) {
  return difference ? placeSigned(scale, value) : place(scale, value, rowMax);
}

/** What the legend of a difference marks. @param {ScaleName} scale @returns {{value: number, text: string}[]} */
export function signedTicks(scale) {
  const part = SCALES[scale === 'row' ? 'sqrt' : scale].ticks[scale === 'log' ? 3 : 2];
  return [-1, -part, 0, part, 1].map((value) => ({value, text: value === 0 ? '0' : `${value < 0 ? '−' : '+'}${tick(Math.abs(value))}`}));
}

/** A weight as a legend or label says it: ".06", "0.95", "1"; two places, or what the eye needs of a small one. */
export function tick(weight) {
  if (weight === 0 || weight === 1) return String(weight);
  return weight < 0.01 ? String(weight).replace(/^0/, '') : weight.toFixed(2).replace(/^0/, '').replace(/0$/, '');
}

/** A weight or score with two places; what is not zero but would look so keeps a sign of it. */
export function number(weight) {
  return weight > 0 && weight < 0.005 ? '<0.01' : weight.toFixed(2);
}

/** @returns {string} a number between -1 and 1 with its sign: "+0.71", "−0.12", "0.00" */
export function signed(value) {
  const text = Math.abs(value).toFixed(2);
  return Number(text) === 0 ? text : `${value < 0 ? '−' : '+'}${text}`;
}

/** A probability in percent: "93 %", "3.0 %", "0.04 %". */
export function percent(p) {
  const value = 100 * p;
  if (value >= 99.95 || value === 0) return `${Math.round(value)} %`;
  if (value >= 10) return `${value.toFixed(0)} %`;
  return value < 0.05 ? '<0.1 %' : `${value.toFixed(1)} %`;
}
