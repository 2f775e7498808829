/** From this tab to the others and back: `gl:open` says which, and what it is to show. */
import {tabNamed, toFront} from '../common/tabs.js';
import {desk, unitAt} from './desk.js';

const MOUNTED_MS = 8000;

/** @param {string} name of a tab, as it stands on it */
export function hasTab(name) { return tabNamed(name) !== undefined; }

/**
 * Open a tab and tell it what to show. Its module is there only once the tab has been open.
 * @param {string} name
 * @param {{tab: string, text: string, pin?: number}} detail
 */
export async function openTab(name, detail) {
  toFront(name);
  const late = performance.now() + MOUNTED_MS;
  const mounted = () => [...document.querySelectorAll('#gl-tabs > .tabitem')].some((panel) => /** @type {HTMLElement} */ (panel).offsetParent !== null && !panel.querySelector('#gl-prompt') && panel.querySelector('.gl-part'));
  while (!mounted() && performance.now() < late) await new Promise((resume) => setTimeout(resume, 30));
  document.dispatchEvent(new CustomEvent('gl:open', {detail}));
}

/** The Attention tab, at the character that is pinned, or at the last one. */
export function openAttention() {
  const {sheet, pin, laid} = desk.state;
  if (sheet.text === '') return;
  const at = pin ?? sheet.text.length - 1;
  const unit = unitAt(at) ?? laid.units[laid.units.length - 1];
  const token = unit ? unit.token : at;
  // A text that has outgrown the window is opened at the pin: what comes after changes nothing of what was seen before.
  const end = (laid.units[laid.units.length - 1]?.token ?? sheet.text.length) + 1 > sheet.block ? (unit?.end ?? at + 1) : sheet.text.length;
  void openTab('Attention', {tab: 'attention', text: sheet.text.slice(0, end), pin: token});
}

/** Hear of `gl:open` {tab: 'prompt', text}: the tab comes to the front, and a text becomes its line. */
export function mountDoors() {
  document.addEventListener('gl:open', (event) => {
    const {tab, text} = /** @type {CustomEvent} */ (event).detail ?? {};
    if (tab !== 'prompt') return;
    toFront('Prompt');
    if (typeof text !== 'string') return;
    const line = /** @type {HTMLTextAreaElement | null} */ (document.querySelector('#gl-your-line textarea'));
    if (!line) return;
    line.value = text;
    line.dispatchEvent(new Event('input', {bubbles: true}));
    line.focus();
  });
}
