/**
 * The page with no server behind it: the tabs' own modules in a plain frame, asked of a model that thinks here. What it
 * is made of lies in `window.glAlone` (ui/offline.py).
 */
import * as actions from '../actions.js';
import * as attention from '../attention.js';
import * as beginnings from '../beginnings.js';
import {unpack} from '../common/packet.js';
import {ANSWERED, answersFor, think} from '../common/thinking.js';
import {start} from '../gpt.js';
import * as head from '../head.js';
import * as playtext from '../playtext.js';
import * as side from '../prompt/side.js';
import * as samplingtab from '../samplingtab.js';
import * as settings from '../settings.js';
import {openTalk} from '../talk/kept.js';
import {read} from '../talk/talk.js';
import * as trainingtab from '../trainingtab.js';
import {createFrame, follow} from './frame.js';
import {opened} from './opened.js';

/**
 * @typedef {object} Alone
 * @property {string} name of the model
 * @property {ArrayBuffer} model its file
 * @property {Uint8Array} story the packet of its story
 * @property {string} worker source of the script in which it thinks
 * @property {{talk?: string, view?: any, dark?: boolean} | null} opens on a talk's file or one view, as it was on screen
 * @property {any} head what the parts open with
 * @property {any} text
 * @property {any} settings
 * @property {any} beginnings
 * @property {any} sampling
 * @property {any} attention
 * @property {any} training
 * @property {string} prompt
 */

/** @param {Alone} alone */
async function run(alone) {
  const {name} = alone;
  const source = URL.createObjectURL(new Blob([alone.worker], {type: 'text/javascript'}));
  const kept = new Blob([alone.model]); // not in the memory of this tab, where that is short
  const thinker = await start(alone.model, {name, worker: () => new Worker(source), again: () => kept.arrayBuffer()});
  think({
    ...answersFor(thinker, name), alone: true,
    answers: (question, {model}) => model === name && [...ANSWERED, 'story'].includes(question), // also what the server is begged for
    ask: (question, asked, signal) => (question === 'story' ? unpack(alone.story) : thinker.ask(question, asked, signal)),
  });
  const link = await opened(window.location.search, {name, id: thinker.about.id});
  const first = firstOf(alone.opens);
  const frame = createFrame(alone.prompt);
  document.getElementById('gl-alone')?.replaceWith(frame.root);
  follow(matchMedia('(prefers-color-scheme: dark)'), alone.opens?.dark);

  const text = /** @type {HTMLElement} */ (frame.part('gl-text').parentElement);
  const ask = (way) => text.dispatchEvent(new CustomEvent(`gl:${way}`, {detail: {line: frame.line.value}}));
  const begin = view(frame.part('gl-begin'), alone.beginnings, () => {
    frame.line.value = begin.props.value.chosen;
    ask('write');
  });
  frame.on(ask);
  head.mount(view(frame.part('gl-head'), alone.head));
  settings.mount(view(frame.part('gl-settings'), {...alone.settings, ...link.settings}));
  playtext.mount(view(frame.part('gl-text'), {...alone.text, ...link.text}));
  beginnings.mount(begin);
  side.mount(view(frame.part('gl-thoughts'), null));
  actions.mount(view(frame.part('gl-actions'), null));
  samplingtab.mount(view(frame.part('gl-sampling'), {...alone.sampling, ...link.sampling}));
  attention.mount(view(frame.part('gl-attention'), {...alone.attention, ...first.attention, ...link.attention}));
  trainingtab.mount(view(frame.part('gl-training'), {...alone.training, ...first.training, ...link.training}));
  frame.open(link.tab || first.tab || 'prompt');
  document.documentElement.dataset.glReady = 'yes';
}

/**
 * What the page opens on, in the words of a link: a talk's first view, or the only one; and what of its file does not fit.
 * @param {Alone['opens']} opens
 * @returns {import('./opened.js').Opened}
 */
function firstOf(opens) {
  if (!opens) return {tab: ''};
  const {talk, said} = opens.talk ? read(opens.talk) : {talk: null, said: []};
  const views = (talk?.views ?? []).map(({state: {model: _, ...state}, ...rest}) => ({...rest, state})); // this page has one model
  if (talk) openTalk(views);
  const {tab = 'attention', state, caption} = views[0] ?? opens.view ?? {};
  return {tab, [tab]: {notes: said, ...(state ? {state: {...state, caption}} : {})}};
}

/**
 * What a module gets from gradio, without it.
 * @param {HTMLElement} element
 * @param {any} value
 * @param {(event: string) => void} [trigger]
 * @returns {import('../dom.js').View}
 */
function view(element, value, trigger = () => {}) {
  return {element, props: {value}, trigger, watch() {}}; // nobody but the module itself sets its value
}

run(/** @type {any} */ (window).glAlone).catch((error) => {
  document.body.textContent = `This page does not start in this browser: ${error.message}`;
});
