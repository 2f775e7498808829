/** Many things of which one is in the order of Tab, and the arrow keys walk among them: the heads of a figure. */

/** @type {Record<string, [number, number]>} rows and columns that a key moves by */
const STEPS = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]};

/**
 * Where an arrow key leads in a table, or null where it leads out of it.
 * @param {string} key
 * @param {number} at place, counted row by row
 * @param {number} rows
 * @param {number} columns
 * @returns {number | null}
 */
export function step(key, at, rows, columns) {
  if (!(key in STEPS)) return null;
  const row = Math.floor(at / columns) + STEPS[key][0];
  const column = (at % columns) + STEPS[key][1];
  return row < 0 || row >= rows || column < 0 || column >= columns ? null : row * columns + column;
}

/**
 * Heads as things to press: hovering or focusing one previews it, a click or Enter selects it, with Shift silences it.
 * @param {import('./app.js').App} app
 * @param {Element} group what holds them
 * @param {() => (HTMLElement | SVGElement)[]} items one for each head, layer by layer
 */
export function pressHeads(app, group, items) {
  const pairAt = (i) => { const heads = app.trace?.heads ?? 1; return {layer: Math.floor(i / heads), head: i % heads}; };
  const indexOf = (event) => items().findIndex((item) => item.contains(/** @type {Node} */ (event.target)));
  const press = (i, silence) => {
    const {layer, head} = pairAt(i);
    if (silence) app.toggleSilenced([layer, head]);
    else app.set({layer, head, average: 'head'});
  };
  const preview = (event) => { const i = indexOf(event); if (i >= 0) app.point(pairAt(i)); };
  group.addEventListener('pointerover', preview);
  group.addEventListener('pointerleave', () => app.point(null));
  group.addEventListener('focusin', (event) => { if (/** @type {Element} */ (event.target).matches(':focus-visible')) preview(event); });
  group.addEventListener('focusout', () => app.point(null));
  group.addEventListener('click', (event) => {
    const i = indexOf(event);
    if (i >= 0) press(i, /** @type {MouseEvent} */ (event).shiftKey);
  });
  group.addEventListener('keydown', (event) => {
    const {key, shiftKey} = /** @type {KeyboardEvent} */ (event);
    const i = indexOf(event);
    if (i < 0) return;
    const to = step(key, i, app.trace?.layers ?? 1, app.trace?.heads ?? 1);
    if (to !== null) items()[to].focus();
    else if (key === 'Enter' || key === ' ') press(i, shiftKey);
    else if (!(key in STEPS)) return;
    event.preventDefault();
    event.stopPropagation(); // the page's own keys mean the selected head
  });
}

/** Put the chosen one, and no other, into the order of Tab. */
export function chooseTab(items, chosen) {
  items.forEach((item, i) => item.setAttribute('tabindex', i === chosen ? '0' : '-1'));
}
