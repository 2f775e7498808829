/** A finger that goes sideways looks along; one that goes up or down scrolls the page, as it does everywhere else. */

/**
 * @param {HTMLElement} element
 * @param {(at: Touch) => void} look the finger is there
 * @param {() => void} end it has left
 */
export function onDrag(element, look, end) {
  let from = {clientX: 0, clientY: 0};
  let looking = false;
  element.addEventListener('touchstart', (event) => {
    [from] = event.touches;
    looking = false;
  }, {passive: true});
  element.addEventListener('touchmove', (event) => {
    const [at] = event.touches;
    looking ||= Math.abs(at.clientX - from.clientX) > Math.abs(at.clientY - from.clientY);
    if (!looking) return;
    event.preventDefault();
    look(at);
  }, {passive: false});
  for (const name of ['touchend', 'touchcancel']) element.addEventListener(name, () => { looking = false; end(); });
}
