/** The page's tabs, by the words on them: gradio's, and those of a page with no server. */

/** @param {string} name @returns {HTMLElement | undefined} */
export function tabNamed(name) {
  return /** @type {HTMLElement | undefined} */ ([...document.querySelectorAll('#gl-tabs button[role=tab]')].find((one) => one.textContent?.trim() === name));
}

/** @param {string} name @returns {boolean} it was not in front, and is now, or will be in a moment */
export function toFront(name) {
  const tab = tabNamed(name);
  if (!tab || tab.getAttribute('aria-selected') === 'true') return false;
  tab.click();
  return true;
}
