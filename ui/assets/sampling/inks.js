/** The page's inks for a canvas, which knows no custom properties: read when the theme changes. */

const NAMES = /** @type {const} */ (['page', 'ink', 'ink-2', 'ink-3', 'edge', 'rule', 'blue', 'ochre', 'red']);
/** @typedef {Record<typeof NAMES[number], string> & {serif: string, sans: string}} Inks */

/** @type {WeakMap<Element, {dark: boolean, inks: Inks}>} */
const known = new WeakMap();

/** @param {Element} element @param {boolean} dark @returns {Inks} */
export function inksOf(element, dark) {
  const found = known.get(element);
  if (found?.dark === dark) return found.inks;
  const style = getComputedStyle(element);
  const value = (name) => style.getPropertyValue(`--gl-${name}`).trim();
  const inks = /** @type {Inks} */ (Object.fromEntries([...NAMES, 'serif', 'sans'].map((name) => [name, value(name)])));
  known.set(element, {dark, inks});
  return inks;
}
