/** The text that one's own model learns from, before it is sent. Pure: no DOM. */

/** @param {number} count of bytes @returns {string} */
export function bytes(count) {
  const [unit, name] = count >= 1e9 ? [1e9, 'GB'] : count >= 1e6 ? [1e6, 'MB'] : [1e3, 'KB'];
  return `${(count / unit).toLocaleString('en', {maximumFractionDigits: 1})} ${name}`;
}

/**
 * A file that is opened: nothing of a large one is read.
 * @param {{name: string, size: number, arrayBuffer: () => Promise<ArrayBuffer>}} file
 * @param {number} most bytes
 * @returns {Promise<string>}
 * @throws {Error} what is wrong with it, in one sentence
 */
export async function readFile(file, most) {
  if (file.size > most) throw new Error(`${file.name} has ${bytes(file.size)}; the limit of this page is ${bytes(most)}. Open a part of it.`);
  let data;
  try {
    data = await file.arrayBuffer();
  } catch {
    throw new Error(`${file.name} cannot be read.`);
  }
  try {
    return new TextDecoder('utf-8', {fatal: true}).decode(data);
  } catch {
    throw new Error(`${file.name} is not UTF-8, so it is no plain text, or an old one. Save it as UTF-8 and open it again.`);
  }
}

/** @param {string} text @param {number} least characters @returns {string} what is in it, and what it lacks */
export function measure(text, least) {
  if (!text) return '';
  let count = 0;
  const alphabet = new Set();
  for (const character of text) { count++; alphabet.add(character); }
  const short = count < least ? `; at least ${least.toLocaleString('en')} are needed` : '';
  return `${count.toLocaleString('en')} characters, ${alphabet.size.toLocaleString('en')} different ones${short}`;
}

/** A name for a model, from that of a file. @param {string} file */
export function titleOf(file) {
  return file.replace(/\.[^.]*$/, '').slice(0, 24);
}
