/** The story that is told, and how far: state, fetching, play. Views subscribe and draw. No DOM but timers and frames. */
import {attempts} from '../common/attempt.js';
import {tellingHead} from './story.js';
import {nearest, stepAt} from './timeline.js';

const PLAY_MS = 420;
/** Where on the axis a story is opened: it has begun, and its end is to come. */
const OPENED = 0.62;

/** @param {(model: string, signal: AbortSignal) => Promise<import('./story.js').Story>} fetchStory */
export function createTeller(fetchStory) {
  /** @type {Set<(changed: Set<string>) => void>} */ const views = new Set();
  /** @type {Set<string>} */ let changed = new Set();
  let frame = 0;
  let timer = 0;
  /** @type {AbortController | null} */ let loading = null;

  const teller = {
    /** @type {import('./story.js').Story | null} */ story: null,
    /** Whose story it is, as it was asked for. */ model: '',
    /** Which moment of the story. */ at: 0,
    layer: 0,
    head: 0,
    /** A head that is pointed at. @type {{layer: number, head: number} | null} */ hover: null,
    playing: false,
    dark: false,
    busy: '',
    error: '',
    /** @type {string[]} */ notes: [],

    /** @param {(changed: Set<string>) => void} draw called once a frame, with the names of what has changed */
    on(draw) { views.add(draw); },
    touch,

    /** The moment that is told. @returns {import('./story.js').Moment | null} */
    moment() { return teller.story?.moments[teller.at] ?? null; },

    /** The head that is shown, previews included. */
    shown() { return teller.hover ?? {layer: teller.layer, head: teller.head}; },

    /** Fetch the story of a model, and open it where a state says, or where it is telling.
     * @param {string} model @param {Partial<import('./state.js').State>} [state] */
    async open(model, state = {}) {
      teller.play(false);
      loading?.abort();
      loading = new AbortController();
      const {signal} = loading;
      const story = await teller.attempt(() => fetchStory(model, signal), 'Reading how it learned');
      if (signal.aborted) return;
      teller.story = story ?? null;
      teller.model = story ? model : '';
      if (story) teller.place(state);
      touch('story', 'at', 'head');
    },

    /** As `open`, but a story that is here is not fetched again. @param {string} model @param {Partial<import('./state.js').State>} state */
    async show(model, state) {
      if (model !== teller.model) return teller.open(model, state);
      loading?.abort();
      teller.place(state);
    },

    /** Where a state says in this story, or where it is telling. @param {Partial<import('./state.js').State>} state */
    place(state) {
      const {story} = teller;
      if (!story) return;
      teller.play(false);
      teller.hover = null;
      const [layer, head] = tellingHead(story);
      const fits = (state.layer ?? 0) < story.layers && (state.head ?? 0) < story.heads && state.layer !== undefined;
      Object.assign(teller, fits ? {layer: state.layer, head: state.head ?? 0} : {layer, head});
      const steps = story.moments.map((moment) => moment.step);
      teller.at = Math.max(0, nearest(steps, state.step ?? stepAt(OPENED, story.last), story.last));
      touch('at', 'head');
    },

    /** @param {number} at moment */
    go(at) {
      const to = Math.max(0, Math.min((teller.story?.moments.length ?? 1) - 1, at));
      if (to === teller.at) return;
      teller.at = to;
      touch('at');
    },

    /** @param {number} step the moment nearest to it */
    goTo(step) {
      if (!teller.story) return;
      teller.go(nearest(teller.story.moments.map((moment) => moment.step), step, teller.story.last));
    },

    /** @param {-1 | 1 | 'first' | 'last'} by */
    walk(by) {
      teller.play(false);
      if (by === 'first') teller.go(0);
      else if (by === 'last') teller.go((teller.story?.moments.length ?? 1) - 1);
      else teller.go(teller.at + by);
    },

    /** @param {number} layer @param {number} head */
    choose(layer, head) {
      Object.assign(teller, {layer, head});
      touch('head');
    },

    /** @param {{layer: number, head: number} | null} head */
    point(head) {
      if (head?.layer === teller.hover?.layer && head?.head === teller.hover?.head) return;
      teller.hover = head;
      touch('hover');
    },

    play(on = !teller.playing) {
      if (on === teller.playing) return;
      const end = (teller.story?.moments.length ?? 0) - 1;
      if (on && end < 1) return;
      teller.playing = on;
      touch('playing');
      clearTimeout(timer);
      if (!on) return;
      if (teller.at >= end) teller.go(0);
      timer = window.setTimeout(tick, PLAY_MS);
    },

    /** @template T @param {() => Promise<T>} work @param {string} [doing] @returns {Promise<T | undefined>} */
    attempt: (work, doing) => attempt(work, doing),
  };
  const attempt = attempts(teller, (name) => touch(name));

  function tick() {
    if (!teller.playing) return;
    teller.go(teller.at + 1);
    if (teller.at >= (teller.story?.moments.length ?? 0) - 1) teller.play(false);
    else timer = window.setTimeout(tick, PLAY_MS);
  }

  function touch(...names) {
    for (const name of names) changed.add(name);
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      const now = changed;
      changed = new Set();
      const began = performance.now();
      for (const draw of views) draw(now);
      if (now.has('at')) performance.measure('gt:step', {start: began, end: performance.now()});
    });
  }

  return teller;
}

/** @typedef {ReturnType<typeof createTeller>} Teller */
