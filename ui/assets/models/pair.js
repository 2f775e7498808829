/** Two models on one beginning: they write in turns, with one seed, and then each reads what both have written. No DOM. */
import {USUAL} from '../common/settings.js';

/** Tokens of one turn: a subword is several characters. */
const TURN = {letters: 16, subwords: 6};
/** Characters that both write at one press. */
export const PRESS = 240;
/** Of both together with the beginning, as ui/limits.py has it. */
const MAX_TEXT = 20_000;

/**
 * @typedef {object} Side
 * @property {string} name @property {boolean} letters its tokens are characters
 * @property {string} text what it has written @property {number[]} ids
 * @property {number[] | null} given the beginning as its subwords: text that is cut anew may be cut otherwise
 * @property {string[]} notes @property {boolean} full it writes no more
 */

/**
 * @param {{write: (question: object, signal: AbortSignal) => Promise<any>, score: (question: object, signal: AbortSignal) => Promise<any>}} ask
 * @param {() => void} changed something of the pair is new
 */
export function createPair({write, score}, changed) {
  /** @type {AbortController | null} */ let flight = null;
  let wanted = 0;
  const pair = {
    /** @type {Side[]} */ sides: [],
    prompt: '', seed: 0, error: '',
    /** @type {'' | 'writing' | 'reading'} */ doing: '',
    /** Bits a character of the text that the second wrote, as the first reads it: readings[reader][writer]. @type {(number | null)[][]} */
    readings: [],

    /** @param {{name: string, letters: boolean}[]} models @param {string} prompt @param {number} seed */
    begin(models, prompt, seed) {
      pair.sides = models.map(({name, letters}) => ({name, letters, text: '', ids: [], given: null, notes: [], full: false}));
      Object.assign(pair, {prompt, seed});
      wanted = 0;
      return pair.goOn();
    },

    async goOn() {
      pair.stop();
      const mine = flight = new AbortController();
      wanted += PRESS;
      Object.assign(pair, {doing: 'writing', error: '', readings: []});
      changed();
      try {
        while (pair.sides.some(unfinished)) for (const side of pair.sides.filter(unfinished)) await turn(side, mine.signal);
        await read(mine.signal);
      } catch (error) {
        if (mine.signal.aborted) return;
        pair.error = /** @type {Error} */ (error).message;
      }
      if (flight !== mine) return;
      flight = null;
      pair.doing = '';
      changed();
    },

    /** What is there stays. */
    stop() {
      flight?.abort();
      flight = null;
      if (!pair.doing) return;
      pair.doing = '';
      changed();
    },
  };

  const unfinished = (side) => !side.full && side.text.length < wanted;

  async function turn(side, signal) {
    const {prompt, seed} = pair;
    if (!side.letters && !side.given) side.given = await cutInto(side.name, prompt, signal);
    const soFar = side.given ? {tokens: [...side.given, ...side.ids]} : {text: prompt + side.text};
    const count = side.letters ? TURN.letters : TURN.subwords;
    const answer = await write({model: side.name, ...soFar, settings: USUAL, seed, count}, signal);
    signal.throwIfAborted();
    if (!side.ids.length) side.notes = answer.notes;
    side.text += answer.texts.join('');
    side.ids.push(...answer.ids);
    side.full = answer.ids.length === 0 || prompt.length + side.text.length >= MAX_TEXT;
    changed();
  }

  async function read(signal) {
    pair.doing = 'reading';
    pair.readings = pair.sides.map(() => pair.sides.map(() => null));
    changed();
    for (const [reader, {name}] of pair.sides.entries()) {
      for (const [writer, {text}] of pair.sides.entries()) {
        pair.readings[reader][writer] = bitsPerCharacter(await scored(name, pair.prompt + text, signal));
        changed();
      }
    }
  }

  async function cutInto(model, text, signal) {
    return (await scored(model, text, signal)).flatMap(({ids}) => ids);
  }

  /** All answers about a text: a large model reads it piece by piece. */
  async function scored(model, text, signal) {
    const answers = [];
    for (let start = 0, total = 1; start < total;) {
      const answer = await score({model, text, start}, signal);
      signal.throwIfAborted();
      if (!answer.ids.length) break;
      answers.push(answer);
      total = answer.total;
      start += answer.ids.length;
    }
    return answers;
  }

  return pair;
}

/**
 * The mean over a text but its first token, which nothing came before.
 * @param {{pieces: string[], bits: (number | null)[]}[]} answers of the question `score`, in order
 * @returns {number | null} null where there is nothing to count
 */
export function bitsPerCharacter(answers) {
  let bits = 0, characters = 0;
  for (const answer of answers) {
    answer.bits.forEach((known, i) => {
      if (known === null) return;
      bits += known;
      characters += [...answer.pieces[i]].length;
    });
  }
  return characters ? bits / characters : null;
}

/**
 * What the numbers say, in a sentence.
 * @param {string[]} names
 * @param {(number | null)[][]} readings readings[reader][writer]
 * @returns {string} empty while one is not known
 */
export function verdict(names, readings) {
  const all = readings.flat();
  if (all.length !== 4 || all.some((one) => one === null)) return '';
  const [[own0, other0], [other1, own1]] = /** @type {number[][]} */ (readings);
  const [a, b] = names;
  if (own0 < other0 && own1 < other1) return 'Each finds its own text the likelier one.';
  if (own0 < other0 && other1 < own1) return `Both find what ${a} wrote the likelier text.`;
  if (other0 < own0 && own1 < other1) return `Both find what ${b} wrote the likelier text.`;
  return 'Each finds the other’s text no less likely than its own.';
}
