/** The settings of sampling: their names, bounds and words, the same in Python, in links and on every tab. No DOM. */

/** @typedef {'temperature' | 'top_k' | 'top_p' | 'min_p' | 'repetition_penalty'} SettingName */
/** @typedef {Record<SettingName, number>} Settings */

/** What the page opens with. @type {Settings} */
export const USUAL = {temperature: 0.8, top_k: 0, top_p: 1, min_p: 0, repetition_penalty: 1};
/** Nothing is bent: the model's own distribution. @type {Settings} */
export const PLAIN = {...USUAL, temperature: 1};
/** How many tokens back the repetition penalty looks, as in gpt/sampling.py. */
export const REPETITION_WINDOW = 64;
/** The slider ends at 100. */
const MAX_TOP_K = 1_000_000;

/**
 * @typedef {object} Setting
 * @property {SettingName} name
 * @property {string} title
 * @property {string} says one sentence
 * @property {string} maths
 * @property {number} min
 * @property {number} max
 * @property {number} step
 * @property {(value: number) => string} format
 */

/** @type {Setting[]} */
export const SETTINGS = [
  {
    name: 'temperature', title: 'Temperature', says: 'Below 1 sharpens, above 1 evens out.', min: 0, max: 3, step: 0.05,
    maths: 'Each logit is divided by T before the softmax: p(i) = exp(z(i) / T) / sum over j of exp(z(j) / T). At T = 0 the largest logit takes all.',
    format: (v) => v.toFixed(2),
  },
  {
    name: 'top_k', title: 'Top-k', says: 'Keeps the k most likely characters.', min: 0, max: 100, step: 1,
    maths: 'Only the k largest p(i) stay; they are divided by their sum. 0 is off. (Fan et al. 2018)',
    format: (v) => (v === 0 ? 'off' : String(v)),
  },
  {
    name: 'top_p', title: 'Top-p', says: 'Keeps the fewest characters that together reach p.', min: 0, max: 1, step: 0.01,
    maths: 'From the largest p(i) down, up to and including the one with which their sum reaches p. 1 is off. (Nucleus sampling, Holtzman et al. 2019)',
    format: (v) => (v === 1 ? 'off' : v.toFixed(2)),
  },
  {
    name: 'min_p', title: 'Min-p', says: 'Drops what is far below the favourite.', min: 0, max: 1, step: 0.01,
    maths: 'Only p(i) of at least m times the largest p stay, the largest of those that top-k and top-p left. 0 is off. (Nguyen et al. 2024)',
    format: (v) => (v === 0 ? 'off' : v.toFixed(2)),
  },
  {
    name: 'repetition_penalty', title: 'Repetition penalty', says: 'Makes the characters just used less likely.', min: 1, max: 2, step: 0.05,
    maths: `A logit of a character among the last ${REPETITION_WINDOW} is divided by r where it is positive and multiplied by r where it is not, before all else. 1 is off. (Keskar et al. 2019)`,
    format: (v) => (v === 1 ? 'off' : v.toFixed(2)),
  },
];

/**
 * A setting in the words of a vocabulary: of one whose tokens are not characters it speaks of tokens.
 * @template {{says?: string, maths?: string}} S
 * @param {S} setting
 * @param {string} unit "character" or "token"
 * @returns {S}
 */
export function inUnits(setting, unit) {
  const said = (words) => words?.replaceAll('character', unit);
  return {...setting, says: said(setting.says), maths: said(setting.maths)};
}

/** @param {any} found @returns {Settings | null} null where one is no number or out of range; what is missing is as usual */
export function readSettings(found) {
  if (typeof found !== 'object' || found === null) return null;
  const settings = pick({...USUAL, ...found});
  const within = ({name, min, max}) => typeof settings[name] === 'number' && settings[name] >= min && settings[name] <= (name === 'top_k' ? MAX_TOP_K : max);
  return SETTINGS.every(within) && Number.isInteger(settings.top_k) ? settings : null;
}

/** The settings alone, out of what holds more. @param {any} found @returns {Settings} */
export function pick({temperature, top_k, top_p, min_p, repetition_penalty}) {
  return {temperature, top_k, top_p, min_p, repetition_penalty};
}
