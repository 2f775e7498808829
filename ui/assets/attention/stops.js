/**
 * The tour's five stops: each a state of the page, what to see in it, a question and its answer. What they say is made
 * from the numbers on the screen. No DOM.
 */
import {largest} from './effects.js';
import {rowOf} from './maps.js';
import {headName, number, percent, spoken} from '../common/words.js';
import {lensAt} from './wire.js';

/** A head whose role is one of these has found nothing in particular in the text. */
const PLAIN = new Set(['mixed', 'first', 'broad', 'nearby', 'itself', 'some']);
/** What a cell shows of a head's role; with other roles any cell will do. @type {Record<string, (pieces: string[], row: number, column: number) => boolean>} */
const SHOWS = {
  previous: (_, row, column) => row - column === 1,
  same: (pieces, row, column) => pieces[row] === pieces[column],
  induction: (pieces, row, column) => pieces[row] === pieces[column - 1],
  line: (pieces, _, column) => pieces[column].includes('\n'),
  space: (pieces, _, column) => pieces[column] === ' ',
  punctuation: (pieces, _, column) => /^[^\p{L}\p{N}\s]$/u.test(pieces[column]),
};
/** Effects smaller than this are not worth a number. */
const SMALL = 0.01;
/** How much of the text's end is quoted. */
const QUOTED = 12;
export const TEMPERATURES = [0.2, 1, 2];

/** @typedef {import('./app.js').App} App */
/**
 * What the tour knows beside the app.
 * @typedef {object} Facts
 * @property {import('./state.js').State['settings']} settings as they were before the tour
 * @property {{kl: number[][]} | null} effects of each head on the text, if they are known
 */
/**
 * @typedef {object} Stop
 * @property {string} id
 * @property {string} title
 * @property {boolean} [live] it needs a model that computes
 * @property {boolean} [effects] it needs the effect of each head
 * @property {(app: App, facts: Facts) => Partial<import('./state.js').State>} state
 * @property {(app: App, facts: Facts) => string[]} says paragraphs; [[words|term]] are for the glossary
 * @property {(app: App, facts: Facts) => string} question
 * @property {(app: App, facts: Facts) => string} answer asked for when it is to be shown
 */

