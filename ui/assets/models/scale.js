/** The shared scale of bits a character, and numbers in words. No DOM. */

const STEPS = [0.05, 0.1, 0.2, 0.5, 1, 2];
const MOST_TICKS = 6;
const MB = 1e6;

/**
 * A scale that holds all values with room on both sides.
 * @param {number[]} values bits a character
 * @returns {{low: number, high: number, ticks: number[]} | null} null without a value
 */
export function scaleOf(values) {
  const known = values.filter(Number.isFinite);
  if (!known.length) return null;
  const least = Math.min(...known), most = Math.max(...known);
  const step = STEPS.find((one) => (most - least) / one <= MOST_TICKS - 2) ?? Math.ceil((most - least) / (MOST_TICKS - 2));
  const low = Math.max(0, Math.floor(least / step - 0.5) * step), high = Math.ceil(most / step + 0.5) * step;
  const count = Math.round((high - low) / step);
  return {low, high, ticks: Array.from({length: count + 1}, (_, i) => Number((low + i * step).toFixed(4)))};
}

/** @param {number} value @param {{low: number, high: number}} scale @returns {number} where it is on the line, 0 to 1 */
export function place(value, {low, high}) {
  return Math.min(1, Math.max(0, (value - low) / (high - low)));
}

/** @param {number} count @returns {string} "9.5 MB", "512 kB" */
export function bytes(count) {
  if (count >= 1000 * MB) return `${(count / MB / 1000).toFixed(1)} GB`;
  return count >= MB / 10 ? `${(count / MB).toFixed(1)} MB` : `${Math.ceil(count / 1000)} kB`;
}

/** How long something will still take. @param {number | null} seconds @returns {string} empty where it is not known */
export function left(seconds) {
  if (seconds === null || !Number.isFinite(seconds)) return '';
  if (seconds < 1.5) return 'a second left';
  return seconds < 90 ? `${Math.round(seconds)} seconds left` : `${Math.round(seconds / 60)} minutes left`;
}

/**
 * What an arrival is doing, in words.
 * @param {{name: string, state: string, done: number, total: number, left: number | null, error: string}} arrival
 * @returns {string}
 */
export function arriving({name, state, done, total, left: seconds, error}) {
  if (state === 'asking') return `Asking the Hub for ${name}`;
  if (state === 'fetching' && done >= total) return `All of ${name} is here and is read; a large model takes up to a minute`;
  if (state === 'fetching') {
    const rest = left(seconds);
    return `Fetching ${name}: ${(done / MB).toFixed(1)} of ${bytes(total)}${rest ? `, ${rest}` : ''}`;
  }
  if (state === 'checking') return `${name} is here and is read`;
  if (state === 'stopped') return `Stopped. Nothing of ${name} was kept on the list.`;
  return state === 'failed' ? error : `${name} is on the list.`;
}

/** @param {string[]} names @param {number} most @returns {string} which models are in memory */
export function inMemory(names, most) {
  if (!names.length) return `No model is in memory yet; the first use of one loads it. At most ${most} are kept.`;
  const list = names.length === 1 ? names[0] : `${names.slice(0, -1).join(', ')} and ${names[names.length - 1]}`;
  return `In memory: ${list}. Of at most ${most}, the one not used for longest makes room.`;
}
