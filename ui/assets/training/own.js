/** "Train your own": what stands in place of the story while a training of one's own is set up, and while it runs. */
import {Refused, askPacket, post} from '../common/ask.js';
import {forgetTrainings, keepTraining, shownName, trainings} from '../common/ownmodels.js';
import {make} from '../dom.js';
import {askModels, downloadUrl} from '../models/ask.js';
import {createPush} from '../models/push.js';
import {createForm} from './ownform.js';
import {doing, liveStory, liveTimeline, nothingYet, sentence, takeIn} from './ownlive.js';
import {mountPanes} from './panes.js';
import {readStory, tellingHead} from './story.js';
import {createTeller} from './teller.js';

const POLL_MS = 400;
const AWAY_MS = 2_500;
const LIVING = ['waiting', 'beginning', 'training'];
const NO_MAP = 'Where it looks is shown as soon as it has saved something, in a few seconds.';

/** @param {string} name @param {object} question @returns {Promise<any>} */
const ask = async (name, question) => (await post(`own/${name}`, question)).json();
const askStory = askPacket('story');

/**
 * @param {object} place
 * @param {HTMLElement} place.element empty; hidden while the story is shown
 * @param {HTMLElement} place.bar for buttons, left in the row under the curve
 * @param {{draw: (timeline: import('./curve.js').Timeline) => void, room: () => number}} place.curve to draw into while this is open
 * @param {() => any} place.value what the server said of it
 * @param {() => void} place.show opens this
 * @param {() => void} place.back goes back to the story
 * @param {() => boolean} place.shown this is open, and its tab in front
 * @returns {{open: () => void, close: () => void}}
 */