/** @type {Stop[]} */
export const STOPS = [
  {
    id: 'characters', title: 'One character at a time',
    state: (_, {settings}) => ({view: 'map', average: 'head', pin: null, silenced: [], settings}),
    says: (app) => {
      const {vocabSize, tokens} = of(app);
      const next = likeliest(of(app));
      const text = unit(app) === 'character'
        ? `This model reads characters: letters, spaces, line breaks. Each is a [[token]], one of the ${count(vocabSize)} that it knows.`
        : `This model reads pieces of text, called [[tokens|token]]. It knows ${count(vocabSize)} of them.`;
      return [
        `${text} From the ${count(tokens)} on the screen it works out one thing: how probable each of the ${count(vocabSize)} is to come next.`,
        `${next ? `After “${ending(of(app))}” the most probable is ${next.name}, with ${percent(next.p)}. ` : ''}To write, it draws one, adds it to the text, and starts again. N draws one.`,
      ];
    },
    question: () => 'Where does it keep its list of words?',
    answer: (app) => (unit(app) === 'character'
      ? 'It has none. Nobody told it what a word is, or a line, or a speaker. When a word comes out, it has been spelled, character by character.'
      : 'It has none beyond these pieces. Nobody told it what a sentence is, or a speaker. Whatever comes out has been put together piece by piece.'),
  },
  {
    id: 'head', title: 'What one head looks at',
    state: (app, {settings}) => {
      const found = tellingHead(app);
      const clear = clearest(app, found);
      return {view: 'map', average: 'head', ...found, pin: clear ? of(app).start + clear.row : null, silenced: [], settings};
    },
    says: (app) => {
      const {layers, heads, pieces} = of(app);
      const found = tellingHead(app);
      const role = app.role(found.layer, found.head);
      const clear = clearest(app, found);
      const known = role && role.role !== 'mixed';
      const name = headName(found.layer, found.head);
      return [
        `A [[head]] of [[attention]] decides, for every ${unit(app)}, which earlier ones to take in. This model has ${count(layers * heads)}: ${count(heads)} in each of its ${count(layers)} [[layers|layer]]. In the figure a row is a ${unit(app)}, and the darker a cell, the more it looks there.`,
        `This is head ${name}${known ? `, ${role.role === 'induction' ? '[[induction]]' : role.words} ${number(role.score)}. ${role.says}` : '. It has no role that we could name.'}${clear ? ` The pinned ${spoken(pieces[clear.row])} gives ${percent(clear.weight)} of its attention to the ${spoken(pieces[clear.column])}, ${count(clear.row - clear.column)} back.` : ''}`,
      ];
    },
    question: () => 'Why is the upper half of the figure empty?',
    answer: (app) => `Nothing can look at what comes after it. When the model writes, that does not exist yet, so it may not look there while it learns either. Each ${unit(app)} has only what came before, and itself.`,
  },
  {
    id: 'temperature', title: 'How much is left to chance', live: true,
    state: (_, {settings}) => ({silenced: [], settings}),
    says: (app) => [
      `The model only says how probable each ${unit(app)} is; chance picks one. [[Temperature]] sets how freely: every [[logit]] is divided by it before [[softmax]] makes probabilities of them.`,
      `Let the text go on at three temperatures. The [[seed]] is ${app.state.seed} each time, so the draws are the same, and only the temperature differs.`,
    ],
    question: () => 'Which of them is the real voice of the model?',
    answer: () => 'At 1 it draws with the very probabilities that it has learned. Well under 1 it keeps to what is most common, and tends to repeat itself. Well over 1 it takes what it holds to be improbable, and words fall apart. Many people like it a little under 1.',
  },
  {
    id: 'silencing', title: 'Looking is not yet using', live: true, effects: true,
    state: (app, facts) => {
      const {layer, head} = weightiest(app, facts);
      return {view: 'map', average: 'head', layer, head, pin: null, silenced: [[layer, head]], settings: facts.settings};
    },
    says: (app, facts) => {
      const {layer, head, value} = weightiest(app, facts);
      const name = headName(layer, head);
      const matters = value === null ? `Head ${name} is silent now.`
        : value < SMALL ? `Here no head matters much by itself. Head ${name} matters most, and without it the prediction changes by less than ${SMALL} [[bits|bit]]. It is silent now.`
          : `For what comes next here, head ${name} matters most: without it the prediction changes by ${value.toFixed(2)} [[bits|bit]]. It is silent now.`;
      return [
        `A map shows where a head looks, not whether that is of any use. So silence the head, and see what changes. ${matters}`,
        'All heads write into one [[residual stream]]. What this one would have written is missing there, and the layers above must do without it.',
      ];
    },
    question: (app) => `Is ${likeliest(app.base ?? of(app))?.name ?? 'the same'} still the most probable next ${unit(app)}?`,
    answer: (app) => silencedAnswer(app),
  },
  {
    id: 'training', title: 'None of this was programmed',
    state: (app, {settings}) => ({view: 'map', average: 'head', ...tellingHead(app), pin: null, silenced: [], settings}),
    says: (app) => trainingSays(app.info, of(app).vocabSize, unit(app)),
    question: (app) => {
      const {layer, head} = tellingHead(app);
      return `Who told head ${headName(layer, head)} where to look?`;
    },
    answer: (app) => `Nobody. Training asks for one thing only, better guesses of the next ${unit(app)}. Looking there made the guesses better, so step by step the numbers came to do it. Its name was given afterwards, by measuring where it looks.`,
  },
];

/** @param {App} app @returns {import('./wire.js').Trace} */
function of(app) {
  return /** @type {import('./wire.js').Trace} */ (app.trace);
}

/** @returns {'character' | 'token'} what the model reads */
function unit(app) {
  return of(app).pieces.some((piece) => [...piece].length > 1) ? 'token' : 'character';
}

function count(n) {
  return n.toLocaleString('en');
}

/** The end of the text, from a word on, on one line. */
function ending({text}) {
  const end = text.slice(-QUOTED - 8).replace(/\s+/g, ' ').trimStart();
  return end.length > QUOTED ? end.slice(end.indexOf(' ') + 1) : end;
}

/** @param {import('./wire.js').Trace} trace @returns {{name: string, p: number} | null} what comes next most probably */
export function likeliest(trace) {
  const best = lensAt(trace, trace.tokens - 1)?.at(-1)?.[0];
  return best ? {name: spoken(best.text), p: best.p} : null;
}

