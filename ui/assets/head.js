/** The page's head: its name, the model, and what it is. */
import {isOwn, ownModels, shownName} from './common/ownmodels.js';
import {make} from './dom.js';
import {createSwitch} from './here/switch.js';

/** @param {import('./dom.js').View} view */
export function mount({element, props, trigger, watch}) {
  const select = /** @type {HTMLSelectElement} */ (make('select', {'aria-label': 'Model', on: {change: choose}}));
  const numbers = make('button', {class: 'gl-link', type: 'button', 'aria-expanded': 'false', title: 'What this model is', on: {click: () => show(about.hidden)}});
  const facts = make('dl', {class: 'gl-facts'});
  const about = make('div', {class: 'gl-about', hidden: true}, facts);
  const problem = make('p', {class: 'gl-error', role: 'alert', hidden: true});
  const warning = make('p', {class: 'gl-warning', hidden: true});
  const here = createSwitch(complain, tellFacts);
  element.replaceChildren(
    make('div', {class: 'gl-part'},
      make('div', {class: 'gl-head'},
        make('h1', {class: 'gl-title'}, 'GPT, letter by letter'),
        make('div', {class: 'gl-model'}, make('span', {class: 'gl-choice'}, select), numbers, about, here.element)), here.offer, warning, problem));

  function choose() {
    ask(select.value);
  }

  /** Until the server has answered, the choice is a wish: others hear of it when it holds. @param {string} name */
  function ask(name) {
    said = '';
    last = props.value = {...props.value, chosen: name, pending: true};
    wished = true;
    trigger('choose');
  }

  /** What the server said last. */
  let held = props.value;
  /** What is shown; before the server has answered it may be a wish. */
  let last = props.value;
  let wished = false;
  let said = ''; // why the last choice failed
  /** The model that was chosen before a reload, until it is asked for. */
  let again = ownModels().includes(history.state?.own) ? history.state.own : '';

  const tell = (more = {}) => document.dispatchEvent(new CustomEvent('gl:head', {detail: {chosen: props.value?.chosen ?? '', ...more}}));
  document.addEventListener('gl:ask-head', () => tell());

  /** Another tab's choice is this one's: a model that has just arrived may not be in the list yet. */
  document.addEventListener('gl:choose-model', (event) => {
    ask(/** @type {CustomEvent} */ (event).detail);
  });
  document.addEventListener('gl:models', (event) => {
    props.value = {...props.value, names: /** @type {CustomEvent} */ (event).detail};
    draw();
  });

  /** A link does not open a visitor's own model: after a reload it is chosen anew. @param {string} chosen */
  function remember(chosen) {
    const own = isOwn(chosen) ? chosen : undefined;
    if (!again && history.state?.own !== own) history.replaceState({...history.state, own}, '');
  }

  function complain(sentence) {
    said = sentence;
    problem.textContent = said;
    problem.hidden = !said;
  }

  function tellFacts() {
    const pairs = [...(props.value?.facts ?? []), ...here.facts()];
    facts.replaceChildren(...pairs.flatMap(([name, value]) => [make('dt', {}, name), make('dd', {}, value)]));
  }

  function show(open) {
    about.hidden = !open;
    numbers.setAttribute('aria-expanded', String(open));
  }

  function draw() {
    const opened = Boolean(props.value?.opened);
    if (opened) props.value = wished ? last : {...props.value, opened: false}; // what the page opens with comes after a choice
    const {failed} = props.value ?? {};
    complain(failed || said);
    if (failed) {
      last = props.value = {...held, names: props.value.names};
      tell({failed}); // who waited for it hears that it did not come
    }
    const {names: listed = [], chosen = '', numbers: words = '', warning: beware = ''} = props.value ?? {};
    const names = new Set([...listed, ...ownModels()]);
    select.replaceChildren(...[...names].map((name) => make('option', {value: name, selected: name === chosen}, shownName(name))));
    numbers.textContent = words;
    warning.textContent = beware;
    warning.hidden = !beware;
    if (chosen && !failed && !props.value.pending) here.hold(chosen, props.value.here);
    tellFacts();
    if (!chosen || failed || props.value.pending) return;
    held = last = props.value;
    remember(chosen);
    tell();
    if (again && opened) { // not before: what the page opens with would come after it
      const name = again;
      again = '';
      ask(name);
    }
  }

  document.addEventListener('click', (event) => {
    if (!about.hidden && !element.contains(/** @type {Node} */ (event.target))) show(false);
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') show(false);
  });
  document.addEventListener('gl:own-models', draw);
  watch('value', draw);
  draw();
}
