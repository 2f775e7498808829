/** Under the curve: play, keep, and how it was trained. */
import {make} from '../dom.js';
import {factWords} from './told.js';

/** @param {import('./teller.js').Teller} teller @param {HTMLElement} element @param {{button: HTMLElement, says: HTMLElement}} keeper */
export function mountBar(teller, element, keeper) {
  const play = /** @type {HTMLButtonElement} */ (make('button', {class: 'gl-button ge-primary gt-play', type: 'button', on: {click: () => teller.play()}}));
  const facts = make('p', {class: 'gt-facts'});
  element.append(play, keeper.button, facts, keeper.says);
  teller.on((changed) => {
    if (changed.has('playing') || changed.has('story')) {
      play.replaceChildren(teller.playing ? 'Pause ' : 'Play ', make('kbd', {}, 'Space'));
      play.disabled = (teller.story?.moments.length ?? 0) < 2;
    }
    if (changed.has('story')) facts.replaceChildren(...factWords(teller.story?.facts ?? {}).map(([words, weighty]) => (weighty ? make('b', {}, words) : words)));
  });
}
