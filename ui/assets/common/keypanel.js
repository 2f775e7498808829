/** The keys of a tab: which does what, heard while the tab is in front, and shown on the page on request. */
import {make} from '../dom.js';

/** @typedef {{keys: string[], shown: string, does: string, action: string}} Key */

/** What these keys do when the focus is on a control is that control's own. */
const OF_CONTROLS = new Set([' ', 'Enter']);
/** A tab that was clicked is shown by then. */
const SHOWN_MS = 60;

/**
 * @param {Key[]} keys
 * @param {{key: string, ctrlKey: boolean, metaKey: boolean, altKey: boolean}} event
 * @returns {string | null} the action that the key means
 */
export function actionOf(keys, {key, ctrlKey, metaKey, altKey}) {
  if (ctrlKey || metaKey || altKey) return null;
  return keys.find((one) => one.keys.includes(key))?.action ?? null;
}

/**
 * @param {object} tab
 * @param {HTMLElement} tab.root takes the focus when a button was clicked: who clicks goes on with the tab's keys, not with that button's
 * @param {Key[]} tab.keys with the actions `help` and `escape`
 * @param {(action: string) => void} tab.perform what the panel does not do itself
 * @param {() => boolean} tab.visible the tab is in front
 * @param {(action: string) => boolean} [tab.hears] whether an action means anything now; else its key stays the browser's
 * @returns {{button: HTMLElement, panel: HTMLElement}} what opens the panel, and the panel
 */
export function keyPanel({root, keys, perform, visible, hears = () => true}) {
  const button = make('button', {class: 'gl-link gl-keys-button', type: 'button', 'aria-expanded': 'false', on: {click: () => toggle()}}, 'Keys ', make('kbd', {}, '?'));
  const panel = make('div', {class: 'gl-key-panel', role: 'dialog', 'aria-label': 'Keys', hidden: true},
    make('div', {class: 'gl-key-head'}, make('h2', {}, 'Keys'), make('button', {class: 'gl-link', type: 'button', on: {click: () => toggle(false)}}, 'Close ', make('kbd', {}, 'Esc'))),
    make('dl', {}, ...keys.flatMap(({shown, does}) => [make('dt', {}, make('kbd', {}, shown)), make('dd', {}, does)])));

  function toggle(open = panel.hidden) {
    panel.hidden = !open;
    button.setAttribute('aria-expanded', String(open));
    if (open) panel.querySelector('button')?.focus(); else root.focus({preventScroll: true});
  }

  document.addEventListener('keydown', (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.defaultPrevented || !visible() || !root.isConnected) return;
    if (target.closest?.('input:not([type=checkbox]):not([type=range]), textarea, select, [contenteditable]')) return;
    if (OF_CONTROLS.has(event.key) && target.closest?.('button, a, input, [role=menu], [role=tab]')) return;
    const action = actionOf(keys, event);
    if (!action || !hears(action)) return;
    event.preventDefault();
    if (action === 'help' || (action === 'escape' && !panel.hidden)) toggle();
    else perform(action);
  });

  document.addEventListener('click', (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.detail === 0 || !target.closest?.('button')) return;
    if (root.contains(target) && !panel.contains(target)) root.focus({preventScroll: true});
    else if (target.closest('[role=tab]')) setTimeout(leaveTab, SHOWN_MS);
  }, {capture: true});
  const leaveTab = () => {
    if (visible() && document.activeElement?.matches('[role=tab]:not(:focus-visible)')) root.focus({preventScroll: true});
  };
  leaveTab(); // the tab was clicked before there was a panel
  return {button, panel};
}
