/** Asks what the model thought of a text, piece by piece, also while it is written: never more than one question at a time. No DOM. */
import {cut, join} from './thoughts.js';

/** Between two questions while the text is written: so many times what the last answer took, for writing comes first, within these bounds. */
const REST = 10;
const PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5000;
/** Subwords at the end of a text that grows may be cut otherwise: so many tokens are asked for again. */
const OVERLAP = 8;
/** Texts whose thoughts are kept: who walks from branch to branch waits for nothing. */
const KEPT = 12;

/**
 * @typedef {object} Wanted
 * @property {string} model
 * @property {string} text
 * @property {boolean} growing it is being written
 * @property {number} [count] tokens an answer, for a progress that moves
 */

/**
 * @param {(question: object, signal: AbortSignal) => Promise<any>} ask the question `score`
 * @param {(known: import('./thoughts.js').Known | null, answer: any, problem: string) => void} tell hears of each answer, and of a refusal
 * @param {(resume: () => void, ms: number) => unknown} [wait]
 */
export function createScorer(ask, tell, wait = setTimeout) {
  /** @type {Wanted | null} */ let wanted = null;
  /** @type {import('./thoughts.js').Known | null} */ let known = null;
  /** What `known` was asked for. */
  let asked = {model: '', text: ''};
  /** @type {AbortController | null} */ let flight = null;
  let failed = false;
  /** Writing comes first: nothing is asked now, unless the text has been written. */
  let resting = false;

  /** @param {Wanted | null} next null: nothing is asked any more, and what is known is kept */
  function want(next) {
    const renewed = next && (next.model !== wanted?.model || next.text !== wanted?.text);
    wanted = next;
    if (renewed) failed = false;
    if (flight && (!next || !continues(next, flying))) { flight.abort(); flight = null; }
    if (renewed && !continues(next, asked)) {
      recall(next);
      tell(known, null, '');
    }
    void go();
  }

  /** What a token was to the model depends on what came before it alone: all that begins alike is known already. */
  function recall(next) {
    const best = kept.filter(({model, text, known: {text: read}}) => model === next.model && (text === read || text === next.text))
      .map((one) => ({...one, common: common(one.text, next.text)})).sort((a, b) => b.common - a.common)[0];
    known = best?.common ? cut(best.known, best.common === best.text.length ? Infinity : best.common) : null;
    asked = known && best ? {model: next.model, text: best.common === best.text.length ? best.text : known.text} : {model: '', text: ''};
  }

  function keep() {
    kept = [{...asked, known}, ...kept.filter(({model, text}) => model !== asked.model || !asked.text.startsWith(text))].slice(0, KEPT);
  }

  let flying = {model: '', text: ''};
  /** @type {{model: string, text: string, known: any}[]} */ let kept = [];

  async function go() {
    if (flight || failed || !wanted || wanted.text === '' || (resting && wanted.growing)) return;
    const start = startOf();
    if (start === null) return;
    const mine = flight = new AbortController();
    const {model, text, growing, count} = wanted;
    flying = {model, text};
    const began = performance.now();
    let answer = null;
    let problem = '';
    try {
      answer = await ask({model, text, start, ...(count ? {count} : {})}, mine.signal);
    } catch (error) {
      if (mine.signal.aborted) return;
      problem = /** @type {Error} */ (error).message;
    }
    if (flight !== mine) return;
    flight = null;
    if (problem) {
      failed = true;
      tell(known, null, problem);
      return;
    }
    known = join(known, answer);
    asked = {model, text};
    keep();
    tell(known, answer, '');
    if (growing) {
      resting = true;
      wait(() => { resting = false; void go(); }, Math.min(Math.max(PAUSE_MS, REST * (performance.now() - began)), LONGEST_PAUSE_MS));
    }
    void go();
  }

  /** The first token to ask for, or null where all is known. */
  function startOf() {
    if (!known || !wanted) return 0;
    const same = wanted.text === asked.text;
    if (same) return known.pieces.length < known.total ? known.pieces.length : null;
    const characters = known.pieces.every((piece) => piece.length === 1);
    return Math.max(0, known.pieces.length - (characters ? 0 : OVERLAP));
  }

  return {want, /** Ask again what was refused. */ retry() { failed = false; void go(); }};
}

function continues(next, before) {
  return next.model === before.model && next.text.startsWith(before.text);
}

/** @returns {number} characters that both begin with */
function common(a, b) {
  let n = 0;
  while (n < a.length && n < b.length && a[n] === b[n]) n++;
  return n;
}
