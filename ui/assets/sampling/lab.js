/**
 * The laboratory's heart: the text, the path ahead of it, the settings, and rolling. Views subscribe and draw. A slider
 * acts on the logits that are here; the server is asked for a text, and for how it goes on. No DOM but timers and frames.
 */
import {attempts} from '../common/attempt.js';
import {createFrames} from '../common/frames.js';
import {agreeing, extend, pieceOf, questionAt, readPath, textAt} from './path.js';
import {createSeen} from './seen.js';
import {MAX_TEXT, START} from './state.js';

/** @typedef {import('./path.js').Path} Path */
/** @typedef {import('./state.js').State} State */
/** @typedef {{roll: (question: object, signal?: AbortSignal) => Promise<import('../common/packet.js').Packet>, write: (question: object, signal?: AbortSignal) => Promise<any>}} Source */

/** Tokens fetched at a time; fewer where one is waited for; and how many before their end the next are asked for. */
export const AHEAD = 32;
const FEW = 8;
const REFETCH = 12;
/** From one roll to the next, when ten are rolled, and when it rolls on. */
const TEN_MS = 90;
const ON_MS = 200;

/** @param {Source} source */
export function createLab(source) {
  const {on, touch, flush} = createFrames();
  /** Of the text: an older one's answers are dropped. */ let generation = 0;
  /** @type {AbortController | null} */ let loading = null;
  /** @type {Promise<boolean> | null} */ let fetching = null;
  /** Rolls wait for one another. @type {Promise<unknown>} */ let turn = Promise.resolve();
  let left = 0; // rolls still to come
  /** The text has come, or has not. @type {Promise<void>} */ let settled = Promise.resolve();

  const lab = {
    source,
    /** @type {State} */ state: structuredClone(START),
    /** What is shown is at `at` on this. @type {Path | null} */ path: null,
    at: 0,
    /** Column under the pointer or the keys; null for none. @type {number | null} */ hover: null,
    /** A thousand rolls are laid over the bars. */ thousand: false,
    /** @type {'' | 'ten' | 'on'} */ rolling: '',
    dark: false,
    /** What is being done, for the person; empty when nothing is. */ busy: '',
    /** What is shown is of another text than the one that was asked for. */ stale: false,
    /** What went wrong; empty when nothing did. */ error: '',
    /** Sentences about what was read. @type {string[]} */ notes: [],

    on,
    touch,
    flush,

    /** Change the state. Another text or model is asked for; settings and seed act on what is here. @param {Partial<State>} patch */
    set(patch) {
      const before = lab.state;
      lab.state = {...before, ...patch};
      for (const name of Object.keys(patch)) if (JSON.stringify(patch[name]) !== JSON.stringify(before[name])) touch(name);
      return 'text' in patch || 'model' in patch ? load() : Promise.resolve();
    },

    /** Ask again for the text as it stands. */
    reload() { return load(); },

    /** The position of the next draw, counted in tokens from the beginning of the text. */
    position() { return lab.path ? lab.path.n + lab.at : 0; },

    /** All that the figures show; null before there is anything. */
    numbers: () => seen.numbers(),

    /** How often each token is drawn at this position by a thousand seeds; null where they were not asked for. */
    rolls: () => seen.rolls(),

    /** @param {number} id @returns {string} */
    piece(id) { return lab.path ? pieceOf(lab.path, id) : ''; },

    /** "character", or "token" where a piece may be longer, or less. */
    unit() { return !lab.path || lab.path.characters ? 'character' : 'token'; },

    /** Roll once, or so many times; what was still to be rolled is dropped. @param {number} [times] */
    roll(times = 1) {
      const single = times === 1;
      if (!single || lab.rolling) lab.pause();
      if (single) { turn = turn.then(step); return turn; }
      left = times;
      lab.rolling = times === Infinity ? 'on' : 'ten';
      touch('rolling');
      turn = turn.then(() => several(times === Infinity ? ON_MS : TEN_MS, generation));
      return turn;
    },

    /** Stop rolling. */
    pause() {
      left = 0;
      if (!lab.rolling) return;
      lab.rolling = '';
      touch('rolling');
    },

    /** Take the last token back. */
    async back() {
      lab.pause();
      await turn;
      const {path, at} = lab;
      if (!path) return;
      if (at > 0) { show(path, at - 1); return; }
      if (path.n < 2) return;
      if (path.previous.length === path.n) await load(path.previous.slice(0, -1));
      else await lab.set({text: [...path.text].slice(0, -1).join('')});
    },

    /** Run something that may fail: its sentence is shown. @template T @param {() => Promise<T>} work @param {string} doing @returns {Promise<T | undefined>} */
    attempt: (work, doing) => attempt(work, doing),
  };
  const attempt = attempts(lab, touch);

  function say(error) { lab.error = error; touch('error'); }

  /** Ask for the text of the state, or for the tokens given in its place. @param {number[]} [tokens] @returns {Promise<void>} */
  function load(tokens) {
    lab.pause();
    settled = fetchText(tokens);
    return settled;
  }

  async function fetchText(tokens) {
    const mine = ++generation;
    fetching = null;
    loading?.abort();
    loading = new AbortController();
    const {signal} = loading;
    const {model, text, settings, seed} = lab.state;
    lab.notes = [];
    const kept = text.slice(-MAX_TEXT);
    if (kept.length < text.length) lab.notes.push(`Of your ${text.length.toLocaleString('en')} characters the last ${MAX_TEXT.toLocaleString('en')} are kept, the limit of this page.`);
    lab.stale = true;
    touch('stale', 'notes');
    const question = {model, ...(tokens ? {tokens} : {text: kept}), settings, seed, count: AHEAD};
    const packet = await lab.attempt(() => source.roll(question, signal), 'Asking the model');
    if (mine !== generation || !packet) return;
    lab.stale = false;
    lab.notes = [...lab.notes, ...packet.header.notes];
    touch('notes', 'stale');
    lab.hover = null;
    show(readPath(model, packet), 0);
  }

  /** @param {Path} path @param {number} at */
  function show(path, at) {
    lab.path = path;
    lab.at = at;
    lab.state = {...lab.state, text: textAt(path, at)};
    touch('path', 'text');
  }

  /** One roll. @returns {Promise<boolean>} it was written */
  async function step() {
    await settled;
    const mine = generation;
    if (!lab.path || lab.stale) return false;
    if (lab.state.text.length >= MAX_TEXT) {
      say(`The text has ${MAX_TEXT.toLocaleString('en')} characters, the limit of this page.`);
      return false;
    }
    const known = () => lab.path && agreeing(lab.path, lab.at, lab.state.settings, lab.state.seed) > 0;
    let asked = lab.state;
    // What is on its way may have been asked for with other settings; one question of our own always answers.
    for (let tries = 0; tries < 2 && !known(); tries++) {
      const under = fetching;
      asked = lab.state;
      if (!await (under ?? ahead(FEW)) || mine !== generation) return false;
      if (!under) break;
    }
    if (!known() && (lab.state.settings !== asked.settings || lab.path.ids.length <= lab.at || lab.path.logits.length <= lab.at + 1)) return false;
    show(lab.path, lab.at + 1);
    if (agreeing(lab.path, lab.at, lab.state.settings, lab.state.seed) < REFETCH) void ahead(AHEAD);
    return true;
  }

  async function several(pause, mine) {
    while (left > 0 && mine === generation) {
      const began = performance.now();
      if (!await step()) break;
      left--;
      if (left > 0) await new Promise((resume) => setTimeout(resume, Math.max(0, pause - (performance.now() - began))));
    }
    if (mine === generation) lab.pause();
  }

  /** Fetch how the path goes on from where it is no longer known. @param {number} count @returns {Promise<boolean>} it was fetched */
  function ahead(count) {
    const mine = generation;
    fetching ??= (async () => {
      const {path, at, state: {settings, seed}} = lab;
      if (!path) return false;
      const from = at + agreeing(path, at, settings, seed);
      const packet = await lab.attempt(() => source.roll({...questionAt(path, from), settings, seed, count}), 'Asking how it goes on');
      if (!packet || mine !== generation) return false;
      const more = readPath(path.model, packet);
      if (more.n !== path.n + from) return false; // its text was read otherwise
      lab.path = extend(path, from, more);
      return true;
    })().finally(() => { if (mine === generation) fetching = null; });
    return fetching;
  }

  const seen = createSeen(lab);
  return lab;
}

/** @typedef {ReturnType<typeof createLab>} Lab */
/** @typedef {import('./seen.js').Seen} Seen */
