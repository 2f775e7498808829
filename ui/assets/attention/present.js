/** Presenting: full screen, large type, no controls. */
import {make} from '../dom.js';

/** @param {import('./app.js').App} app @param {HTMLElement} root */
export function createPresenter(app, root) {
  /** Sizes are those of a projector of 1920 by 1080; on another screen all of them shrink or grow alike. */
  const scale = () => {
    if (presenter.on) root.style.setProperty('--gl-unit', String(Math.min(window.innerWidth / 1920, window.innerHeight / 1080)));
    else root.style.removeProperty('--gl-unit');
  };
  window.addEventListener('resize', scale);
  const footer = make('div', {class: 'ge-presenting-footer'});
  root.append(footer);
  const presenter = {
    on: false,
    /** @param {boolean} [on] */
    toggle(on = !presenter.on) {
      if (on === presenter.on) return;
      presenter.on = on;
      root.classList.toggle('ge-presenting', on);
      scale();
      document.documentElement.classList.toggle('ge-presenting-page', on);
      // A frame may refuse the full screen; the page then fills its own window.
      if (on) root.requestFullscreen?.().catch(() => {});
      else if (document.fullscreenElement) void document.exitFullscreen();
      root.focus();
      app.touch('size');
    },
    footer,
  };
  document.addEventListener('fullscreenchange', () => {
    if (!document.fullscreenElement && presenter.on) presenter.toggle(false);
    else app.touch('size');
  });
  return presenter;
}
