/** The right column of the Prompt tab: the character that is pinned, and the branches of the text. */
import {make} from '../dom.js';
import {mountPinned} from './pinned.js';
import {mountTree} from './tree.js';

/** @param {import('../dom.js').View} view */
export function mount({element}) {
  const part = make('div', {class: 'gl-part gp-side'});
  element.replaceChildren(part);
  mountPinned(part);
  mountTree(part);
}
