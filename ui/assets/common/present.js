/**
 * Presenting: the tab in front alone, full screen, in large type and without controls. It is the page that is presented:
 * where a talk goes on in another tab, that one is presented too.
 */
import {onReturn} from './shown.js';

/** The page is presented. */
let presented = false;

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
  /** As the page is. */
  const follow = () => {
    if (presenter.on === presented) return;
    presenter.on = presented;
    root.classList.toggle(name, presented);
    scale();
    changed();
  };
  const presenter = {
    on: false,
    /** @param {boolean} [on] */
    toggle(on = !presenter.on) {
      if (on === presenter.on) return;
      presented = on;
      document.documentElement.classList.toggle('gl-presenting-page', on);
      // A frame may refuse the full screen; the page then fills its own window.
      if (on) document.documentElement.requestFullscreen?.().catch(() => {});
      else if (document.fullscreenElement) void document.exitFullscreen();
      root.focus();
      follow();
    },
  };
  document.addEventListener('fullscreenchange', () => {
    if (!root.clientWidth) return; // another tab is in front
    if (!document.fullscreenElement && presenter.on) presenter.toggle(false);
    else changed();
  });
  onReturn(root, follow);
  follow();
  return presenter;
}
