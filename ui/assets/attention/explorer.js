/**
 * The explorer: all views of one state, laid out. It runs in the page and, with a trace inside, in an exported file;
 * it knows neither gradio nor a server.
 */
import {keyPanel} from '../common/keypanel.js';
import {createPresenter} from '../common/present.js';
import {make} from '../dom.js';
import {mount as mountArcs} from './arcs.js';
import {mount as mountCompare} from './compare.js';
import {AVERAGES, mount as mountControls, nextDifference} from './controls.js';
import {mount as mountEditor} from './editor.js';
import {mount as mountEffects} from './effects.js';
import {mount as mountExports} from './exports.js';
import {mount as mountGrid} from './grid.js';
import {KEYS} from './keys.js';
import {mount as mountLadder} from './ladder.js';
import {mount as mountMap} from './map.js';
import {mount as mountNext} from './next.js';
import {mount as mountRewrite} from './rewrite.js';
import {mount as mountRow} from './row.js';
import {mount as mountScatter} from './scatter.js';
import {sentenceOf} from './sentence.js';
import {mount as mountSilence} from './silence.js';
import {mount as mountStrip} from './strip.js';
import {mount as mountTalk, talkActions} from './talkview.js';
import {mount as mountTitle} from './title.js';
import {openTour} from './tour.js';
import {SPEEDS} from './player.js';

/**
 * @typedef {object} Example
 * @property {string} title
 * @property {string} says one sentence: what to look at
 * @property {Partial<import('./state.js').State>} state
 */

/**
 * @param {HTMLElement} element
 * @param {import('./app.js').App} app
 * @param {{live?: boolean, examples?: Example[], visible?: () => boolean}} [options]
 */
