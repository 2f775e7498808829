/** A tab comes to the front again. */

/**
 * The address bar holds the state of the tab in front: whoever comes back to it says its own again.
 * @param {HTMLElement} element without width while another tab is open
 * @param {() => void} back called each time that it is shown again
 */
export function onReturn(element, back) {
  let away = false;
  new ResizeObserver(() => {
    const here = element.clientWidth > 0;
    if (here && away) back();
    away = !here;
  }).observe(element);
}
