/** What is asked for one at a time: the exact numbers of the row that is looked from, and whole maps of a long window. */
import {mapFromBytes} from './maps.js';
import {readSaid} from './wire.js';

/** A position that is looked from for this long is worth the exact numbers. */
const EXACT_MS = 60;
/** Whole maps that are kept: half a million weights each. */
const MAPS = 6;

/**
 * @param {import('./app.js').App} app
 * @param {import('./source.js').Source} source
 */
export function createDetails(app, source) {
  /** @type {Map<number, {weights: Float32Array, lens: import('./wire.js').Said[][]}>} */ let rows = new Map();
  /** @type {Map<string, import('./maps.js').AttentionMap | null>} */ let maps = new Map();
  /** @type {object | null} */ let of = null;
  let timer = 0;

  return {
    /** Another trace is shown: what was known is not of it. */
    reset() {
      rows = new Map();
      maps = new Map();
      of = app.trace;
    },

    /** Ask for the row that is looked from, unless play runs over it. */
    want() {
      clearTimeout(timer);
      const {trace} = app;
      const position = app.row();
      if (!trace || app.playing || rows.has(position)) return;
      timer = window.setTimeout(async () => {
        let packet;
        try { packet = await source.row({...app.request(), position}); } catch { return; } // the rounded numbers stay
        if (of !== trace || app.trace !== trace) return;
        const {header, blocks} = packet;
        const lens = readSaid(new Uint32Array(blocks.lens_ids.buffer), new Float32Array(blocks.lens_p.buffer), header.lens_top, header.names);
        rows.set(position, {weights: new Float32Array(blocks.weights.buffer), lens});
        app.touch('exact');
      }, EXACT_MS);
    },

    /** @param {number} position of the trace that is shown */
    row(position) { return rows.get(position) ?? null; },

    /** @param {import('./maps.js').Selection} selection @returns {import('./maps.js').AttentionMap | null} null while it is fetched */
    map({average, layer, head}) {
      const key = `${average} ${layer} ${head}`;
      const known = maps.get(key);
      if (known !== undefined) return known;
      const {trace} = app;
      const mine = maps;
      mine.set(key, null);
      void app.attempt(() => source.map({...app.request(), kind: average, layer, head}), 'Fetching the map').then((packet) => {
        if (!packet || !trace) { mine.delete(key); return; }
        for (const old of [...mine.keys()].slice(0, Math.max(0, mine.size - MAPS))) mine.delete(old);
        mine.set(key, mapFromBytes(packet.blocks.rows, trace.tokens));
        app.touch('map');
      });
      return null;
    },
  };
}
