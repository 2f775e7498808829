/**
 * The explorer's heart: state, traces, play. Views subscribe and draw; none of them knows where a trace comes from, and
 * none keeps anything of its own that another shows. No DOM but timers and animation frames.
 */
import {attempts} from '../common/attempt.js';
import {createDetails} from './details.js';
import {align, difference, mapOf, rowOf, withoutFirst} from './maps.js';
import {START, fit} from './state.js';
import {cut, extend, lensAt, readTrace} from './wire.js';

/** @typedef {import('./wire.js').Trace} Trace */
/** @typedef {import('./state.js').State} State */
/** @typedef {{row?: number, column?: number, layer?: number, head?: number}} Hover positions of the window, and a head */

/** What play fetches at a time, and how many tokens before its end it asks for the next. */
const AHEAD = 32;
const REFETCH = 12;
/** Of one frame's drawing at most so long at a time. */
const SLICE_MS = 40;
export const SPEEDS = [2, 5, 10, 20];

/** @param {import('./source.js').Source} source */
export function createApp(source) {
  /** @type {Set<(changed: Set<string>) => void>} */ const views = new Set();
  /** @type {Set<string>} */ let changed = new Set();
  let frame = 0;
  /** Views that have not yet been drawn of the last change. @type {(() => void)[]} */ let pending = [];
  let drawTimer = 0;
  let asked = 0; // number of the last trace asked for: an older answer is dropped
  /** @type {AbortController | null} */ let loading = null;
  /** The longest trace of this text; what is shown is this, or its beginning. @type {Trace | null} */ let full = null;
  /** @type {Promise<void> | null} */ let fetching = null;
  /** Of what is fetched: another text, seed or temperature begins another. */ let generation = 0;
  let playTimer = 0;
  /** @type {Map<string, Trace>} */ const bases = new Map();

  const app = {
    source,
    /** @type {State} */ state: structuredClone(START),
    /** What is shown. @type {Trace | null} */ trace: null,
    /** The same text with no head silenced, where some are. @type {Trace | null} */ base: null,
    /** The second text's trace. @type {Trace | null} */ other: null,
    /** @type {Hover} */ hover: {},
    /** What is known of the model's training, for the tour. @type {Record<string, any>} */ info: {},
    dark: false,
    playing: false,
    speed: 5,
    /** What is being done, for the person; empty when nothing is. */ busy: '',
    /** The text is being traced: what is shown is of another one. */ tracing: false,
    /** What went wrong; empty when nothing did. */ error: '',
    /** Sentences about what was read. @type {string[]} */ notes: [],

    /** @param {(changed: Set<string>) => void} draw called once a frame, with the names of what has changed */
    on(draw) { views.add(draw); return () => views.delete(draw); },

    /** Change the state. Views are drawn in the next frame; a new text or silenced head is traced.
     * @param {Partial<State>} patch */
    set(patch) {
      const before = app.state;
      app.state = {...before, ...patch};
      for (const name of Object.keys(patch)) if (patch[name] !== before[name]) touch(name);
      if ('text' in patch || 'model' in patch) void load();
      else if ('silenced' in patch && full) void load(app.trace ? [...full.before, ...app.trace.ids] : undefined);
      if ('second' in patch || ('silenced' in patch && app.state.second) || 'model' in patch) void loadSecond();
      if ('settings' in patch || 'seed' in patch) forget();
      if ('pin' in patch) details.want();
    },

    /** Another state as a whole: what is not given is as at the start, but for the model.
     * @param {Partial<State>} state
     * @param {number[]} [tokens] of its text, where they are known: what was written need not be cut alike when it is read */
    async restore(state, tokens) {
      const before = app.state;
      app.state = {...structuredClone(START), model: before.model, settings: before.settings, seed: before.seed, ...state};
      touch(...Object.keys(START));
      const same = app.trace && app.trace.text === app.state.text && app.trace.model === app.state.model && JSON.stringify(app.trace.silenced) === JSON.stringify(app.state.silenced)
        && (!tokens || String(tokens) === String([...app.trace.before, ...app.trace.ids]));
      if (same) {
        app.play(false);
        settle(/** @type {Trace} */ (app.trace));
        details.want();
      } else {
        app.play(false);
        await load(tokens);
      }
      if (app.state.second !== before.second || app.state.model !== before.model) await loadSecond();
    },

    /** Preview; null ends it. @param {Hover | null} hover */
    point(hover) {
      const next = hover ?? {};
      if (['row', 'column', 'layer', 'head'].every((name) => next[name] === app.hover[name])) return;
      app.hover = next;
      touch('hover');
    },

    /** What is looked at, previews included. @returns {import('./maps.js').Selection} */
    selection() {
      const {average, layer, head} = app.state;
      return app.hover.layer !== undefined && app.hover.head !== undefined
        ? {average: average === 'all' ? 'head' : average, layer: app.hover.layer, head: app.hover.head}
        : {average, layer, head};
    },

    /** The position looked from: previewed, pinned, or the last one; counted in the window. */
    row() {
      const last = (app.trace?.tokens ?? 1) - 1;
      if (app.hover.row !== undefined) return Math.min(app.hover.row, last);
      return app.pinned() ?? last;
    },

    /** The pinned position in the window, or null. @returns {number | null} */
    pinned() {
      const {trace, state: {pin}} = app;
      return trace && pin !== null && pin >= trace.start && pin < trace.start + trace.tokens ? pin - trace.start : null;
    },

    /** Pin a position of the window; the same again, or null, drops the pin. @param {number | null} position */
    pin(position) {
      const start = app.trace?.start ?? 0;
      app.set({pin: position === null || position + start === app.state.pin ? null : position + start});
    },

    /** The map that is shown; null while it is fetched. @returns {import('./maps.js').AttentionMap | null} */
    map(selection = app.selection(), trace = app.trace) {
      if (!trace) return null;
      const map = trace.side ? details.map(selection) : mapOf(trace, selection);
      return map && app.state.hideFirst ? withoutFirst(map) : map;
    },

    /** What a position looks at on the map that is shown, exactly where the server has told. @returns {Float32Array} t + 1 weights */
    weights(position = app.row()) {
      const selection = app.selection();
      if (selection.average === 'head' && !app.state.hideFirst) {
        const exact = app.exact(position, selection.layer, selection.head);
        if (exact) return exact;
      }
      const map = app.map(selection);
      return map && position < map.tokens ? rowOf(map, position) : new Float32Array(position + 1);
    },

    /** Exact weights of a head at a position, once they have come. @returns {Float32Array | null} */
    exact(position, layer, head) {
      const row = details.row(position);
      if (!row || !app.trace) return null;
      const from = (layer * app.trace.heads + head) * (position + 1);
      return row.weights.subarray(from, from + position + 1);
    },

    /** What each layer would say at a position; null while it is fetched. @returns {import('./wire.js').Said[][] | null} */
    lens(position = app.row(), trace = app.trace) {
      return (trace && lensAt(trace, position)) ?? (trace === app.trace ? details.row(position)?.lens ?? null : null);
    },

    /** How a canvas is to be painted. @returns {import('./raster.js').Ink} */
    ink() { return {scale: app.state.scale, colours: app.state.colours, dark: app.dark}; },

    /** The map of this text minus that of another, or of the same with no head silenced. @param {import('./maps.js').Selection} selection @param {Trace} other @returns {import('./maps.js').AttentionMap | null} */
    difference(selection, other) {
      if (!app.trace || app.trace.side || other.side) return null;
      const a = app.map(selection, app.trace);
      const b = app.map(selection, other);
      return a && b && difference(a, b, align(app.trace.ids, other.ids));
    },

    role(layer, head) { return app.trace?.roles[layer]?.[head] ?? null; },

    /** @param {[number, number]} pair silenced, or restored */
    toggleSilenced([layer, head]) {
      const rest = app.state.silenced.filter(([l, h]) => l !== layer || h !== head);
      app.set({silenced: rest.length < app.state.silenced.length ? rest : [...rest, [layer, head]]});
    },

    /** What a question must say of the text that is shown. @returns {import('./source.js').Request} */
    request() {
      const {model, silenced} = app.state;
      return app.trace ? {model, tokens: [...app.trace.before, ...app.trace.ids], silenced} : {model, text: app.state.text, silenced};
    },

    /** One token more: from what was fetched ahead, else from the server. @returns {Promise<boolean>} it was written */
    async forward() {
      if (!app.trace || !full) return false;
      if (app.trace.tokens >= full.tokens) await fetchAhead();
      if (!app.trace || !full || (app.trace.start === full.start && app.trace.tokens >= full.tokens)) return false;
      const tokens = app.trace.start === full.start ? app.trace.tokens + 1 : app.trace.start + app.trace.tokens + 1 - full.start;
      show(cut(full, tokens), app.trace.start < full.start);
      if (full.tokens - tokens < REFETCH) void fetchAhead();
      return true;
    },

    /** One token less. */
    async back() {
      if (!app.trace || !full || app.trace.tokens < 2) return;
      const n = app.trace.start + app.trace.tokens - 1;
      // Just after the window has moved, one token less is a text of the window before.
      if (app.trace.start > 0 && n <= app.trace.start + app.trace.blockSize / 2) await load([...app.trace.before, ...app.trace.ids].slice(0, n));
      else show(cut(full, app.trace.tokens - 1));
    },

    play(on = !app.playing) {
      if (on === app.playing || (on && !source.live && full?.tokens === app.trace?.tokens)) return;
      app.playing = on;
      touch('playing');
      clearTimeout(playTimer);
      if (on) void tick();
    },

    setSpeed(speed) { app.speed = speed; touch('playing'); },

    touch,

    /** Draw what has changed now, all of it, not in the next frame. */
    flush() { flush(); while (pending.length) pending.shift()?.(); },

    /** Run something that may fail: its sentence is shown. @template T @param {() => Promise<T>} work @param {string} [doing] @returns {Promise<T | undefined>} */
    attempt: (work, doing) => attempt(work, doing),
  };

  function touch(...names) {
    for (const name of names) changed.add(name);
    if (!frame) frame = requestAnimationFrame(flush);
  }

  /** Draw. A frame that takes long is divided: with many heads or a long text the page stays awake in between. */
  function flush() {
    cancelAnimationFrame(frame);
    frame = 0;
    while (pending.length) pending.shift()?.();
    const now = changed;
    changed = new Set();
    if (now.size) pending = [...views].map((draw) => () => draw(now));
    drawSome();
  }

  function drawSome() {
    clearTimeout(drawTimer);
    const until = performance.now() + SLICE_MS;
    while (pending.length && performance.now() < until) pending.shift()?.();
    if (pending.length) drawTimer = window.setTimeout(drawSome);
  }

  /** Trace the text, or the tokens given in its place. @param {number[]} [tokens] */
  async function load(tokens) {
    const played = app.playing && tokens !== undefined; // a head was silenced while it played: it goes on
    app.play(false);
    forget();
    const mine = ++asked;
    loading?.abort();
    loading = new AbortController();
    const {signal} = loading;
    const {model, text} = app.state;
    const request = {model, silenced: [], ...(tokens ? {tokens} : {text})};
    const trace = (silenced) => app.attempt(async () => readTrace(await source.trace({...request, silenced}, signal)), 'Tracing the text');
    app.tracing = true;
    // With no head silenced first: only then it is known which heads this model has.
    const base = bases.get(JSON.stringify(request)) ?? await trace([]);
    const {silenced} = base ? fit(app.state, base).state : app.state;
    const shown = base && silenced.length ? await trace(silenced) : base;
    if (mine !== asked) return;
    app.tracing = false;
    touch('tracing');
    if (!base || !shown) {
      if (app.trace) app.state = {...app.state, model: app.trace.model, text: app.trace.text, silenced: app.trace.silenced};
      touch('model', 'text', 'silenced');
      return;
    }
    bases.clear();
    bases.set(JSON.stringify(request), base);
    settle(shown);
    app.base = shown === base ? null : base;
    full = shown;
    show(shown);
    touch('base');
    app.play(played);
  }

  /** What the state holds and this trace has not is dropped, and said. @param {Trace} trace */
  function settle(trace) {
    const fitted = fit(app.state, trace);
    app.notes = [...trace.notes];
    if (fitted.dropped.length) app.notes.push(`Left out, for it is not there: ${fitted.dropped.join(', ')}.`);
    app.state = fitted.state;
    touch('layer', 'head', 'pin', 'silenced', 'notes');
  }

  async function loadSecond() {
    const {model, second, silenced} = app.state;
    if (!second) { app.other = null; touch('other'); return; }
    const packet = await app.attempt(() => source.trace({model, text: second, silenced}), 'Tracing the second text');
    if (packet && app.state.second === second) { app.other = readTrace(packet); touch('other'); }
  }

  /** @param {Trace} trace @param {boolean} [moved] the window has moved on while the text was written */
  function show(trace, moved = false) {
    app.trace = trace;
    app.hover = {};
    app.state = {...app.state, text: trace.text};
    if (moved) {
      app.notes = [`The window was full: the model now sees the text from its character ${trace.start} on, and the maps start anew.`];
      touch('notes');
    }
    details.reset();
    touch('trace', 'text', 'hover');
    details.want();
  }

  /** What was fetched ahead, or is on its way, was drawn otherwise. */
  function forget() {
    if (app.trace) full = app.trace;
    generation++;
    fetching = null;
  }

  function fetchAhead() {
    const mine = generation;
    fetching ??= (async () => {
      if (!full || !source.live) return;
      const from = full;
      const {model, silenced, settings, seed} = app.state;
      const request = {model, silenced, settings, seed, count: AHEAD, tokens: [...from.before, ...from.ids]};
      const packet = await app.attempt(() => source.play(request), 'Writing');
      if (!packet || full !== from || mine !== generation) return;
      if (packet.header.first === from.tokens && packet.header.start === from.start) {
        // The rows behind a step back are written over: a trace that is kept of them is one no longer.
        for (const [key, base] of bases) if (base.rows === from.rows && base.tokens > from.tokens) bases.delete(key);
        full = extend(from, packet);
      } else if (app.trace && app.trace.tokens + app.trace.start >= from.tokens + from.start) {
        full = {...readTrace(packet), text: from.text + packet.header.added.join('')}; // the window has moved
      }
    })().finally(() => { if (mine === generation) fetching = null; });
    return fetching;
  }

  async function tick() {
    const began = performance.now();
    const written = await app.forward();
    if (!written) { app.play(false); return; }
    if (app.playing) playTimer = window.setTimeout(tick, Math.max(0, 1000 / app.speed - (performance.now() - began)));
  }

  const attempt = attempts(app, touch);
  const details = createDetails(app, source);
  return app;
}

/** @typedef {ReturnType<typeof createApp>} App */
