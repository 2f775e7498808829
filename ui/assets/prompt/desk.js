/** What the parts of the Prompt tab share: the text on the screen, what the model thought of it, and what is pointed at. No DOM. */

/**
 * @typedef {object} Sheet the text on the screen
 * @property {string} text prompt included
 * @property {number} given length of the prompt
 * @property {string} model
 * @property {string} status
 * @property {number} block tokens that the model reads at once
 * @property {boolean} own the person's own text, which is scored and not written on
 */

/**
 * @typedef {object} Desk
 * @property {Sheet} sheet
 * @property {import('./thoughts.js').Laid} laid what the model thought, as far as it is known
 * @property {{known: number, total: number} | null} progress of the thoughts, in tokens; null before the first answer
 * @property {boolean} paused nothing is asked about the text
 * @property {string} problem one sentence, where the server did not say what the model thought
 * @property {import('./tint.js').TintName} tint
 * @property {number | null} hover offset of a character
 * @property {number | null} pin
 * @property {any} quality what the server found in the text; null while it is not known
 * @property {{rules: [number, number][], dotted: [number, number][], wash: [number, number][]}} marks passages marked in the text
 * @property {import('./branches.js').Tree} tree
 * @property {number | null} compared the branch that the one on the screen is compared with
 * @property {string} said one sentence about the branches
 */

/** What can be asked of the text's own module. @type {{fork: (at: number, added: string) => void, walk: (id: number) => void, score: (text: string, notes: string[]) => void, back: () => void, show: (offset: number) => void}} */
const NOTHING_YET = {fork() {}, walk() {}, score() {}, back() {}, show() {}};

/** @param {Desk} state */
export function createDesk(state) {
  /** @type {Set<(changed: Set<string>) => void>} */ const listeners = new Set();
  return {
    state,
    actions: {...NOTHING_YET},
    /** @param {Partial<Desk>} fields */
    set(fields) {
      const changed = new Set(Object.keys(fields).filter((name) => state[name] !== fields[name]));
      if (!changed.size) return;
      Object.assign(state, fields);
      for (const listener of [...listeners]) listener(changed);
    },
    /** @param {(changed: Set<string>) => void} listener hears the names of what has changed */
    on(listener) { listeners.add(listener); },
  };
}

/** The page has one Prompt tab. */
export const desk = createDesk({
  sheet: {text: '', given: 0, model: '', status: 'done', block: 256, own: false}, laid: {at: new Int32Array(0), units: []}, progress: null, paused: false, problem: '',
  tint: 'surprise', hover: null, pin: null, quality: null, marks: {rules: [], dotted: [], wash: []},
  tree: {branches: [], current: null, next: 1}, compared: null, said: '',
});

/** @param {number | null} offset @returns {import('./thoughts.js').Unit | null} what was thought of the character there */
export function unitAt(offset, {laid} = desk.state) {
  if (offset === null || !(offset in laid.at)) return null;
  return laid.units[laid.at[offset]] ?? null;
}