export function mountOwn({element, bar, curve, value, show, back, shown}) {
  if (!value()) return {open() {}, close() {}};
  const form = createForm(value);
  const push = createPush({space: value().space, sign_in: value().sign_in});
  const teller = createTeller(async () => { throw new Error('it is told by its events'); });
  const says = make('p', {class: 'go-says gl-serif'});
  const spoken = make('p', {class: 'go-spoken', role: 'status'}); // not at every step
  const words = make('p', {class: 'go-words'});
  const fill = make('i');
  const progress = make('div', {class: 'go-progress'}, words, make('div', {class: 'gm-bar', role: 'progressbar', 'aria-label': 'Of the training', 'aria-valuemin': '0', 'aria-valuemax': '100'}, fill));
  const aside = make('p', {class: 'go-hint'}, 'This page may be closed: the training goes on, and this browser finds it again.');
  /** @type {HTMLElement | null} */ let panes = null; // made when there is something to show
  const problem = make('p', {class: 'gl-error', role: 'alert', hidden: true});
  element.append(says, spoken, aside, form.element, problem);

  const button = (text, action, kind = 'gl-button') => /** @type {HTMLButtonElement} */ (make('button', {class: kind, type: 'button', on: {click: action}}, text));
  const RED = 'gl-button ge-primary';
  const train = button('Train', () => void begin(), RED);
  const stop = button('Stop', () => void end(), RED);
  const use = button('Use it in all tabs', () => { document.dispatchEvent(new CustomEvent('gl:choose-model', {detail: told.model})); back(); }, RED);
  const download = /** @type {HTMLAnchorElement} */ (make('a', {class: 'gl-button gm-download', download: ''}, 'Download'));
  const again = button('Train another', () => { forgetShown(); draw(); });
  push.button.addEventListener('click', () => { if (value().space) void askModels('list').then(({signed_in: signedIn}) => push.show(told.model, signedIn), () => {}); });
  bar.append(train, stop, progress, use, download, push.button, again, make('div', {class: 'go-push'}, push.element));

  let key = '';
  let after = 0;
  let opened = false;
  let stopping = false;
  let asked = 0;
  let unreachable = false;
  let ready = false; // there is something of it to use
  /** @type {any} */ let told = null;
  let live = nothingYet();
  /** @type {import('./story.js').Story | null} */ let seen = null;
  let seenSave = 0;
  /** @type {[number, number]} */ let proposed = [0, 0];

  function forgetShown() {
    key = '';
    asked++;
    told = null;
    stopping = ready = false;
    live = nothingYet();
    seen = null;
    seenSave = 0;
    after = 0;
  }

  async function begin() {
    form.stopWriting();
    form.wrong('');
    train.disabled = true;
    train.textContent = 'Sending it';
    try {
      const {key: given, ...answer} = await ask('begin', form.order());
      forgetShown();
      key = given;
      told = answer;
      keepTraining({key, model: told.model, ready: false});
      draw();
      void follow();
    } catch (error) {
      form.wrong(/** @type {Error} */ (error).message);
    } finally {
      train.disabled = false;
      train.textContent = 'Train';
    }
  }

  async function end() {
    stopping = true;
    draw();
    try {
      await ask('stop', {key});
    } catch (error) {
      stopping = false;
      wrong(/** @type {Error} */ (error).message);
    }
  }

  /** Asks until it has ended, more seldom while nobody looks. */
  async function follow() {
    const mine = ++asked;
    while (key && mine === asked) {
      try {
        const {events, next, ...answer} = await ask('follow', {key, after});
        if (mine !== asked) return;
        unreachable = false;
        const more = next > after;
        after = next;
        takeIn(live, events);
        told = answer;
        if (told.has_model && !ready) { ready = true; keepTraining({key, model: told.model, ready}); }
        if (live.saves > seenSave && (shown() || !LIVING.includes(told.state))) await look(mine);
        draw();
        if (!LIVING.includes(told.state) && !more) { stopping = false; draw(); return; }
      } catch (error) {
        if (mine !== asked) return;
        if (!(error instanceof Refused)) throw error;
        if (error.status === 400) { // there is no such training any more
          const gone = key;
          forgetTrainings((one) => one.key === gone);
          forgetShown();
          form.wrong(error.message);
          draw();
          return;
        }
        unreachable = true;
        draw();
      }
      await new Promise((go) => { setTimeout(go, shown() && !unreachable ? POLL_MS : AWAY_MS); });
    }
  }

  /** What was saved last: where its heads look. @param {number} mine */
  async function look(mine) {
    const save = live.saves;
    try {
      const story = readStory(await askStory({model: told.model, newest: true}));
      if (mine !== asked) return;
      seen = story.moments.length ? story : seen;
      seenSave = save;
    } catch { /* it may be between two saves: the next one is looked at */ }
  }

  function draw() {
    if (!opened) return;
    const here = key !== '' && told !== null;
    const living = here && LIVING.includes(told.state);
    const changed = here && element.dataset.goState !== told.state;
    const refused = value().refused;
    element.classList.toggle('go-bare', !live.points.length);
    form.element.hidden = here || !!refused;
    train.hidden = here || !!refused;
    stop.hidden = !living;
    stop.disabled = stopping;
    stop.textContent = stopping ? 'Saving' : 'Stop';
    use.hidden = download.hidden = !here || living || !told.has_model;
    push.button.hidden = use.hidden || !value().push;
    if (use.hidden || push.button.hidden) push.element.hidden = true;
    again.hidden = !here || living;
    progress.hidden = !living;
    aside.hidden = !living || live.samples.size > 0;
    if (panes) panes.hidden = !here || !live.samples.size;
    element.dataset.goState = here ? told.state : '';
    element.dataset.goStep = String(live.step);
    says.textContent = refused || (here ? sentence(told, live) : 'Give it a text and some minutes. It begins with noise, and you watch how it learns to spell.');
    if (changed) {
      spoken.textContent = says.textContent;
      if (document.activeElement === document.body || document.activeElement === stop) [stop, use, again].find((one) => !one.hidden && !one.disabled)?.focus({preventScroll: true});
    }
    wrong(unreachable ? 'The page does not reach its server; the training goes on without it. Trying again.' : '');
    if (!here) return;
    words.textContent = `${shownName(told.model)}: ${doing(told, live).toLowerCase()}`;
    fill.style.width = `${100 * live.progress}%`;
    fill.parentElement?.setAttribute('aria-valuenow', String(Math.round(100 * live.progress)));
    if (told.has_model) {
      download.href = downloadUrl(told.model);
      if (!value().space) push.show(told.model, false);
    }
    if (!shown()) return;
    curve.draw(liveTimeline(live, !living, curve.room()));
    if (!panes && live.samples.size) {
      panes = make('div', {class: 'gt-panes'});
      element.append(panes);
      mountPanes(teller, panes);
      teller.story = null;
    }
    const first = !teller.story;
    teller.story = liveStory(live, seen, living ? NO_MAP : '');
    teller.at = 0;
    // The most telling head, until somebody chooses one.
    if (teller.layer === proposed[0] && teller.head === proposed[1] || teller.layer >= teller.story.layers || teller.head >= teller.story.heads) {
      proposed = tellingHead(teller.story);
      Object.assign(teller, {layer: proposed[0], head: proposed[1]});
    }
    teller.dark = document.documentElement.classList.contains('dark') || document.body.classList.contains('dark');
    teller.touch('story', 'at', ...(first ? ['head', 'size'] : []));
  }

  function wrong(sentence_) {
    problem.textContent = sentence_;
    problem.hidden = !sentence_;
  }

  let width = 0;
  new ResizeObserver(() => {
    const now = element.clientWidth;
    if (now && !width) draw(); // its tab is back
    width = now;
  }).observe(element);

  // A page that was closed, or whose server was started again, finds its training.
  const last = trainings().at(-1);
  if (last) {
    key = last.key;
    void ask('follow', {key, after: 0}).then((answer) => {
      if (key !== last.key) return;
      if (LIVING.includes(answer.state)) show();
      void follow();
    }, () => { void follow(); });
  }

  return {
    open() { opened = true; form.draw(); draw(); },
    close() { opened = false; form.stopWriting(); },
  };
}
