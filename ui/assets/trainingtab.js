/** The Training tab: how the model learned, on the curve of its loss; and, in place of that, a training of one's own. */
import {make} from './dom.js';
import {createCurve} from './training/curve.js';
import {mountOwn} from './training/own.js';

/** @param {import('./dom.js').View} view */
export function mount({element, props}) {
  const part = (name, ...children) => make('div', {class: name}, ...children);
  const curve = createCurve({move: () => {}, go: () => {}});
  const panes = part('gt-panes');
  const own = make('section', {class: 'gt-own', 'aria-label': 'Train your own', hidden: true});
  const storyBar = part('gt-bar-story');
  const ownBar = part('gt-bar-own');
  ownBar.hidden = true;
  const toggle = make('button', {class: 'gl-button gt-toggle', type: 'button', on: {click: () => open(own.hidden)}}, 'Train your own');
  const root = make('div', {class: 'gl-part gt', tabIndex: -1}, panes, own, part('gt-curve', curve.element), part('gt-bar', storyBar, ownBar, toggle));
  element.replaceChildren(root);
  const mine = mountOwn({
    element: own, bar: ownBar, curve: {draw: curve.draw}, value: () => props.value?.own,
    show: () => open(true), back: () => open(false), shown: () => root.clientWidth > 0 && !own.hidden,
  });

  /** @param {boolean} wanted the training of one's own, not the story */
  function open(wanted) {
    if (wanted === !own.hidden) return;
    own.hidden = ownBar.hidden = !wanted;
    panes.hidden = storyBar.hidden = wanted;
    toggle.textContent = wanted ? 'Back to the story' : 'Train your own';
    if (wanted) mine.open(); else mine.close();
  }
}
