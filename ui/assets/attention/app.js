/**
 * The explorer's heart: state and traces. Views subscribe and draw; none of them knows where a trace comes from, and
 * none keeps anything of its own that another shows. No DOM but timers and animation frames.
 */
import {attempts} from '../common/attempt.js';
import {createFrames} from '../common/frames.js';
import {createDetails} from './details.js';
import {align, difference, mapOf, rowOf, withoutFirst} from './maps.js';
import {createPlayer} from './player.js';
import {START, differenceOf, fit} from './state.js';
import {lensAt, readTrace} from './wire.js';

/** @typedef {import('./wire.js').Trace} Trace */
/** @typedef {import('./state.js').State} State */
/** @typedef {{row?: number, column?: number, layer?: number, head?: number}} Hover positions of the window, and a head */

/** Of one frame's drawing at most so long at a time. */
const SLICE_MS = 40;

/** @param {import('./source.js').Source} source */
export function createApp(source) {
  const {on, touch, flush} = createFrames({slice: SLICE_MS});
  let asked = 0; // number of the last trace asked for: an older answer is dropped
  /** @type {AbortController | null} */ let loading = null;
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

    on,
    touch,
    flush,

    /** Change the state. Views are drawn in the next frame; a new text or silenced head is traced.
     * @param {Partial<State>} patch */
    set(patch) {
      const before = app.state;
      app.state = {...before, ...patch};
      app.state.difference = differenceOf(app.state);
      for (const name of Object.keys(patch)) if (patch[name] !== before[name]) touch(name);
      if (app.state.difference !== before.difference) touch('difference', 'map');
      if ('text' in patch || 'model' in patch) void load();
      else if ('silenced' in patch && app.trace) void load([...app.trace.before, ...app.trace.ids]);
      if ('second' in patch || ('silenced' in patch && app.state.second) || 'model' in patch) void loadSecond();
      if ('settings' in patch || 'seed' in patch) player.forget();
      if ('pin' in patch) details.want();
    },

    /** Another state as a whole: what is not given is as at the start, but for the model.
     * @param {Partial<State>} state
     * @param {number[]} [tokens] of its text, where they are known: what was written need not be cut alike when it is read */
    async restore(state, tokens) {
      const before = app.state;
      app.state = {...structuredClone(START), model: before.model, settings: before.settings, seed: before.seed, ...state};
      app.state.difference = differenceOf(app.state);
      touch(...Object.keys(START), 'map');
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

    /** The map that is shown; null while it is fetched. @param {import('./maps.js').Selection} [selection] @returns {import('./maps.js').AttentionMap | null} */
    map(selection = app.selection()) {
      const other = app.against();
      return other ? app.difference(selection, other) : app.plain(selection);
    },

    /** A map as it is, of which no other is taken. @param {import('./maps.js').Selection} selection @returns {import('./maps.js').AttentionMap | null} null while it is fetched */
    plain(selection, trace = app.trace) {
      if (!trace) return null;
      const map = trace.side ? details.map(selection) : mapOf(trace, selection);
      return map && app.state.hideFirst ? withoutFirst(map) : map;
    },

    /** The trace whose maps are taken from those of this text; null where maps are shown as they are. @returns {Trace | null} */
    against() {
      return app.comparable(app.state.difference);
    },

    /** Which difference is shown; null where none is. @returns {'text' | 'silenced' | null} */
    compared() {
      return app.against() && /** @type {'text' | 'silenced'} */ (app.state.difference);
    },

    /** @param {State['difference']} difference @returns {Trace | null} what it would be taken from, if that is here */
    comparable(difference) {
      const other = difference === 'text' ? app.other : difference === 'silenced' ? app.base : null;
      return other && app.trace && !app.trace.side && !other.side ? other : null;
    },

    /** What a position looks at on the map that is shown, exactly where the server has told. @returns {Float32Array} t + 1 weights */
    weights(position = app.row()) {
      const exact = app.exactRow(position);
      if (exact) return exact;
      const map = app.map();
      return map && position < map.tokens ? rowOf(map, position) : new Float32Array(position + 1);
    },

    /** The row of the map that is shown, not rounded; null where it is not known so. @returns {Float32Array | null} */
    exactRow(position = app.row()) {
      const {average, layer, head} = app.selection();
      return average === 'head' && !app.state.hideFirst && !app.against() ? app.exact(position, layer, head) : null;
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
    ink() { return {scale: app.state.scale, colours: app.state.colours, dark: app.dark, signed: app.compared() !== null}; },

    /** The map of this text minus that of another, or of the same with no head silenced. @param {import('./maps.js').Selection} selection @param {Trace} other @returns {import('./maps.js').AttentionMap | null} */
    difference(selection, other) {
      if (!app.trace || app.trace.side || other.side) return null;
      const a = app.plain(selection, app.trace);
      const b = app.plain(selection, other);
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

    /** One token more. @returns {Promise<boolean>} it was written */
    forward: () => player.forward(),
    /** One token less. */
    back: () => player.back(),
    /** @param {boolean} [on] */
    play: (on) => player.play(on),
    setSpeed: (speed) => player.setSpeed(speed),

    /** Run something that may fail: its sentence is shown. @template T @param {() => Promise<T>} work @param {string} [doing] @returns {Promise<T | undefined>} */
    attempt: (work, doing) => attempt(work, doing),
  };

  /** Trace the text, or the tokens given in its place. @param {number[]} [tokens] */
  async function load(tokens) {
    const played = app.playing && tokens !== undefined; // a head was silenced while it played: it goes on
    app.play(false);
    player.forget();
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
    player.begin(shown);
    show(shown);
    touch('base', 'map');
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
    if (!second) { app.other = null; touch('other', 'map'); return; }
    const packet = await app.attempt(() => source.trace({model, text: second, silenced}), 'Tracing the second text');
    if (packet && app.state.second === second) { app.other = readTrace(packet); touch('other', 'map'); }
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

  /** After a step back the rows behind it are written over: a trace that is kept of them is one no longer. @param {Trace} from */
  function overwritten(from) {
    for (const [key, base] of bases) if (base.rows === from.rows && base.tokens > from.tokens) bases.delete(key);
  }

  const attempt = attempts(app, touch);
  const details = createDetails(app, source);
  const player = createPlayer(app, source, {show, load, overwritten});
  return app;
}

/** @typedef {ReturnType<typeof createApp>} App */
