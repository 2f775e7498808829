/** What one's own model shall be: a text, a size, some minutes, a name. */
import {askJson} from '../common/ask.js';
import {shownName} from '../common/ownmodels.js';
import {slider} from '../common/slider.js';
import {make} from '../dom.js';
import {measure, readFile, titleOf} from './owntext.js';

/** A longer text is held, and its beginning shown: no field for typing is good for megabytes. */
const TYPED = 100_000;
const SHOWN = 4_000;
const MEASURE_MS = 300;
/** What a model writes for the next one to learn from. */
const WRITTEN = 6_000;
const AT_ONCE = 64;
const TAIL = 120;
const MINUTES = 2;

/**
 * @param {() => any} value what the server offers (ui/ownmodel.py)
 * @returns {{element: HTMLElement, draw: () => void, order: () => object, wrong: (sentence: string) => void, stopWriting: () => void}}
 */
export function createForm(value) {
  const write = askJson('write');
  const state = {source: '', text: '', held: false, size: 'medium', minutes: MINUTES, named: '', writing: 0};

  const sources = segmented('Text', (id) => { state.source = id; drawSource(); wrong(''); });
  const area = /** @type {HTMLTextAreaElement} */ (make('textarea', {class: 'go-text gl-serif', rows: 9, spellcheck: false, 'aria-label': 'The text that it learns from', on: {input: typed, dragover: (event) => event.preventDefault(), drop: dropped}}));
  const picker = /** @type {HTMLInputElement} */ (make('input', {type: 'file', accept: '.txt,.md,.csv,.json,text/*', hidden: true, on: {change: () => { void open(picker.files?.[0]); picker.value = ''; }}}));
  const file = link('Open a file', () => picker.click());
  const clear = link('Clear', () => { put('', false); area.focus(); });
  const writes = link('', () => void (state.writing ? stopWriting() : letWrite()));
  const count = make('span', {class: 'go-count', 'aria-live': 'polite'});
  const given = make('p', {class: 'go-given gl-serif'});
  const under = make('div', {class: 'go-under'}, file, writes, clear, count);

  const sizes = segmented('Size', (id) => { state.size = id; drawSize(); });
  sizes.element.classList.add('go-sizes');
  const says = make('p', {class: 'go-hint'});
  const minutes = slider({name: 'own_minutes', title: 'Time', min: 1, max: 5, step: 1, format: (n) => `${n} ${n === 1 ? 'minute' : 'minutes'}`}, (n) => { state.minutes = n; });
  const name = /** @type {HTMLInputElement} */ (make('input', {type: 'text', class: 'gm-field go-name', autocomplete: 'off', spellcheck: false, 'aria-label': 'Name of the model'}));
  const problem = make('p', {class: 'gl-error', role: 'alert', hidden: true});
  const heading = (words) => make('h2', {class: 'ge-heading'}, words);
  const element = make('div', {class: 'go-form'},
    make('div', {class: 'go-from'}, heading('What it learns from'), sources.element, given, area, under, picker),
    make('div', {class: 'go-how'}, heading('What it is'), sizes.element, says, minutes.part,
      make('label', {class: 'go-label'}, 'Name', name), problem));

  /** The server has said what there is. */
  function draw() {
    const {sizes: offered, base, shakespeare, limits} = value();
    const own = ['own', 'A text of yours'];
    sources.offer(shakespeare ? [['tinyshakespeare', 'Tiny Shakespeare'], own] : [own]);
    if (!state.source) state.source = shakespeare ? 'tinyshakespeare' : 'own';
    const fits = base.fits ? '' : 'It is too large to be trained on here.';
    sizes.offer([...offered.map(({id, parameters}) => [id, `${id} ${parameters}`]), ['base', `on from ${shownName(base.name)} ${base.parameters}`, fits]]);
    if (state.size === 'base' && fits) state.size = 'medium';
    Object.assign(minutes.input, {max: String(limits.MAX_OWN_MINUTES)});
    minutes.show(state.minutes);
    name.maxLength = limits.MAX_OWN_TITLE;
    area.placeholder = `Paste a text: a play, letters, a program, recipes. At least ${limits.MIN_OWN_CHARACTERS.toLocaleString('en')} characters.`;
    given.textContent = `${shakespeare.toLocaleString('en')} characters of his plays, with the names of the speakers. A tenth is held out, to measure on.`;
    drawSource();
    drawSize();
  }

  function drawSource() {
    const own = state.source === 'own';
    sources.choose(state.source);
    area.hidden = under.hidden = !own;
    given.hidden = own;
    clear.hidden = !state.text || !!state.writing;
    file.hidden = !!state.writing;
    writes.hidden = !!state.text && !state.writing;
    writes.textContent = state.writing ? 'Stop it' : `Let ${shownName(value().base.name)} write one`;
    name.placeholder = own ? titleOf(state.named) || 'mine' : 'shakespeare';
  }

  function drawSize() {
    sizes.choose(state.size);
    const {sizes: offered, base} = value();
    const one = offered.find(({id}) => id === state.size);
    says.textContent = one
      ? `From nothing. ${one.shape[0]} layers of ${one.shape[1]} heads, ${one.shape[2]} wide; it reads ${one.window} characters at a time.`
      : `With all that it knows it goes on to learn this text; it reads ${base.window} at a time. Its alphabet grows by the characters that it lacks.`;
  }

  let timer = 0;
  function typed() {
    state.text = area.value;
    counted();
    drawSource();
  }

  function counted() {
    clearTimeout(timer);
    timer = window.setTimeout(() => { count.textContent = measure(state.text, value().limits.MIN_OWN_CHARACTERS); }, MEASURE_MS);
  }

  /** @param {string} text @param {boolean} held it is too long to be edited here */
  function put(text, held) {
    Object.assign(state, {text, held});
    area.readOnly = held;
    area.value = held ? `${text.slice(0, SHOWN)}…` : text;
    if (!text) state.named = '';
    counted();
    drawSource();
  }

  /** @param {File | undefined} opened */
  async function open(opened) {
    if (!opened) return;
    wrong('');
    try {
      const text = await readFile(opened, value().limits.MAX_OWN_BYTES);
      state.named = opened.name;
      put(text, text.length > TYPED);
    } catch (error) {
      wrong(/** @type {Error} */ (error).message);
    }
  }

  function dropped(event) {
    const [first] = event.dataTransfer?.files ?? [];
    if (!first) return;
    event.preventDefault();
    void open(first);
  }

  /** The model that is loaded writes a text, here and now: some letters at a time, each time with other dice. */
  async function letWrite() {
    wrong('');
    const model = value().base.name;
    const mine = state.writing = Date.now();
    put('\n', false);
    drawSource();
    let seed = 1;
    try {
      while (state.writing === mine && state.text.length < WRITTEN) {
        const answer = await write({model, text: state.text.slice(-TAIL), count: AT_ONCE, seed: seed++, settings: {temperature: 0.8}});
        if (state.writing !== mine) return;
        put(state.text + answer.texts.join(''), false);
        area.scrollTop = area.scrollHeight;
      }
    } catch (error) {
      wrong(/** @type {Error} */ (error).message);
    } finally {
      if (state.writing === mine) stopWriting();
    }
  }

  function stopWriting() {
    state.writing = 0;
    drawSource();
  }

  /** @param {string} sentence */
  function wrong(sentence) {
    problem.textContent = sentence;
    problem.hidden = !sentence;
  }

  /** What is sent. */
  function order() {
    const own = state.source === 'own';
    const {size, minutes: time} = state;
    return {
      minutes: time, title: name.value.trim() || name.placeholder, ...(size === 'base' ? {base: value().base.name} : {size}),
      ...(own ? {source: 'own', text: state.text} : {source: 'tinyshakespeare'}),
    };
  }

  return {element, draw, order, wrong, stopWriting};
}

function link(words, action) {
  return /** @type {HTMLButtonElement} */ (make('button', {class: 'gl-link', type: 'button', on: {click: action}}, words));
}

/** One of a few, side by side. @param {string} title @param {(id: string) => void} chosen */
function segmented(title, chosen) {
  const element = make('div', {class: 'ge-views go-views', role: 'group', 'aria-label': title});
  /** @type {{id: string, button: HTMLButtonElement}[]} */ let all = [];
  return {
    element,
    /** @param {string[][]} options each an id, its words, and why it cannot be had */
    offer(options) {
      all = options.map(([id, words, why = '']) => ({id, button: /** @type {HTMLButtonElement} */ (make('button', {type: 'button', class: 'ge-view', disabled: !!why, title: why, on: {click: () => chosen(id)}}, words))}));
      element.replaceChildren(...all.map(({button}) => button));
      element.hidden = all.length < 2;
    },
    /** @param {string} id */
    choose(id) { for (const one of all) one.button.setAttribute('aria-pressed', String(one.id === id)); },
  };
}
