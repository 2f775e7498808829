/** The text of the Prompt tab: the prompt and what the model writes, laid out as a play, growing while it is written. */
import {remember, rememberPacked} from './common/links.js';
import {pick} from './common/settings.js';
import {onReturn} from './common/shown.js';
import {thinker} from './common/thinking.js';
import {make} from './dom.js';
import * as branches from './prompt/branches.js';
import {mountCopied} from './prompt/copied.js';
import {desk} from './prompt/desk.js';
import {differences} from './prompt/differ.js';
import {mountDoors} from './prompt/doors.js';
import {createOverlay} from './prompt/overlay.js';
import {mountScore} from './prompt/own.js';
import {createPlaces} from './prompt/places.js';
import {mountPointing} from './prompt/pointing.js';
import {createPulse} from './prompt/pulse.js';
import {mountReader} from './prompt/reader.js';
import {createSheet} from './prompt/sheet.js';
import {createWriter} from './prompt/writer.js';

/** Below the lower edge by less than this many pixels, the text is followed while it grows. */
const FOLLOW = 160;
/** The longest wait for gradio to have ended what was being written; it tells when it has. */
const END_MS = 2000;
/** The first words of a branch are its name: they are shown while they come. */
const NAME = 60;

/** @param {import('./dom.js').View} view */
export function mount(view) {
  const {element, props, trigger, watch} = view;
  const play = make('div', {class: 'gl-play', role: 'group', 'aria-label': 'The text; arrow keys walk through its characters', tabIndex: 0});
  const paper = make('div', {class: 'gp-paper'}, play);
  const aside = make('div', {class: 'gl-aside', 'aria-live': 'polite'});
  const below = make('div', {class: 'gp-below'});
  const above = make('div', {class: 'gp-below'});
  const root = make('div', {class: 'gl-part', role: 'region', 'aria-label': 'The text'}, aside, above, paper, below);
  element.replaceChildren(root);
  const sheet = createSheet(play);
  const places = createPlaces(play, sheet);
  /** Whoever writes echoes the number of the run it writes for: what comes of an older one is late, and dropped. */
  let run = 0;
  /** Stop was pressed: the text stays as it is, whatever is still on its way. */
  let stopped = false;
  /** A run of ours is under way. */
  let busy = false;
  /** A text has been asked for that is a branch of its own, once it begins. */
  let fresh = true;
  /** What was asked last, until something has come of it. @type {Parameters<typeof ask> | null} */
  let awaited = null;
  /** The value on the screen. */
  let good = props.value ?? {};
  /** The person's own text, in front of that. @type {{text: string, notes: string[]} | null} */
  let own = null;
  let model = good.model ?? '';
  /** The model that the page's head has chosen: it writes. */
  let chosen = '';
  /** @type {any} */ let settings = {};

  const pulse = createPulse(() => {
    busy = false;
    const begun = good.status === 'writing' && !fresh;
    const {prompt = '', text = '', seed} = good;
    good = props.value = {...good, status: 'error', link: undefined, error: 'The page does not reach its server. Is it still running? What was written stays; Continue goes on.'};
    if (begun) keepBranch();
    draw();
    void remember({prompt, text, model, seed, length: settings.length, ...pick(settings)}); // gradio loads the page anew when the server is back
  }, {heard: ({waiting, long}) => { if (long && (awaited || good.status !== 'writing')) document.dispatchEvent(new CustomEvent('gl:busy', {detail: {waiting}})); }});

  /** Writes instead of the server, where a model thinks in the page. */
  const writer = createWriter((value) => take(props.value = value));

  function receive() {
    const value = props.value ?? {};
    if (value.status === 'writing') pulse.listen(); else pulse.rest();
    take(value);
  }

  function take(value) {
    const late = value.run === undefined ? value.after !== undefined && value.after !== run : value.run !== run || stopped;
    if (late) {
      props.value = good; // an example, too, is late where something has been asked for since
    } else {
      awaited = null;
      good = value;
      if (value.run === undefined) own = null; // another model's example, or a link
      model = good.model ?? model;
      if (good.status !== 'error' && good.status !== undefined) keepBranch();
      draw();
    }
  }

  function draw() {
    const {prompt = '', text = '', status = 'done'} = good;
    const shown = own ? {prompt: '', text: own.text, status: 'done', notes: own.notes} : good;
    const whole = prompt + text;
    const writing = status === 'writing' && !own;
    const atEnd = window.innerHeight + window.scrollY >= document.documentElement.scrollHeight - FOLLOW;
    sheet.draw({prompt: shown.prompt ?? '', text: shown.text ?? '', writing, first: own ? 'Your text' : ''});
    aside.replaceChildren(...asides(shown));
    tell(shown);
    if (writing && atEnd) window.scrollTo(0, document.documentElement.scrollHeight);
    document.documentElement.dataset.glStatus = status;
    const settled = status !== 'writing';
    setDisabled('gl-stop', settled, 'Nothing is being written');
    setDisabled('gl-continue', !settled || whole === '' || own !== null, own ? 'Your own text is on the screen: go back to the model’s first' : 'There is no text to continue yet');
    setDisabled('gl-again', !settled || whole === '' || own !== null, own ? 'Your own text is on the screen: go back to the model’s first' : 'There is no prompt yet');
    if (play.clientWidth && status !== 'example') address();
    document.dispatchEvent(new CustomEvent('gl:text', {detail: good}));
  }

  /** What is on the screen, in the address bar; an example needs none. */
  function address() {
    const {status = 'done', link} = good;
    if (status === 'example') rememberPacked(''); else if (status !== 'writing' && link !== undefined) rememberPacked(link);
  }

  /** To the parts that read the text and point at it; a pin stays where the text up to it is the same. */
  function tell(shown) {
    const text = (shown.prompt ?? '') + (shown.text ?? '');
    const {sheet: before, pin} = desk.state;
    const kept = pin !== null && pin < text.length && before.own === (own !== null) && text.slice(0, pin) === before.text.slice(0, pin);
    desk.set({
      sheet: {text, given: (shown.prompt ?? '').length, model, status: shown.status ?? 'done', block: good.block_size ?? before.block, own: own !== null},
      pin: kept ? pin : null, hover: before.text === text ? desk.state.hover : null, ...(before.text === text ? {} : {paused: false}),
    });
  }

  /** Ask for a text: what is being written ends first. `line` is what was typed: the server looks for it itself. */
  async function ask(way, change = {}, line = '') {
    await end();
    awaited = [way, change, line];
    own = null;
    run += 1;
    stopped = false;
    busy = true;
    fresh = way !== 'go_on';
    desk.set({compared: null});
    good = props.value = {...good, ...change, run};
    if (change.text !== undefined) draw();
    const mine = thinker();
    const writes = chosen || model;
    if (mine?.answers('writing', {model: writes})) {
      void writer.write(mine, way, {prompt: line, shown: good, settings, model: writes, run});
    } else {
      pulse.listen();
      trigger(way);
    }
  }

  async function end() {
    if (!busy) return;
    const ended = new Promise((resume) => document.addEventListener('gl:ended', resume, {once: true}));
    stop();
    await Promise.race([ended, new Promise((resume) => setTimeout(resume, END_MS))]);
  }

  function freeze() {
    writer.stop();
    if (good.status !== 'writing') return;
    stopped = true;
    pulse.rest();
    good = props.value = {...good, status: 'stopped'};
    keepBranch();
    draw();
  }

  function stop() {
    if (writer.busy()) return freeze();
    const button = /** @type {HTMLButtonElement | null} */ (document.getElementById('gl-stop'));
    if (button) button.disabled = false; // a run that has not yet begun to write can be ended too
    button?.click();
  }

  /** What is on the screen, among the branches. */
  function keepBranch() {
    const {prompt = '', text = '', status = 'done', seed, link} = good;
    if (prompt + text === '') return;
    const made = {prompt, text, example: status === 'example', with: {...pick(settings), seed, link, model}};
    if (fresh || good.run === undefined) {
      fresh = false;
      show(branches.begin(desk.state.tree, made));
      return;
    }
    const now = branches.current(desk.state.tree);
    const settled = status !== 'writing';
    if (!now || (!settled && branches.wholeOf(now).length > now.at + NAME)) return;
    const tree = branches.change(desk.state.tree, made);
    desk.set({tree: settled ? branches.merge(tree) : tree});
  }

  function show({tree, dropped}) {
    const said = dropped ? `${branches.MAX_BRANCHES} branches are kept: “${branches.words(branches.wholeOf(dropped), dropped.at)}” has made room.` : '';
    desk.set({tree, said});
  }

  /** The text is left at a character, for another one. */
  async function fork(at, added) {
    if (own) return;
    await end();
    const whole = (good.prompt ?? '') + (good.text ?? '');
    const prompt = (good.prompt ?? '').slice(0, at);
    const text = whole.slice(prompt.length, at) + added;
    show(branches.fork(desk.state.tree, at, {prompt, text, with: {...pick(settings), seed: good.seed, model}}));
    await ask('go_on', {prompt, text, status: 'writing', notes: [], error: undefined});
  }

  /** Another branch comes to the screen, with what it was written with. */
  async function walk(id) {
    await end();
    const found = desk.state.tree.branches.find((one) => one.id === id);
    if (!found) return;
    own = null;
    run += 1;
    const {seed, link, model: _, ...kept} = found.with;
    good = props.value = {prompt: found.prompt, text: found.text, status: 'done', notes: [], seed, link, speed: 0, model, block_size: good.block_size, run};
    document.dispatchEvent(new CustomEvent('gl:set-settings', {detail: {...kept, ...(seed === undefined ? {} : {seed})}}));
    desk.set({tree: {...desk.state.tree, current: id}, compared: null, said: ''});
    draw();
  }

  desk.actions.fork = (at, added) => void fork(at, added);
  desk.actions.walk = (id) => void walk(id);
  desk.actions.back = () => { own = null; draw(); };
  desk.actions.score = (text, notes) => { void end().then(() => { own = {text, notes}; draw(); window.scrollTo(0, 0); }); };
  desk.actions.show = (offset) => {
    desk.set({pin: offset, hover: null});
    const box = places.boxAt(offset);
    if (box) window.scrollBy(0, play.getBoundingClientRect().top + box.y - window.innerHeight / 3);
  };

  desk.on((changed) => {
    if (!changed.has('compared') && !changed.has('sheet')) return;
    const {compared, tree, sheet: {text}, marks} = desk.state;
    const other = tree.branches.find(({id}) => id === compared);
    if (!other && !marks.dotted.length && !changed.has('compared')) return;
    const found = other ? differences(text, branches.wholeOf(other)) : null;
    desk.set({
      marks: {...marks, dotted: found?.passages ?? []},
      said: found ? `Dots above: what the other says otherwise. ${found.same} of ${found.words} words are the same.` : changed.has('compared') ? '' : desk.state.said,
    });
  });

  for (const way of ['write', 'go_on', 'again']) {
    element.closest('#gl-text').addEventListener(`gl:${way}`, (event) => { if (!own || way === 'write') void ask(way, {}, /** @type {CustomEvent} */ (event).detail?.line); });
  }
  document.addEventListener('gl:head', (event) => { ({chosen} = /** @type {CustomEvent} */ (event).detail); });
  document.addEventListener('gl:thinking', (event) => {
    const {detail: {next, lost}} = /** @type {CustomEvent} */ (event);
    if (writer.busy()) {
      const again = awaited ?? ['go_on']; // nothing of it has come yet, or it goes on from where it is
      freeze();
      if (lost) void ask(...again);
    } else if (next && busy && awaited) void ask(...awaited); // who waits in the server's queue waits no longer
  });
  document.addEventListener('gl:ended', () => {
    pulse.rest();
    if (awaited && !thinker()) pulse.hear(); // it may have been refused: the queue is full
    busy = false;
    awaited = null;
  });
  document.addEventListener('gl:settings', (event) => { settings = /** @type {CustomEvent} */ (event).detail; });
  document.addEventListener('change', (event) => { // another model reads the text that is here
    const select = /** @type {HTMLSelectElement} */ (event.target);
    if (!select.closest?.('#gl-head select')) return;
    model = select.value;
    draw();
  });
  document.addEventListener('click', ({target}) => { if (/** @type {Element} */ (target).closest?.('#gl-stop')) freeze(); }, {capture: true});
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || good.status !== 'writing') return;
    event.preventDefault(); // it means nothing else
    stop();
  });
  mountScore(above);
  mountCopied(below);
  mountReader();
  mountPointing(play, places);
  createOverlay(paper, play, sheet, places);
  mountDoors();
  onReturn(play, address);
  watch('value', receive);
  document.dispatchEvent(new CustomEvent('gl:ask-settings'));
  document.dispatchEvent(new CustomEvent('gl:ask-head'));
  keepBranch();
  draw();
}

function asides(value) {
  const found = [];
  if (value.error) found.push(make('div', {class: 'gl-error', role: 'alert'}, value.error));
  if (value.status === 'example') found.push(make('p', {}, `An example, from seed ${value.seed}. Press Write, or type a line of your own.`));
  for (const note of value.notes ?? []) found.push(make('p', {}, note));
  return found.length ? [make('div', {class: 'gl-row'}, make('div', {class: 'gl-note'}, 'Note'), make('div', {}, ...found))] : [];
}

function setDisabled(id, disabled, reason) {
  const button = /** @type {HTMLButtonElement | null} */ (document.getElementById(id));
  if (!button) return;
  button.disabled = disabled;
  button.title = disabled ? reason : '';
}
