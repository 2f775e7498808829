/** Where texts that began alike come to differ. No DOM. */

/**
 * How far texts agree, and whether they have come to differ or are only of different lengths.
 * @param {string[]} texts
 * @returns {{shared: number, parted: boolean}} characters that all begin with
 */
export function part(texts) {
  const all = texts.map((text) => [...text]);
  const least = all.length ? Math.min(...all.map((text) => text.length)) : 0;
  let n = 0;
  while (n < least && all.every((text) => text[n] === all[0][n])) n++;
  return {shared: (all[0] ?? []).slice(0, n).join('').length, parted: all.length > 1 && n < least};
}
