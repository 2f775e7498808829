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

/**
 * @typedef {object} Place where a branch is drawn, in pixels
 * @property {Branch} branch
 * @property {number} row from the top
 * @property {number} x its line begins here
 * @property {{x: number, row: number} | null} from where it leaves its parent's line
 * @property {{at: number, x: number}[]} forks where others leave it
 * @property {number} labelX
 * @property {string} label what it says after the last of its forks; or, with none, after it left its parent
 * @property {number | null} onPath up to where its line leads to the text on the screen; null: it does not, Infinity: all of it
 */

/** From a line's begin to its first fork, between two forks, and from a fork to the begin of the line that leaves there. */
const FIRST = 44;
const BETWEEN = 18;
const AWAY = 34;
/** Room that a label must have. */
const LABEL = 130;

/**
 * A row for each branch, those that left it under it.
 * @param {Tree} tree
 * @param {number} width
 * @returns {Place[]}
 */
export function places(tree, width) {
  /** @type {Place[]} */ const found = [];
  const path = pathOf(tree);
  const k = Math.min(1, (width - LABEL) / widest(tree)); // a deep tree is drawn closer
  const visit = (branch, x, from) => {
    const children = tree.branches.filter(({parent}) => parent === branch.id).sort((a, b) => b.at - a.at || a.id - b.id);
    const places = [...new Set(children.map(({at}) => at))].sort((a, b) => a - b);
    const forks = places.map((at, i) => ({at, x: x + k * (FIRST + i * BETWEEN)}));
    const whole = wholeOf(branch);
    const last = forks[forks.length - 1];
    const step = path.indexOf(branch.id);
    const leaves = step >= 0 && step < path.length - 1 ? byId(tree, path[step + 1])?.at : undefined;
    const place = {
      branch, row: found.length, x, from, forks, labelX: (last?.x ?? x) + 10, label: words(whole, last?.at ?? branch.at),
      onPath: step < 0 ? null : leaves === undefined ? Infinity : forks.find(({at}) => at === leaves)?.x ?? null,
    };
    found.push(place);
    for (const child of children) { // the last to leave is the next below: lines do not cross
      const fork = /** @type {{x: number}} */ (forks.find(({at}) => at === child.at));
      visit(child, fork.x + k * AWAY, {x: fork.x, row: place.row});
    }
  };
  for (const branch of tree.branches) if (branch.parent === null || !byId(tree, branch.parent)) visit(branch, 5, null);
  return found;
}

/** How far right the last fork of a tree is that has room for itself. */
function widest(tree) {
  const reach = (branch) => {
    const children = tree.branches.filter(({parent}) => parent === branch.id);
    const forks = new Set(children.map(({at}) => at)).size;
    return forks ? FIRST + (forks - 1) * BETWEEN + Math.max(...children.map((child) => AWAY + reach(child))) : 0;
  };
  return Math.max(1, ...tree.branches.filter(({parent}) => parent === null).map(reach));
}

/** Ids from a root to the branch on the screen. */
function pathOf(tree) {
  const path = [];
  for (let now = current(tree); now; now = (now.parent !== null && byId(tree, now.parent)) || null) path.unshift(now.id);
  return path;
}

/** The first words from a place on, on one line; one that was cut in two is said whole. @param {string} text @param {number} at */
export function words(text, at, count = 5) {
  const begun = /\S*$/.exec(text.slice(Math.max(0, at - 24), at))?.[0].length ?? 0;
  return text.slice(at - begun, at + 120).trim().split(/\s+/).slice(0, count).join(' ').slice(0, 48);
}
