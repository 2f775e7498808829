/** The card of the model that is looked at: what it is, what it says, what it is not for; and what can be done with it. */
import {shownName} from '../common/ownmodels.js';
import {make} from '../dom.js';
import {downloadUrl} from './ask.js';
import {cardElements} from './markdown.js';
import {createPush} from './push.js';

/**
 * @typedef {object} Card as ui/models.py tells it
 * @property {string} name @property {string} from @property {[string, string][]} facts @property {string} sample
 * @property {string} not_for @property {string} [warning] @property {string} text README.md @property {boolean} can_push
 * @property {string} [error] why it cannot be read
 */

/**
 * @param {(name: string) => void} use makes a model that of all tabs
 * @param {(name: string) => void} compare sets a model side by side with another
 * @param {{push: boolean, space: string, sign_in: boolean}} host
 */
export function createCard(use, compare, host) {
  const element = make('section', {class: 'gm-card', 'aria-label': 'The chosen model'});
  const push = createPush(host);
  let open = false; // the whole card

  /** @param {Card | null} card @param {{chosen: string, busy: string, signedIn: boolean, rows: {name: string, error?: string}[]}} state busy: the model that is being loaded */
  function draw(card, {chosen, busy, signedIn, rows}) {
    if (!card) return;
    element.setAttribute('aria-label', shownName(card.name));
    const inUse = card.name === chosen;
    const others = rows.some((row) => row.name !== card.name && !row.error);
    const says = make('p', {class: 'gm-lead'}, `${capital(card.from)}. ${inUse ? 'In use in all tabs.' : 'Not in use now.'}`);
    element.replaceChildren(make('h2', {class: 'gm-title gl-serif'}, shownName(card.name)), says);
    if (card.error) element.append(make('p', {class: 'gl-error', role: 'alert'}, card.error, make('br'), 'Train it again, pull it again, or remove its folder.'));
    if (card.warning) element.append(make('p', {class: 'gm-beware'}, card.warning));
    if (card.facts.length) element.append(make('dl', {class: 'gl-facts gm-facts'}, ...card.facts.flatMap(([name, value]) => [make('dt', {}, name), make('dd', {}, value)])));
    if (card.sample) element.append(make('h3', {}, 'It says'), make('div', {class: 'gm-sample gl-serif'}, ...card.sample.split('\n').map((line) => make('p', {}, line))));
    if (card.not_for) element.append(make('h3', {}, 'Not for'), make('p', {class: 'gm-not'}, card.not_for));
    const pushable = card.can_push && host.push && !card.error;
    const buttons = make('div', {class: 'gm-buttons'});
    if (!inUse) buttons.append(button('gm-use', busy === card.name ? 'Loading it' : 'Use it', () => use(card.name), !!busy || !!card.error));
    if (others && !card.error) buttons.append(button(inUse ? 'gm-use' : 'gl-button', 'Compare side by side', () => compare(card.name)));
    if (!card.error) buttons.append(make('a', {class: 'gl-button gm-download', href: downloadUrl(card.name), download: ''}, 'Download'));
    if (pushable) buttons.append(push.button);
    if (buttons.childElementCount) element.append(buttons);
    if (pushable) { push.show(card.name, signedIn); element.append(push.element); }
    if (card.text) element.append(whole(card));
  }

  /** @param {Card} card */
  function whole(card) {
    const id = 'gm-whole';
    const body = make('div', {class: 'gm-whole', id, hidden: !open});
    const toggle = make('button', {class: 'gl-link', type: 'button', 'aria-expanded': String(open), 'aria-controls': id, on: {click: () => {
      open = !open;
      fill();
    }}});
    const fill = () => {
      toggle.textContent = open ? 'Close its card' : 'Read its whole card';
      toggle.setAttribute('aria-expanded', String(open));
      body.hidden = !open;
      if (open && !body.childElementCount) body.append(...cardElements(card.text));
    };
    fill();
    return make('div', {class: 'gm-more'}, toggle, body);
  }

  return {element, draw};
}

/** The one that acts on the chosen model is red. */
function button(kind, words, action, disabled = false) {
  return make('button', {class: kind, type: 'button', disabled, on: {click: action}}, words);
}

function capital(words) {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
