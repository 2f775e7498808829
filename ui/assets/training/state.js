/** What the Training tab shows, as one plain object: it goes into the link. Pure: no DOM. */

/** @typedef {{step: number, layer: number, head: number}} State */

/**
 * A state out of what a link holds: what is not as it should be is dropped, and named.
 * @param {any} found
 * @returns {{state: Partial<State>, dropped: string[]}} only what was there
 */
export function readState(found) {
  /** @type {Partial<State>} */ const state = {};
  /** @type {string[]} */ const dropped = [];
  if (typeof found !== 'object' || found === null || Array.isArray(found)) return {state, dropped: ['everything']};
  for (const [name, most] of Object.entries({step: Number.MAX_SAFE_INTEGER, layer: 999, head: 999})) {
    if (!(name in found)) continue;
    if (Number.isInteger(found[name]) && found[name] >= 0 && found[name] <= most) state[name] = found[name];
    else dropped.push(name);
  }
  return {state, dropped};
}

/** @param {string} model @param {State} state @returns {object} what its link holds */
export function linkState(model, {step, layer, head}) {
  return {tab: 'training', model, training: {step, layer, head}};
}
