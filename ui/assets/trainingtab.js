/** The Training tab: how the model learned, on the curve of its loss; and, in place of that, a training of one's own. */
import {askPacket} from './common/ask.js';
import {keyPanel} from './common/keypanel.js';
import {remember} from './common/links.js';
import {shownName} from './common/ownmodels.js';
import {createPresenter} from './common/present.js';
import {onReturn} from './common/shown.js';
import {make} from './dom.js';
import {showsViews, talkNow, walkTalk} from './talk/kept.js';
import {mountBar} from './training/bar.js';
import {createCurve} from './training/curve.js';
import {createKeeper} from './training/keep.js';
import {KEYS} from './training/keys.js';
import {mountOwn} from './training/own.js';
import {mountPanes} from './training/panes.js';
import {mountSpoken} from './training/spoken.js';
import {linkState, readState} from './training/state.js';
import {readStory} from './training/story.js';
import {createTeller} from './training/teller.js';
import {timelineOf} from './training/told.js';

const SETTLED_MS = 500;
const ask = askPacket('story');

/** @param {import('./dom.js').View} view */
export function mount({element, props, watch}) {
  const part = (name, ...children) => make('div', {class: name}, ...children);
  const teller = createTeller(async (model, signal) => readStory(await ask({model}, signal)));
  const visible = () => root.clientWidth > 0;
  const curve = createCurve({
    move: (step) => { teller.play(false); teller.goTo(step); }, go: (by) => teller.walk(by), resized: () => teller.touch('size'),
  });
  const panes = part('gt-panes');
  const own = make('section', {class: 'gt-own', 'aria-label': 'Train your own', hidden: true});
  const storyBar = part('gt-bar-story');
  const ownBar = part('gt-bar-own');
  ownBar.hidden = true;
  const toggle = make('button', {class: 'gl-button gt-toggle', type: 'button', on: {click: () => open(own.hidden)}}, 'Train your own');
  const status = part('gt-status');
  status.setAttribute('role', 'status');
  const root = make('div', {class: 'gl-part gt', tabIndex: -1});
  element.replaceChildren(root); // before its keys are heard: the tab that was clicked gives the focus to it
  const keys = keyPanel({root, keys: KEYS, perform, visible, hears});
  const keeper = createKeeper(teller);
  const presenter = createPresenter(root, 'gt-presenting', () => teller.touch('size'));
  root.append(part('gt-all', part('gt-tools', keys.button), keeper.caption, status, panes, own, part('gt-curve', curve.element), part('gt-bar', storyBar, ownBar, toggle)), keeper.footer, keys.panel);
  Object.assign(root, {teller}); // for whoever measures, and for the curious at the console

  const mine = mountOwn({
    element: own, bar: ownBar, curve, value: () => props.value?.own,
    show: () => open(true), back: () => open(false), shown: () => visible() && !own.hidden,
  });
  toggle.hidden = props.value?.own === undefined; // what the server offers nothing for
  mountPanes(teller, panes);
  mountBar(teller, storyBar, keeper);
  mountSpoken(teller, root);

  /** @param {boolean} wanted the training of one's own, not the story */
  function open(wanted) {
    if (wanted === !own.hidden || toggle.hidden) return;
    teller.play(false);
    own.hidden = ownBar.hidden = !wanted;
    panes.hidden = storyBar.hidden = wanted;
    toggle.textContent = wanted ? 'Back to the story' : 'Train your own';
    if (wanted) mine.open(); else { mine.close(); teller.touch('story', 'at', 'head', 'size'); }
  }

  /** While a training of one's own is on screen, its keys are those of the controls. @param {string} action */
  function hears(action) {
    if (action.startsWith('talk')) return talkNow().views.length > 0;
    return action === 'own' ? !toggle.hidden : own.hidden || action === 'help' || action === 'escape';
  }

  /** @param {string} action */
  function perform(action) {
    const {story} = teller;
    const always = {talkNext: () => walkTalk(1), talkPrevious: () => walkTalk(-1), present: () => presenter.toggle(), escape: () => presenter.toggle(false)};
    always[action]?.();
    if (!story) return;
    const head = (by) => {
      const i = (teller.layer * story.heads + teller.head + by + story.layers * story.heads) % (story.layers * story.heads);
      teller.choose(Math.floor(i / story.heads), i % story.heads);
    };
    const actions = {
      before: () => teller.walk(-1), next: () => teller.walk(1), first: () => teller.walk('first'), last: () => teller.walk('last'),
      headUp: () => head(-1), headDown: () => head(1), play: () => teller.play(), keep: keeper.keep, own: () => { presenter.toggle(false); open(true); },
    };
    actions[action]?.();
  }

  let model = '';
  let id = '';
  /** What to open once the tab is in front. @type {Partial<import('./training/state.js').State> | null} */ let waiting = null;

  /** The server tells another model, or a state to open: that of a link. */
  function told() {
    const {model: name = '', id: known = '', state, notes = []} = props.value ?? {};
    const another = name !== model || known !== id;
    model = name;
    id = known;
    if (state) {
      const found = readState(state);
      if (found.dropped.length) notes.push(`Left out of the link: ${found.dropped.join(', ')}.`);
      teller.notes = notes;
      waiting = found.state;
    } else if (another) {
      teller.notes = [];
      waiting = {};
    }
    tell();
  }

  function tell() {
    if (!waiting || !visible()) return;
    const state = waiting;
    waiting = null;
    void teller.open(model, state);
  }

  teller.on((changed) => {
    const has = (...names) => names.some((name) => changed.has(name));
    if (teller.playing && !visible()) teller.play(false); // another tab is open
    if (has('busy', 'error', 'story', 'notes')) drawStatus();
    if (own.hidden && teller.story && has('story', 'at', 'size', 'theme')) curve.draw(timelineOf(teller.story, teller.at, curve.room()));
    if (has('story')) { root.dataset.glStory = teller.story ? `${teller.story.model} ${teller.story.moments.length}` : ''; root.classList.toggle('gt-empty', !teller.story?.points.length); }
    if (has('story', 'at', 'head')) keep();
  });

  function drawStatus() {
    status.replaceChildren(...(teller.error ? [make('div', {class: 'gl-error', role: 'alert'}, teller.error)] : []), ...teller.notes.map((note) => make('p', {}, note)),
      ...(teller.busy ? [make('p', {}, `${teller.busy} …`)] : []));
    status.hidden = !status.childElementCount;
    panes.classList.toggle('gl-faded', teller.busy !== '');
  }

  let timer = 0;
  function keep() {
    clearTimeout(timer);
    const moment = teller.moment();
    timer = window.setTimeout(() => { if (visible() && own.hidden && moment && !teller.playing) void remember(linkState(teller.model, {step: moment.step, layer: teller.layer, head: teller.head})); }, SETTLED_MS);
  }

  const theme = () => {
    const dark = document.documentElement.classList.contains('dark') || document.body.classList.contains('dark');
    if (dark !== teller.dark) { teller.dark = dark; teller.touch('theme'); }
  };
  for (const place of [document.body, document.documentElement]) new MutationObserver(theme).observe(place, {attributes: true, attributeFilter: ['class']});
  theme();
  new ResizeObserver(() => tell()).observe(root);
  onReturn(root, keep);
  watch('value', told);
  told();
  showsViews('training', ({state: {model: wanted = model, ...place}}) => {
    open(false);
    waiting = null;
    teller.notes = wanted === model ? [] : [`This view is of ${shownName(wanted)}, not of the model that the page has chosen.`];
    void teller.show(wanted, place);
    teller.touch('notes');
  });
}
