/** Pointing at characters: hover shows, a click or a tap pins, Escape drops, arrow keys walk. */
import {desk, unitAt} from './desk.js';
import {openAttention} from './doors.js';

/** Further than this the pointer was dragging: it marks text, and pins nothing. */
const STILL = 5;

/**
 * @param {HTMLElement} play
 * @param {ReturnType<import('./places.js').createPlaces>} places
 */
export function mountPointing(play, places) {
  let due = 0;
  let down = {x: 0, y: 0};
  /** @type {PointerEvent | null} */ let last = null;

  const look = () => {
    due = 0;
    if (last) desk.set({hover: places.offsetAt(last.clientX, last.clientY)});
  };
  play.addEventListener('pointermove', (event) => {
    if (event.pointerType === 'touch' || event.buttons) return;
    last = event;
    due ||= requestAnimationFrame(look);
  });
  play.addEventListener('pointerleave', () => { last = null; desk.set({hover: null}); });
  play.addEventListener('pointerdown', (event) => { down = {x: event.clientX, y: event.clientY}; });
  play.addEventListener('click', (event) => {
    if (Math.hypot(event.clientX - down.x, event.clientY - down.y) > STILL) return;
    if (!window.getSelection()?.isCollapsed && play.contains(window.getSelection()?.anchorNode ?? null)) return;
    const offset = places.offsetAt(event.clientX, event.clientY);
    if (offset === null) return;
    const again = offset === desk.state.pin;
    desk.set({pin: again ? null : offset, hover: null});
    if (!again) follow(offset);
  });

  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !play.offsetParent) return;
    const target = /** @type {HTMLElement} */ (event.target);
    if (target.closest?.('input:not([type=checkbox]), textarea, select, [contenteditable]')) return;
    const {pin, sheet: {text, status}} = desk.state;
    if (event.key === 'Escape') {
      if (status !== 'writing' && pin !== null) desk.set({pin: null, hover: null});
      return;
    }
    if (event.key === 'a' || event.key === 'A') {
      event.preventDefault();
      openAttention();
      return;
    }
    const onText = target === play || (pin !== null && !target.closest?.('button, a, input, [role=tab], [role=slider]'));
    if (!onText || text === '') return;
    const to = destination(event.key, pin, text);
    if (to === undefined) return;
    event.preventDefault();
    if (to === null) return;
    desk.set({pin: to, hover: null});
    follow(to);
  });

  /** @returns {number | null | undefined} null: no further that way; undefined: a key of another kind */
  function destination(key, pin, text) {
    const end = text.length - 1;
    if (key === 'Home' || (pin === null && key === 'ArrowDown')) return 0;
    if (key === 'End') return end;
    const unit = unitAt(pin); // of several characters, where tokens are words
    if (key === 'ArrowRight') return pin === null ? 0 : Math.min(end, unit?.end ?? pin + 1);
    if (key === 'ArrowLeft') return pin === null ? end : Math.max(0, (unit?.start ?? pin) - 1);
    if (key === 'ArrowUp' || key === 'ArrowDown') return places.beside(pin ?? end, key === 'ArrowUp' ? -1 : 1);
    return undefined;
  }

  function follow(offset) {
    const box = places.boxAt(offset);
    if (!box) return;
    const y = play.getBoundingClientRect().top + box.y;
    const low = lowerEdge() - 2 * box.h;
    if (y < 40) window.scrollBy(0, y - 120);
    else if (y > low) window.scrollBy(0, y - low + 40);
  }
}

/** Where the text is covered from: by the bar, or on a narrow page by the pinned character's panel. */
function lowerEdge() {
  const covers = ['.gp-pinned', '#gl-bar'].map((name) => document.querySelector(name)).filter((part) => part && ['fixed', 'sticky'].includes(getComputedStyle(part).position));
  return Math.min(window.innerHeight, ...covers.map((part) => /** @type {Element} */ (part).getBoundingClientRect().top));
}
