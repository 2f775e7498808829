/** A play's layout, from its plain text. Pure: no DOM. */

/**
 * @typedef {object} Line
 * @property {number} start offset in the text
 * @property {string} text without its line break
 * @property {boolean} speaker a speaker's name, as a play's layout has it: a line of its own, after an empty one, closed by a colon
 */

const SPEAKER = /^[A-Z][A-Za-z'&. -]{0,38}:$/;

/**
 * @param {string} text
 * @returns {Line[]} one for each line; at least one
 */
export function lines(text) {
  const found = [];
  let start = 0;
  let before = '';
  for (const line of text.split('\n')) {
    found.push({start, text: line, speaker: before.trim() === '' && SPEAKER.test(line)});
    start += line.length + 1;
    before = line;
  }
  return found;
}

/**
 * Whose each line is, where a prompt ends and what the model wrote begins.
 * @param {Line} line
 * @param {number} given length of the prompt
 * @returns {[string, string]} the part of the line that was given, and the part that was written
 */
export function divide(line, given) {
  const cut = Math.max(0, Math.min(line.text.length, given - line.start));
  return [line.text.slice(0, cut), line.text.slice(cut)];
}
