/** Loading another model from the Hub: its name, how far it is, Stop; and what the Hub has of this project. */
import {make} from '../dom.js';
import {askModels} from './ask.js';
import {arriving} from './scale.js';

const POLL_MS = 300;
const GPT2 = 'openai-community/gpt2';
const KEPT = 'gl-arrival';
const UNDER_WAY = ['asking', 'fetching', 'checking'];

/**
 * @param {{load: boolean, owners: string[], sentences: string[], space: string}} host
 * @param {(name: string) => void} arrived a model is on the list now
 */
export function createLoader(host, arrived) {
  const field = /** @type {HTMLInputElement} */ (make('input', {type: 'text', id: 'gm-source', class: 'gm-field', placeholder: 'owner/name, or owner/name@revision', autocomplete: 'off', spellcheck: false, autocapitalize: 'off', maxLength: 300}));
  const open = /** @type {HTMLButtonElement} */ (make('button', {class: 'gl-button gm-open-button', type: 'button', on: {click: () => void begin(field.value)}}, 'Open'));
  const look = /** @type {HTMLButtonElement} */ (make('button', {class: 'gl-link', type: 'button', title: 'Asks huggingface.co for models with this project’s library tag', on: {click: () => void search()}}, 'Look on the Hub'));
  const found = make('ul', {class: 'gm-found'});
  const words = make('p', {class: 'gm-words', role: 'status'});
  const fill = make('i');
  const bar = make('div', {class: 'gm-bar', role: 'progressbar', 'aria-label': 'Fetching', 'aria-valuemin': '0', 'aria-valuemax': '100'}, fill);
  const stop = make('button', {class: 'gl-button', type: 'button', on: {click: () => void end()}}, 'Stop');
  const progress = make('div', {class: 'gm-progress', hidden: true}, make('div', {}, words, bar), stop);
  const problem = make('p', {class: 'gl-error', role: 'alert', hidden: true});
  const element = make('section', {class: 'gm-loader', 'aria-label': 'Open a model from the Hub'});
  if (host.load) {
    element.append(make('label', {class: 'gm-heading', htmlFor: 'gm-source'}, 'Open a model from the Hub'),
      make('div', {class: 'gm-line-of-field'}, field, open), problem, progress,
      make('p', {class: 'gm-hint'}, 'Models of this project are found by their library tag: ', look, '.', ...(host.owners.length && !host.owners.includes(GPT2.split('/')[0]) ? [] : gpt2())), found);
  }
  field.addEventListener('keydown', (event) => { if (event.key === 'Enter' && !open.disabled) void begin(field.value); });

  function gpt2() {
    const name = make('button', {class: 'gl-link', type: 'button', on: {click: () => { field.value = GPT2; field.focus(); }}}, GPT2);
    return [' GPT-2 is ', name, ', of half a gigabyte; it was trained on the open web and may offend.'];
  }

  let arrival = '', asked = 0;
  async function begin(source) {
    wrong('');
    progress.hidden = true;
    open.disabled = true;
    try {
      const answer = await askModels('open', {repo: source});
      arrival = answer.arrival;
      keep(arrival);
      show(answer);
      await follow();
    } catch (error) {
      wrong(/** @type {Error} */ (error).message);
    } finally {
      open.disabled = false;
    }
  }

  async function follow() {
    const mine = ++asked;
    while (arrival && mine === asked) {
      const answer = await askModels('progress', {arrival});
      if (mine !== asked) return;
      show(answer);
      if (!UNDER_WAY.includes(answer.state)) return finish(answer);
      await new Promise((go) => { setTimeout(go, POLL_MS); });
    }
  }

  async function end() {
    asked += 1;
    try {
      const answer = await askModels('stop', {arrival});
      show(answer);
      finish(answer);
    } catch (error) {
      wrong(/** @type {Error} */ (error).message);
    }
    open.disabled = false;
    field.focus();
  }

  function finish(answer) {
    arrival = '';
    keep('');
    if (answer.state === 'failed') {
      progress.hidden = true;
      wrong(answer.error);
    } else if (answer.state === 'here') {
      field.value = '';
      arrived(answer.name);
    }
  }

  function show(answer) {
    const running = UNDER_WAY.includes(answer.state);
    progress.hidden = answer.state === 'failed';
    stop.hidden = bar.hidden = !running;
    words.textContent = arriving(answer);
    const share = answer.total ? Math.round((100 * answer.done) / answer.total) : 0;
    fill.style.width = `${share}%`;
    bar.setAttribute('aria-valuenow', String(share));
  }

  async function search() {
    wrong('');
    look.disabled = true;
    found.replaceChildren(make('li', {}, 'Asking the Hub…'));
    try {
      const {models} = await askModels('look');
      found.replaceChildren(...(models.length ? models : [null]).map((one) => (one
        ? make('li', {}, make('button', {class: 'gl-link gl-serif', type: 'button', on: {click: () => { field.value = one.name; field.focus(); }}}, one.name), ` ${one.downloads.toLocaleString('en')} downloads`)
        : make('li', {}, 'The Hub has none yet. Push one of yours, and it is the first.'))));
    } catch (error) {
      found.replaceChildren();
      wrong(/** @type {Error} */ (error).message);
    } finally {
      look.disabled = false;
    }
  }

  function wrong(sentence) {
    problem.textContent = sentence;
    problem.hidden = !sentence;
  }

  /** A reloaded page finds its arrival again. */
  function keep(id) {
    try {
      if (id) sessionStorage.setItem(KEPT, id); else sessionStorage.removeItem(KEPT);
    } catch { /* a frame that may not */ }
  }
  try {
    arrival = sessionStorage.getItem(KEPT) ?? '';
  } catch { /* a frame that may not */ }
  if (arrival) follow().catch(() => { arrival = ''; keep(''); progress.hidden = true; });

  return {element, focus: () => field.focus()};
}
