/** Side by side: the same text and the same seed under two to four settings, written in turns. No DOM. */
import {SETTINGS, USUAL, pick} from '../common/settings.js';
import {questionAt} from './path.js';
import {MAX_LANES, MAX_TEXT} from './state.js';

/** Tokens that a lane writes before it is the next one's turn, and that all write at one press. */
const TURN = 12;
const PRESS = 240;

/**
 * What a lane has written.
 * @typedef {object} Written
 * @property {import('../common/settings.js').Settings} settings
 * @property {string} text
 * @property {number[]} ids
 * @property {boolean} full the text is at its limit
 */

/** @param {import('./lab.js').Lab} lab */
export function createLanes(lab) {
  let run = 0;
  let wanted = 0;
  /** Where all of them begin. @type {{question: any, text: string, seed: number} | null} */ let start = null;

  const lanes = {
    /** @type {Written[]} */ written: [],
    writing: false,
    /** What went wrong; empty when nothing did. */ error: '',
    /** The text that they go on from, as it was when they began. */
    get prompt() { return start?.text ?? lab.state.text; },

    /** @param {import('../common/settings.js').Settings[]} all */
    set(all) {
      lanes.forget();
      void lab.set({lanes: all.map(pick)});
      lab.touch('lanes', 'written');
    },

    /** Other settings came from elsewhere: what was written is not theirs. */
    forget() {
      lanes.stop();
      start = null;
      lanes.written = [];
      lanes.error = '';
    },

    /** Add what the sliders say. @returns {boolean} there was room */
    add() {
      const {lanes: all, settings} = lab.state;
      if (all.length >= MAX_LANES) return false;
      lanes.set([...all, settings]);
      return true;
    },

    /** @param {number} i */
    remove(i) { lanes.set(lab.state.lanes.filter((_, j) => j !== i)); },

    /** What a link need say to have it written again: the draws are those of the seed. @returns {number} tokens each, from the text that is shown; 0 where they began elsewhere */
    again() {
      return start && start.text === lab.state.text && start.seed === lab.state.seed ? wanted : 0;
    },

    /** Write from the text as it stands; `on`: further, where they are. @param {boolean} [on] @param {number} [count] tokens each */
    async write(on = false, count = PRESS) {
      const {path, at} = lab;
      if (!path || lab.state.lanes.length === 0) return;
      lanes.stop();
      const mine = ++run;
      if (!on || !start) {
        start = {question: questionAt(path, at), text: lab.state.text, seed: lab.state.seed};
        lanes.written = lab.state.lanes.map((settings) => ({settings, text: '', ids: [], full: false}));
        wanted = 0;
      }
      wanted += count;
      lanes.writing = true;
      lanes.error = '';
      lab.touch('written');
      while (mine === run && lanes.written.some(unfinished)) {
        for (const lane of lanes.written) {
          if (!unfinished(lane)) continue;
          const more = await lab.attempt(() => lab.source.write(questionOf(lane)), 'Writing');
          if (mine !== run) return;
          if (!more) { lanes.error = lab.error; lanes.stop(); return; }
          lane.text += more.texts.join('');
          lane.ids.push(...more.ids);
          lane.full = more.ids.length === 0 || (start?.text.length ?? 0) + lane.text.length >= MAX_TEXT;
          lab.touch('written');
        }
      }
      lanes.stop();
    },

    stop() {
      run++;
      if (!lanes.writing) return;
      lanes.writing = false;
      lab.touch('written');
    },
  };

  const unfinished = (lane) => !lane.full && lane.ids.length < wanted;

  function questionOf({settings, text, ids}) {
    const {question, seed} = /** @type {NonNullable<typeof start>} */ (start);
    const soFar = question.tokens ? {tokens: [...question.tokens, ...ids]} : {text: question.text + text};
    return {...question, ...soFar, settings, seed, count: Math.min(TURN, wanted - ids.length)};
  }

  return lanes;
}

/** Settings as names and values: those that are on. @param {import('../common/settings.js').Settings} settings @returns {[string, string][]} */
export function namesAndValues(settings) {
  const off = {...USUAL, temperature: NaN};
  return SETTINGS.filter(({name}) => settings[name] !== off[name]).map(({name, title, format}) => [title, format(settings[name])]);
}
