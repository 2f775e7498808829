/**
 * The texts that were written here, as a tree: a text, and those that left it at some character. Pure: no DOM.
 * A tree is never changed: every function returns a new one.
 */

/** More would be no help on the screen; the oldest that nothing hangs on goes. */
export const MAX_BRANCHES = 30;

/**
 * @typedef {object} Branch
 * @property {number} id
 * @property {number | null} parent the branch that it left; null: it began by itself
 * @property {number} at where it left, an offset in the whole text; 0 without a parent
 * @property {string} prompt
 * @property {string} text what was written to it
 * @property {Record<string, any>} with the settings that it was written with
 * @property {boolean} example nobody asked for it
 */

/** @typedef {{branches: Branch[], current: number | null, next: number}} Tree */

/** @param {Tree} tree @returns {Branch | null} the one on the screen */
export function current(tree) {
  return tree.branches.find(({id}) => id === tree.current) ?? null;
}

/** @param {Branch} branch @returns {string} */
export function wholeOf({prompt, text}) { return prompt + text; }

/**
 * A text of its own. An example that nobody has touched makes room for it; one that continues a prompt that is here leaves that one's text where the prompt ends.
 * @param {Tree} tree
 * @param {Pick<Branch, 'prompt' | 'text' | 'with' | 'example'>} made
 * @returns {{tree: Tree, dropped: Branch | null}}
 */
export function begin(tree, made) {
  const kept = {...tree, branches: tree.branches.filter((one) => !one.example || tree.branches.some(({parent}) => parent === one.id))};
  const same = made.prompt === '' ? undefined : kept.branches.find((one) => one.parent === null && one.prompt === made.prompt);
  return add(kept, {...made, parent: same?.id ?? null, at: same ? made.prompt.length : 0});
}

/**
 * The text on the screen is left at a character, for another one.
 * @param {Tree} tree
 * @param {number} at
 * @param {Pick<Branch, 'prompt' | 'text' | 'with'>} made
 */
export function fork(tree, at, made) {
  let from = current(tree);
  while (from && from.parent !== null && at < from.at) from = byId(tree, from.parent); // that character was the parent's
  return add(tree, {...made, example: false, parent: from?.id ?? null, at: from ? at : 0});
}

/** The text on the screen as it is now. @param {Tree} tree @param {Partial<Branch>} fields @returns {Tree} */
export function change(tree, fields) {
  return {...tree, branches: tree.branches.map((one) => (one.id === tree.current ? {...one, ...fields} : one))};
}

/** Where the text on the screen has come out as one that is here already, that one is shown. @param {Tree} tree @returns {Tree} */
export function merge(tree) {
  const now = current(tree);
  const twin = now && tree.branches.find((one) => one.id !== now.id && wholeOf(one) === wholeOf(now));
  if (!now || !twin || tree.branches.some(({parent}) => parent === now.id)) return tree;
  return {...tree, branches: tree.branches.filter((one) => one !== now), current: twin.id};
}

/** @returns {{tree: Tree, dropped: Branch | null}} */
function add(tree, made) {
  const branch = {...made, id: tree.next};
  let branches = [...tree.branches, branch];
  let dropped = null;
  if (branches.length > MAX_BRANCHES) {
    const held = new Set([...branches.map(({parent}) => parent), branch.id]);
    dropped = branches.find(({id}) => !held.has(id)) ?? null;
    branches = branches.filter((one) => one !== dropped);
  }
  return {tree: {branches, current: branch.id, next: tree.next + 1}, dropped};
}

function byId(tree, id) { return tree.branches.find((one) => one.id === id); }

/** @typedef {{branch: Branch, depth: number, row: number, parentRow: number, label: string, forks: {at: number, label: string}[]}} Place */

/** A row for each branch, those that left it under it, and the words that it says from there. @param {Tree} tree @returns {Place[]} */
export function places(tree) {
  /** @type {Place[]} */ const found = [];
  const visit = (branch, depth, parentRow) => {
    const row = found.length;
    const children = tree.branches.filter(({parent}) => parent === branch.id).sort((a, b) => a.at - b.at || a.id - b.id);
    const forks = [...new Set(children.map(({at}) => at))].map((at) => ({at, label: words(wholeOf(branch), at)}));
    found.push({branch, depth, row, parentRow, label: words(wholeOf(branch), branch.at), forks});
    for (const child of children) visit(child, depth + 1, row);
  };
  for (const branch of tree.branches) if (branch.parent === null || !byId(tree, branch.parent)) visit(branch, 0, -1);
  return found;
}

/** The first words from a place on, on one line. @param {string} text @param {number} at */
export function words(text, at, count = 5) {
  return text.slice(at, at + 120).trim().split(/\s+/).slice(0, count).join(' ').slice(0, 48);
}
