/** Where one text says other words than another. Pure: no DOM. */

/** Comparing takes the product of the two numbers of words: beyond this the texts are compared from both ends alone. */
const MOST = 6_000_000;

/**
 * @param {string} shown
 * @param {string} other
 * @returns {{passages: [number, number][], same: number, words: number}} in `shown`: passages that are not in the other, and how many of its words are
 */
export function differences(shown, other) {
  const a = wordsOf(shown);
  const b = wordsOf(other);
  const equal = (i, j) => a[i].text === b[j].text;
  let head = 0;
  while (head < a.length && head < b.length && equal(head, head)) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && equal(a.length - 1 - tail, b.length - 1 - tail)) tail++;
  const kept = new Set([...Array(head).keys(), ...Array.from({length: tail}, (_, i) => a.length - 1 - i)]);
  const n = a.length - head - tail;
  const m = b.length - head - tail;
  if (n * m > 0 && n * m <= MOST) for (const i of common(n, m, (i, j) => equal(head + i, head + j))) kept.add(head + i);
  /** @type {[number, number][]} */ const passages = [];
  a.forEach((word, i) => {
    if (kept.has(i)) return;
    const last = passages[passages.length - 1];
    if (last && i > 0 && !kept.has(i - 1) && !shown.slice(last[1], word.start).includes('\n')) last[1] = word.end; else passages.push([word.start, word.end]);
  });
  return {passages, same: kept.size, words: a.length};
}

function wordsOf(text) {
  return [...text.matchAll(/\S+/g)].map((found) => ({text: found[0], start: found.index ?? 0, end: (found.index ?? 0) + found[0].length}));
}

/** Indices of the first list that stand in a longest common subsequence. */
function common(n, m, equal) {
  const lengths = Array.from({length: n + 1}, () => new Uint16Array(m + 1));
  for (let i = n - 1; i >= 0; i--) {
    for (let j = m - 1; j >= 0; j--) lengths[i][j] = equal(i, j) ? lengths[i + 1][j + 1] + 1 : Math.max(lengths[i + 1][j], lengths[i][j + 1]);
  }
  const found = [];
  for (let i = 0, j = 0; i < n && j < m;) {
    if (equal(i, j)) { found.push(i); i++; j++; } else if (lengths[i + 1][j] >= lengths[i][j + 1]) i++; else j++;
  }
  return found;
}
