/** Lines to begin with: a click writes from one. And the way in for a text of one's own. */
import {make} from './dom.js';
import {ownPanel} from './prompt/own.js';

/** @param {import('./dom.js').View} view */
export function mount({element, props, trigger}) {
  const items = (props.value?.texts ?? []).map((text) => {
    const pick = () => {
      props.value = {...props.value, chosen: text};
      trigger('begin');
    };
    return make('li', {}, make('button', {class: 'gl-link', type: 'button', on: {click: pick}}, text));
  });
  element.replaceChildren(
    make('div', {class: 'gl-part'}, make('div', {class: 'gl-beginnings'}, 'Or begin with', make('ul', {}, ...items)), ownPanel()));
}
