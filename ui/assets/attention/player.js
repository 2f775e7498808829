/** Writing on: one token after the other, out of what was fetched ahead. Pause, step and speed need no server. */
import {cut, extend, readTrace} from './wire.js';

/** @typedef {import('./wire.js').Trace} Trace */

/** What play fetches at a time, and how many tokens before its end it asks for the next. */
const AHEAD = 32;
const REFETCH = 12;
export const SPEEDS = [2, 5, 10, 20];

/**
 * @param {import('./app.js').App} app
 * @param {import('./source.js').Source} source
 * @param {{show: (trace: Trace, moved?: boolean) => void, load: (tokens: number[]) => Promise<void>, overwritten: (from: Trace) => void}} owner
 *   shows a trace; traces a text of its own; is told when rows behind a trace are written over
 */
export function createPlayer(app, source, {show, load, overwritten}) {
  /** The longest trace of this text; what is shown is this, or its beginning. @type {Trace | null} */ let full = null;
  /** @type {Promise<void> | null} */ let fetching = null;
  /** Of what is fetched: another text, seed or temperature begins another. */ let generation = 0;
  let timer = 0;
  /** Of playing: after a pause what was awaited is not written. */ let round = 0;

  const player = {
    /** Another text is shown. @param {Trace} trace */
    begin(trace) { full = trace; },

    /** What was fetched ahead, or is on its way, was drawn otherwise. */
    forget() {
      if (app.trace) full = app.trace;
      generation++;
      fetching = null;
    },

    /** One token more: from what was fetched ahead, else from the server. @param {() => boolean} [wanted] still, when it has come @returns {Promise<boolean>} it was written */
    async forward(wanted = () => true) {
      if (!app.trace || !full) return false;
      if (app.trace.tokens >= full.tokens) await ahead();
      if (!wanted() || !app.trace || !full || (app.trace.start === full.start && app.trace.tokens >= full.tokens)) return false;
      const tokens = app.trace.start === full.start ? app.trace.tokens + 1 : app.trace.start + app.trace.tokens + 1 - full.start;
      show(cut(full, tokens), app.trace.start < full.start);
      if (full.tokens - tokens < REFETCH) void ahead();
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
      app.touch('playing');
      clearTimeout(timer);
      round++;
      if (on) void tick(round);
    },

    setSpeed(speed) { app.speed = speed; app.touch('playing'); },
  };

  function ahead() {
    const mine = generation;
    fetching ??= (async () => {
      if (!full || !source.live) return;
      const from = full;
      const {model, silenced, settings, seed} = app.state;
      const request = {model, silenced, settings, seed, count: AHEAD, tokens: [...from.before, ...from.ids]};
      const packet = await app.attempt(() => source.play(request), 'Writing');
      if (!packet || full !== from || mine !== generation) return;
      if (packet.header.first === from.tokens && packet.header.start === from.start) {
        overwritten(from);
        full = extend(from, packet);
      } else if (app.trace && app.trace.tokens + app.trace.start >= from.tokens + from.start) {
        full = {...readTrace(packet), text: from.text + packet.header.added.join('')}; // the window has moved
      }
    })().finally(() => { if (mine === generation) fetching = null; });
    return fetching;
  }

  async function tick(mine) {
    const began = performance.now();
    const written = await player.forward(() => mine === round);
    if (mine !== round) return;
    if (!written) { player.play(false); return; }
    timer = window.setTimeout(() => tick(mine), Math.max(0, 1000 / app.speed - (performance.now() - began)));
  }

  return player;
}
