/** Presenting: a tab alone, full screen, in large type and without controls. */

/**
 * @param {HTMLElement} root of the tab
 * @param {string} name its class while it is presented; `--gl-unit` then says how large the screen is
 * @param {() => void} changed its room is another one now
 */
export function createPresenter(root, name, changed) {
  /** Sizes are those of a projector of 1920 by 1080; on another screen all of them shrink or grow alike. */
  const scale = () => {
    if (presenter.on) root.style.setProperty('--gl-unit', String(Math.min(window.innerWidth / 1920, window.innerHeight / 1080)));
    else root.style.removeProperty('--gl-unit');
  };
  window.addEventListener('resize', scale);
  const presenter = {
    on: false,
    /** @param {boolean} [on] */
    toggle(on = !presenter.on) {
      if (on === presenter.on) return;
      presenter.on = on;
      root.classList.toggle(name, on);
      scale();
      document.documentElement.classList.toggle('gl-presenting-page', on);
      // A frame may refuse the full screen; the page then fills its own window.
      if (on) root.requestFullscreen?.().catch(() => {});
      else if (document.fullscreenElement) void document.exitFullscreen();
      root.focus();
      changed();
    },
  };
  document.addEventListener('fullscreenchange', () => {
    if (!document.fullscreenElement && presenter.on) presenter.toggle(false);
    else changed();
  });
  return presenter;
}
