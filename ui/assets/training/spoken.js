/** For who listens: what a moment shows, once one has stopped there. */
import {headName} from '../common/words.js';
import {make} from '../dom.js';
import {roleAt, rolesAt} from './story.js';

const SETTLED_MS = 700;

/** @param {import('./teller.js').Teller} teller @param {HTMLElement} element */
export function mountSpoken(teller, element) {
  const spoken = make('div', {class: 'ge-spoken', 'aria-live': 'polite'});
  element.append(spoken);
  let timer = 0;
  teller.on((changed) => {
    if (!changed.has('at') && !changed.has('head')) return;
    clearTimeout(timer);
    timer = window.setTimeout(() => { if (!teller.playing) spoken.textContent = words(); }, SETTLED_MS);
  });

  function words() {
    const {story} = teller;
    const moment = teller.moment();
    if (!story || !moment) return '';
    const said = [`After ${moment.step.toLocaleString('en')} steps it wrote: ${moment.sample.slice(story.prompt.length).trim().slice(0, 80)}.`];
    if (moment.seen) {
      const now = roleAt(story, teller.at, teller.layer, teller.head);
      said.push(`Head ${headName(teller.layer, teller.head)}: ${now.found ? `${now.words}, ${now.score.toFixed(2)}` : 'no role yet'}.`, `${rolesAt(story, teller.at).found} of ${story.layers * story.heads} heads have found a role.`);
    }
    return said.join(' ');
  }
}
