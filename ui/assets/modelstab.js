/** The Models tab: the shelf on the left, the card of the chosen one on the right; under them, loading another. */
import {keyPanel} from './common/keypanel.js';
import {ownModels, shownName} from './common/ownmodels.js';
import {make} from './dom.js';
import {askModels} from './models/ask.js';
import {createCard} from './models/card.js';
import {createCompare} from './models/compare.js';
import {createLoader} from './models/loader.js';
import {inMemory} from './models/scale.js';
import {createShelf} from './models/shelf.js';

const NARROW = 900;
const KEYS = [
  {keys: ['ArrowDown', 'j'], shown: '↓', does: 'the next model', action: 'next'},
  {keys: ['ArrowUp', 'k'], shown: '↑', does: 'the model before', action: 'before'},
  {keys: ['u', 'U'], shown: 'U', does: 'use the chosen model in all tabs', action: 'use'},
  {keys: ['c', 'C'], shown: 'C', does: 'the chosen model beside another one', action: 'compare'},
  {keys: ['o', 'O'], shown: 'O', does: 'open one from the Hub', action: 'open'},
  {keys: ['?'], shown: '?', does: 'these keys', action: 'help'},
  {keys: ['Escape'], shown: 'Esc', does: 'close these keys', action: 'escape'},
];

/** @param {import('./dom.js').View} view */
export function mount({element, props}) {
  const {rows = [], card: first = null, chosen: begun = '', host, most_loaded: most} = props.value;
  const state = {rows, card: first, selected: begun, chosen: begun, busy: '', signedIn: false, waiting: 0, asked: 0, opened: true};
  const narrow = () => root.clientWidth > 0 && root.clientWidth < NARROW;
  const shelf = createShelf((name) => {
    state.opened = !narrow() || name !== state.selected || !state.opened; // a second tap closes it again
    void select(name);
  });
  const card = createCard((name) => void use(name), beside, host);
  const compare = createCompare(() => root.focus({preventScroll: true}), () => void refresh());
  const loader = createLoader(host, (name) => void arrived(name));
  const memory = make('p', {class: 'gm-hint gm-memory', 'aria-live': 'polite'});
  const rules = make('p', {class: 'gm-hint'});
  const problem = make('p', {class: 'gl-error', role: 'alert', hidden: true});
  const side = make('div', {class: 'gm-side'}, card.element);
  const left = make('div', {class: 'gm-left'}, problem, shelf.element, memory, loader.element, rules);
  const root = make('div', {class: 'gm', tabIndex: -1});
  const {button, panel} = keyPanel({root, keys: KEYS, visible: () => root.clientWidth > 0, perform: (action) => {
    if (action === 'next' || action === 'before') shelf.move(action === 'next' ? 1 : -1);
    if (action === 'use' && state.card?.name === state.selected && !state.card.error) void use(state.selected);
    if (action === 'compare' && state.card?.name === state.selected && !state.card.error) beside(state.selected);
    if (action === 'open') loader.focus();
  }});
  root.append(make('div', {class: 'gm-tools'}, button), panel, left, side, compare.element);
  element.replaceChildren(make('div', {class: 'gl-part'}, root));
  const duplicate = host.space ? make('a', {class: 'gm-duplicate', href: `https://huggingface.co/spaces/${host.space}?duplicate=true`, target: '_blank', rel: 'noopener noreferrer'}, 'Duplicate this Space') : null;

  function draw() {
    shelf.draw(state.rows, state);
    card.draw(state.card, state);
    compare.update(state.rows);
    memory.textContent = inMemory(state.rows.filter((row) => row.loaded).map((row) => shownName(row.name)), most);
    const waiting = state.waiting ? ` ${state.waiting} wait now.` : '';
    rules.replaceChildren(`${host.sentences.join(' ')}${waiting}`, ...(duplicate ? [' ', duplicate] : []));
    putCard();
  }

  /** On a phone the card opens under its row. */
  function putCard() {
    const slot = narrow() && state.opened ? shelf.slot(state.selected) : null;
    side.hidden = narrow();
    if (slot) slot.after(make('div', {role: 'row', class: 'gm-under'}, make('div', {role: 'cell'}, card.element)));
    else if (card.element.parentElement !== side) side.replaceChildren(card.element);
  }

  async function refresh() {
    const mine = ++state.asked;
    const told = await attempt(() => askModels('list', {own: ownModels()}));
    if (!told || mine !== state.asked) return;
    Object.assign(state, {rows: told.rows, signedIn: told.signed_in, waiting: told.waiting});
    if (!state.rows.some((row) => row.name === state.selected)) state.selected = state.rows[0]?.name ?? '';
    document.dispatchEvent(new CustomEvent('gl:models', {detail: state.rows.map((row) => row.name)}));
    if (state.card?.name === state.selected) draw(); else await select(state.selected);
  }

  async function select(name) {
    state.selected = name;
    draw();
    const told = await attempt(() => askModels('card', {model: name}));
    if (state.selected !== name) return;
    if (told) {
      state.card = told;
      draw();
    } else {
      const said = problem.textContent ?? '';
      if (state.rows.some((row) => row.name === name)) { state.selected = ''; await refresh(); wrong(said); } // it is gone
    }
  }

  /** The head's own choice: all tabs follow it. */
  async function use(name) {
    if (name === state.chosen || state.busy) return;
    if (!await attempt(() => askModels('card', {model: name}))) { const said = problem.textContent ?? ''; await refresh(); wrong(said); return; }
    state.busy = name;
    draw();
    document.dispatchEvent(new CustomEvent('gl:choose-model', {detail: name}));
  }

  /** The chosen model, and the one in use; where that is the same, the next one. */
  function beside(name) {
    if (state.rows.some((row) => row.name !== name && !row.error)) compare.show(name, state.chosen === name ? '' : state.chosen, state.rows);
  }

  async function arrived(name) {
    Object.assign(state, {selected: name, opened: true});
    await refresh();
    shelf.focus();
  }

  async function attempt(question) {
    try {
      const answer = await question();
      wrong('');
      return answer;
    } catch (error) {
      wrong(/** @type {Error} */ (error).message);
      return null;
    }
  }

  function wrong(sentence) {
    problem.textContent = sentence;
    problem.hidden = !sentence;
  }

  document.addEventListener('gl:head', (event) => {
    const {chosen} = /** @type {CustomEvent} */ (event).detail;
    if (chosen === state.chosen && !state.busy) return;
    Object.assign(state, {chosen, busy: ''});
    if (root.clientWidth) void refresh().then(() => select(state.selected)); // its card has an id now
  });
  let width = 0;
  new ResizeObserver(() => {
    if (!root.clientWidth) { width = 0; return; }
    if (!width) {
      state.opened = !narrow();
      void refresh(); // the tab has come in front: what others loaded is there too
    } else if (width < NARROW !== narrow()) {
      state.opened = true;
      draw();
    }
    width = root.clientWidth;
  }).observe(root);
  draw();
  document.dispatchEvent(new CustomEvent('gl:ask-head'));
}
