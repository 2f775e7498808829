/** "Train your own": what stands in place of the story while a training of one's own is set up, and while it runs. */

/**
 * @param {object} place
 * @param {HTMLElement} place.element empty; hidden while the story is shown
 * @param {HTMLElement} place.bar for buttons, left in the row under the curve
 * @param {{draw: (timeline: import('./curve.js').Timeline) => void}} place.curve to draw into while this is open
 * @param {() => any} place.value what the server said of it
 * @param {() => void} place.show opens this
 * @param {() => void} place.back goes back to the story
 * @param {() => boolean} place.shown this is open, and its tab in front
 * @returns {{open: () => void, close: () => void}}
 */
export function mountOwn({element, bar, curve, value, show, back, shown}) {
  void [element, bar, curve, value, show, back, shown];
  return {open() {}, close() {}};
}