export function mountExplorer(element, app, {live = true, examples = [], visible = () => true} = {}) {
  const part = (name, ...children) => make('div', {class: name}, ...children);
  const section = (name, label) => make('section', {class: `ge-section ${name}`, 'aria-label': label});
  const says = make('p', {class: 'ge-sentence gl-serif', 'aria-live': 'polite'});
  const status = part('ge-status');
  status.setAttribute('role', 'status');
  const tools = part('ge-tools');
  const doing = make('span', {class: 'ge-doing', role: 'status'});
  const strip = part('ge-text'); const next = part('ge-next'); const edit = part('ge-edit');
  const views = {map: part('ge-view-map'), arcs: part('ge-view-arcs'), row: part('ge-view-row'), lens: part('ge-view-lens')};
  const title = part('ge-title-block');
  const figure = part('ge-figure', title, ...Object.values(views));
  const grid = part('ge-heads'); const silence = part('ge-silence');
  const controls = part('ge-controls');
  const below = {
    effects: section('ge-effects', 'What silencing each head does'), ladder: section('ge-ladder', 'What each layer would say'),
    scatter: section('ge-scatter', 'All heads by two scores'), rewrite: section('ge-rewrite', 'With and without'),
    compare: section('ge-compare', 'Two texts'), talk: section('ge-talk', 'Your talk'),
  };
  const spoken = make('div', {class: 'ge-spoken', 'aria-live': 'polite'});
  const root = make('div', {class: 'gl-part ge', tabIndex: -1}, part('ge-all',
    part('ge-top', says, tools), status,
    part('ge-main', part('ge-left', strip, edit, next), figure, part('ge-side', grid, silence)),
    controls,
    part('ge-below', below.effects, below.ladder, below.scatter, below.rewrite, below.compare, below.talk)), spoken);
  root.classList.toggle('ge-offline', !live);
  element.replaceChildren(root);
  Object.assign(root, {explorer: app}); // for whoever measures, and for the curious at the console

  const presenter = createPresenter(root, 'ge-presenting', () => app.touch('size'));
  const footer = part('ge-presenting-footer');
  root.append(footer);
  const talk = talkActions(app);
  const words = () => (app.trace && app.state.caption ? [{text: app.state.caption}] : sentenceOf(app));
  const showView = () => {
    for (const [name, view] of Object.entries(views)) view.hidden = name !== app.state.view;
    figure.dataset.view = app.state.view;
  };
  showView();
  app.on((changed) => { if (changed.has('view')) showView(); }); // before the views themselves, which do not draw while hidden
  mountStrip(app, strip);
  const editor = mountEditor(app, edit, {strip, examples, live});
  mountNext(app, next, {write: () => perform('write')});
  mountTitle(app, title);
  mountMap(app, views.map);
  mountArcs(app, views.arcs);
  mountRow(app, views.row);
  mountLadder(app, views.lens, {large: true});
  mountGrid(app, grid);
  mountSilence(app, silence);
  const {right, presentButton} = mountControls(app, controls, {present: () => presenter.toggle()});
  right.append(make('button', {class: 'gl-button', type: 'button', on: {click: () => perform('keep')}}, 'Keep this view ', make('kbd', {}, 'K')));
  const exports = part('ge-exports');
  right.append(exports, presentButton);
  mountExports(app, exports, {sentence: words});
  mountEffects(app, below.effects);
  if (live) mountRewrite(app, below.rewrite);
  if (live) mountCompare(app, below.compare);
  mountLadder(app, below.ladder);
  mountScatter(app, below.scatter);
  mountTalk(app, below.talk);
  const keys = keyPanel({root, keys: KEYS, perform, visible, hears: (action) => !action.startsWith('talk') || talk.count > 0});
  tools.append(
    make('button', {class: 'gl-link', type: 'button', on: {click: () => openTour(app)}}, 'A tour'),
    keys.button, doing);
  root.append(keys.panel);

  /** @param {string} action */
  function perform(action) {
    const {trace, state} = app;
    if (!trace) return;
    const wrap = (value, n) => (value + n) % n;
    const pin = (position) => app.set({pin: Math.max(0, Math.min(trace.tokens - 1, position)) + trace.start});
    const head = (layer, index) => app.set({layer: wrap(layer, trace.layers), head: wrap(index, trace.heads)});
    const actions = {
      layerUp: () => head(state.layer - 1, state.head), layerDown: () => head(state.layer + 1, state.head),
      headLeft: () => head(state.layer, state.head - 1), headRight: () => head(state.layer, state.head + 1),
      pinBack: () => pin((app.pinned() ?? trace.tokens) - 1), pinOn: () => pin((app.pinned() ?? -1) + 1),
      pinFirst: () => pin(0), pinLast: () => pin(trace.tokens - 1),
      escape: () => {
        if (state.pin !== null) app.set({pin: null});
        else presenter.toggle(false);
      },
      write: () => { app.play(false); void app.forward(); }, back: () => { app.play(false); void app.back(); }, play: () => app.play(),
      faster: () => app.setSpeed(SPEEDS[Math.min(SPEEDS.length - 1, SPEEDS.indexOf(app.speed) + 1)]),
      slower: () => app.setSpeed(SPEEDS[Math.max(0, SPEEDS.indexOf(app.speed) - 1)]),
      silence: () => { if (live) app.toggleSilenced([state.layer, state.head]); },
      map: () => app.set({view: 'map'}), arcs: () => app.set({view: 'arcs'}), row: () => app.set({view: 'row'}), lens: () => app.set({view: 'lens'}),
      hideFirst: () => app.set({hideFirst: !state.hideFirst}),
      average: () => app.set({average: /** @type {any} */ (AVERAGES[(AVERAGES.findIndex(([value]) => value === state.average) + 1) % AVERAGES.length][0])}),
      difference: () => nextDifference(app),
      edit: () => editor.open(), keep: () => talk.keep(), talkNext: () => talk.next(), talkPrevious: () => talk.previous(),
      present: () => presenter.toggle(),
    };
    actions[action]?.();
  }

  let announced = '';
  app.on((changed) => {
    const any = (...names) => names.some((name) => changed.has(name));
    if (any('trace', 'hover', 'pin', 'layer', 'head', 'average', 'exact', 'caption', 'silenced', 'map')) drawSentence();
    if (any('error', 'notes')) drawStatus();
    if (any('busy', 'tracing')) {
      doing.textContent = app.busy ? `${app.busy} …` : '';
      root.classList.toggle('ge-busy', app.tracing && app.busy !== '');
    }
    const exact = any('exact') && app.row() === app.pinned() && app.hover.layer === undefined; // of what was said
    if ((any('pin', 'layer', 'head') || exact) && app.trace) announce();
    if (any('talk')) footer.textContent = talk.current >= 0 ? `${talk.current + 1} of ${talk.count}` : '';
    if (any('trace')) root.dataset.glTrace = `${app.trace?.start} ${app.trace?.tokens} ${app.trace?.silenced.length}`;
  });

  function drawSentence() {
    const whole = (text) => text.split(/(Head [\d.]+\d)/).map((part, i) => (i % 2 ? make('span', {class: 'ge-whole'}, part) : part));
    says.replaceChildren(...words().flatMap(({text, mark}) => (mark ? [make('span', {class: 'ge-mark'}, text)] : whole(text))));
  }

  function drawStatus() {
    status.replaceChildren(
      ...(app.error ? [make('div', {class: 'gl-error', role: 'alert'}, app.error)] : []),
      ...app.notes.map((note) => make('p', {}, note)));
    status.hidden = !status.childElementCount;
  }

  function announce() {
    const text = says.textContent ?? '';
    if (app.state.pin === null || text === announced) return;
    announced = text;
    spoken.textContent = text;
  }

  const theme = () => {
    const dark = document.documentElement.classList.contains('dark') || document.body.classList.contains('dark');
    if (dark !== app.dark) { app.dark = dark; app.touch('theme'); }
  };
  new MutationObserver(theme).observe(document.body, {attributes: true, attributeFilter: ['class']});
  new MutationObserver(theme).observe(document.documentElement, {attributes: true, attributeFilter: ['class']});
  theme();
  drawStatus();
  return {perform, root, editor};
}