/**
 * A head worth showing: that of the highest induction score if it is one, else the one most sure of another role.
 * @param {App} app
 * @returns {{layer: number, head: number}}
 */
export function tellingHead(app) {
  const all = of(app).roles.flatMap((row, layer) => row.map((role, head) => ({layer, head, role})));
  const top = (some, score) => some.reduce((a, b) => (score(b) > score(a) ? b : a), some[0]);
  const induction = top(all.filter(({role}) => role.role === 'induction'), ({role}) => role.scores.induction ?? 0);
  const sure = top(all.filter(({role}) => !PLAIN.has(role.role)), ({role}) => role.score);
  const {layer, head} = induction ?? sure ?? {layer: app.state.layer, head: app.state.head};
  return {layer, head};
}

/**
 * Where a head does most surely what it is named for; the first position, on which heads rest, does not count.
 * @param {App} app
 * @param {{layer: number, head: number}} which
 * @returns {{row: number, column: number, weight: number} | null}
 */
export function clearest(app, {layer, head}) {
  const map = of(app).silenced.length || of(app).side ? null : app.plain({average: 'head', layer, head});
  if (!map) return null;
  const {pieces} = of(app);
  const shows = SHOWS[app.role(layer, head)?.role ?? ''] ?? (() => true);
  let best = {row: 0, column: 0, weight: 0};
  for (let row = 2; row < map.tokens; row++) {
    rowOf(map, row).forEach((weight, column) => {
      if (column > 0 && column < row && weight > best.weight && shows(pieces, row, column)) best = {row, column, weight};
    });
  }
  return best.weight > 0 ? best : null;
}

/** @returns {{layer: number, head: number, value: number | null}} the head that the next token hangs on most */
function weightiest(app, {effects}) {
  return effects ? largest(effects.kl) : {...tellingHead(app), value: null};
}

/** @param {{trace: any, base: any}} app @returns {string} what silencing has changed */
export function silencedAnswer({trace, base}) {
  const [now, before] = [likeliest(trace), base && likeliest(base)];
  if (!now || !before || !trace.silenced.length) return 'The bars under “Next character” show both: blue as it was, ochre with the head silent.';
  return now.name === before.name
    ? `Yes: ${now.name}, with ${percent(now.p)}; before it was ${percent(before.p)}. A prediction rarely hangs on one head: several often bring the same, and one can step in for another.`
    : `No. Now it is ${now.name}, with ${percent(now.p)}; before it was ${before.name}, with ${percent(before.p)}.`;
}

/**
 * @param {{parameters?: number, corpus?: string, characters?: number, steps?: number, seconds?: number, first_loss?: number, loss?: number}} info what is known; losses in nats
 * @param {number} vocabSize
 * @param {'character' | 'token'} what
 * @returns {string[]}
 */
export function trainingSays({parameters, corpus, characters, steps, seconds, first_loss: first, loss}, vocabSize, what) {
  const size = parameters ? `This model is ${parameters >= 1e6 ? `${(parameters / 1e6).toFixed(2)} million` : count(parameters)} numbers, its [[parameters|parameter]]. ` : '';
  const read = characters ? `It was given ${count(characters)} characters of text${corpus ? ` (${corpus})` : ''}. ` : '';
  const rounds = steps && steps > 1 ? `In each of ${count(steps)} steps` : 'Again and again';
  const learned = `They began as random numbers. ${read}${rounds} it guessed the next ${what} at many places, and every number was moved a little, so that the guesses would have been better.`;
  const minutes = Math.round((seconds ?? 0) / 60);
  const took = minutes > 0 ? `After ${count(minutes)} ${minutes === 1 ? 'minute' : 'minutes'} of this` : 'In the end';
  const from = first ? `At the first measurement it was ${first.toFixed(2)}.` : `A blind guess among ${count(vocabSize)} has ${Math.log(vocabSize).toFixed(2)}.`;
  const measured = loss ? [`How well it guesses is its [[loss]]. ${from} ${took} it was ${loss.toFixed(2)}, on text that the model had never read.`] : [];
  return [`${size || 'This model is nothing but numbers. '}${learned}`, ...measured];
}
