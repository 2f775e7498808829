/**
 * The questions of the page's views, answered in the page: the twin of ui/looking.py and ui/asking.py, which say what is
 * asked and what each answer holds. Each is a task (task.js). No DOM.
 */
import {Refused} from '../common/ask.js';
import {draw, probabilities, u} from '../sampling.js';
import {readAsked, readOrder, readSettings, readText, readWhole, windowNote} from './asked.js';
import {windowStart} from './config.js';
import {checked, generate, mostProbable, quiet} from './generation.js';
import {LIMITS} from './limits.js';
import {headEffects, headsMask} from './looking.js';
import {KINDS, MAX_NEXT, packMap, packRow, packTrace} from './packets.js';
import {openReader} from './reader.js';
import {score as scored} from './scoring.js';

/** @typedef {import('./model.js').Model} Model */
/** @typedef {import('./asked.js').Asked} Asked */

/** Of a large alphabet so many characters of each distribution have their text sent. */
const NAMED = 60;
/** Tokens back that the repetition penalty looks. */
const PREVIOUS = 64;

/**
 * @param {Model} model
 * @param {string} name of the page's name for it
 * @param {string} question one of the table's
 * @param {any} asked
 * @returns {Generator<any, any, void>} its value is the answer: a packet, or what JSON can hold
 * @throws {Refused} what is wrong with the question, in one sentence
 */
export function answer(model, name, question, asked) {
  const view = VIEWS[question];
  if (!view) throw new Refused(`A model in the page is not asked for ${question}.`);
  return view({...model, name}, readAsked(model, asked), asked);
}

/** @typedef {Model & {name: string}} Named */

function* trace(model, asked) {
  return yield* traced(model, asked, asked.ids, asked.start, 0, {text: asked.text, notes: [...asked.notes, ...asked.windowNotes]});
}

function* row(model, asked, question) {
  return yield* packRow(model.parts, asked.window, readWhole(question, 'position'), asked.silenced);
}

function* map(model, asked, question) {
  const {kind} = question;
  if (!KINDS.includes(kind)) throw new Refused(`kind: ${String(kind).slice(0, 60)} is none of ${KINDS.join(', ')}`);
  const which = {kind, layer: readWhole(question, 'layer'), head: readWhole(question, 'head')};
  headsMask(model.about.config, [[which.layer, which.head]]);
  return yield* packMap(model.parts, asked.window, which, asked.silenced);
}

/** The text goes on: rows of new tokens. It ends before the window moves, unless the first token moves it. */
function* play(model, asked, question) {
  const {block_size} = model.about.config;
  const tokens = yield* written(model, asked, readOrder(question, 'count', LIMITS.MAX_PLAY_TOKENS), asked.silenced);
  const start = windowStart(asked.ids.length + 1, block_size);
  const kept = tokens.filter(({position}) => windowStart(position + 1, block_size) === start);
  const ids = [...asked.ids, ...kept.map(({id}) => id)];
  return yield* traced(model, asked, ids, start, start === asked.start ? asked.ids.length - start : 0, {added: kept.map(({text}) => text), notes: []});
}

function* rewrite(model, asked, question) {
  const order = readOrder(question, 'count', LIMITS.MAX_REWRITTEN_TOKENS);
  const on = yield* written(model, asked, order, null);
  const off = yield* written(model, asked, order, asked.silenced);
  const text = (tokens) => tokens.map((token) => token.text).join('');
  return {on: text(on), off: text(off), seed: order.seed};
}

function* effects(model, asked) {
  if (effectsCost(model.about, asked.window.length) > LIMITS.MAX_EFFECTS) {
    const {n_layer, n_head} = model.about.config;
    throw new Refused(`Silencing ${n_layer * n_head} heads in turn over ${asked.window.length} tokens would take too long on this page: silence one of them, or shorten the text.`);
  }
  return yield* headEffects(model.parts, asked.window, asked.silenced);
}

function* roll(model, asked, question) {
  const {parts: {network, memories, tokenizer}, about: {id, config: {vocab_size: V, block_size}}} = model;
  const settings = readSettings(question);
  const seed = readWhole(question, 'seed', 0, Number.MAX_SAFE_INTEGER);
  const count = Math.min(readWhole(question, 'count', 0, LIMITS.MAX_ROLLED_TOKENS), Math.max(Math.floor(LIMITS.MAX_ROLLED_NUMBERS / V) - 1, 0));
  const ids = asked.ids.slice();
  const n = ids.length;
  const logits = new Float32Array((count + 1) * V);
  const reader = openReader(network, memories, null);
  try {
    for (let i = 0; i <= count; i++) {
      const row = yield* quiet(reader.read(ids));
      checked(row);
      logits.set(row, i * V);
      if (i < count) ids.push(draw(probabilities(row, settings, ids), u(seed, ids.length)));
    }
  } finally {
    reader.close();
  }
  const drawn = ids.slice(n);
  const previous = asked.ids.slice(-PREVIOUS);
  const whole = V <= MAX_NEXT;
  const shown = new Set([...previous, ...drawn]);
  if (!whole) for (let i = 0; i <= count; i++) for (const each of mostProbable(logits.subarray(i * V, (i + 1) * V), NAMED)) shown.add(each);
  const piece = (/** @type {number} */ each) => tokenizer.characters[each];
  return {
    header: {
      id, model: model.name, text: asked.text, notes: [...asked.notes, ...asked.windowNotes], n, start: asked.start, block_size, vocab_size: V, characters: true,
      previous, ids: drawn, texts: drawn.map(piece), vocabulary: whole ? tokenizer.characters : null, names: whole ? null : Object.fromEntries([...shown].map((each) => [each, piece(each)])),
    },
    blocks: {logits: new Uint8Array(logits.buffer)},
  };
}

function* write(model, asked, question) {
  const tokens = yield* written(model, asked, readOrder(question, 'count', LIMITS.MAX_WRITTEN_TOKENS), null);
  return {
    id: model.about.id, notes: [...asked.notes, ...asked.windowNotes], text: asked.text, n: asked.ids.length, ids: tokens.map(({id}) => id), texts: tokens.map(({text}) => text),
    probabilities: tokens.map(({probability}) => probability), sampled: tokens.map((token) => token.sampled_probability), entropies: tokens.map(({entropy}) => entropy),
  };
}

function* score(model, asked, question) {
  const total = asked.ids.length;
  const start = readWhole(question, 'start', 0, total, 0);
  const end = Math.min(start + readWhole(question, 'count', 1, LIMITS.MAX_SCORED_TOKENS, LIMITS.MAX_SCORED_TOKENS), total);
  const found = yield* scored(model.parts, asked.ids, Math.max(start, 1), Math.max(end, 1));
  const gap = start === 0 ? [null] : [];
  const {characters} = model.parts.tokenizer;
  const ids = asked.ids.slice(start, end);
  return {
    id: model.about.id, text: asked.text, notes: asked.notes, total, start, ids, pieces: ids.map((id) => characters[id]),
    bits: [...gap, ...found.map(({bits}) => rounded(bits))], p: [...gap, ...found.map(({probability}) => short(probability))], rank: [...gap, ...found.map(({rank}) => rank)],
    entropy: [...gap, ...found.map(({entropy}) => rounded(entropy))], alternatives: [...gap, ...found.map(({alternatives}) => alternatives.map(([id, p]) => [id, characters[id], short(p)]))],
  };
}

/** The training text is not in the page: of what can be counted of a text there are its bits alone. */
function* quality(model, asked, question) {
  const {about: {id, training}, parts} = model;
  const typed = question.tokens ? asked.ids.length : [...String(question.text)].length;
  const given = Math.max(asked.ids.length - (typed - readWhole(question, 'given', 0, typed, 0)), 0);
  const total = asked.ids.length;
  const first = Math.min(Math.max(given, 1), total);
  const last = question.bits === false ? first : total;
  const found = yield* scored(parts, asked.ids, first, last);
  return {
    id, text: asked.text, given, notes: asked.notes, corpus: false, fetchable: false,
    bits_per_character: found.length ? found.reduce((sum, {bits}) => sum + bits, 0) / found.length : null, bits_until: question.bits === false ? null : last, held_out_bits: heldOutBits(training),
    words_known: null, words: null, unknown: null, longest: null, copied: null, share_copied: null,
  };
}

/** @type {Record<string, (model: Named, asked: Asked, question: any) => Generator<any, any, void>>} */
const VIEWS = {trace, row, map, play, rewrite, effects, roll, write, score, quality};

/**
 * A text as it grows: each time a few hundredths of a second have passed, what there is of it. The twin of ui/writing.py's write.
 * @param {Model} model
 * @param {any} order prompt, text (what was already written to it), settings, count, seed
 * @returns {Generator<import('./client.js').Written | undefined, void, void>}
 */
export function* writing(model, {prompt, text = '', ...order}) {
  const {count, settings, seed} = readOrder(order, 'count', LIMITS.MAX_NEW_TOKENS);
  const {text: read, notes} = readText(model, prompt + text);
  const ids = model.encode(read);
  let grown = read.endsWith(text) ? text : '';
  const state = {prompt: read.slice(0, read.length - grown.length), notes: [...notes, ...windowNote(model.about.config, ids.length)]};
  /** @type {import('./generation.js').Token[]} */ let tokens = [];
  let total = 0;
  const began = performance.now();
  const now = (/** @type {'writing' | 'done'} */ status) => {
    const told = {...state, text: grown, status, tokens, speed: total / Math.max((performance.now() - began) / 1000, 1e-9)};
    tokens = [];
    return told;
  };
  let shown = 0;
  for (const token of generate(model.parts, ids, settings, {count, seed})) {
    if (token) {
      tokens.push(token);
      grown += token.text;
      total++;
    }
    if (tokens.length && (shown === 0 || performance.now() - shown >= YIELD_MS)) {
      shown = performance.now();
      yield now('writing');
    } else {
      yield;
    }
  }
  yield now('done');
}

const YIELD_MS = 40;

/** The next tokens of a text, all of them. */
function* written(model, asked, {count, settings, seed}, silenced) {
  const tokens = [];
  for (const token of generate(model.parts, asked.ids, settings, {count, seed, silenced})) {
    if (token) tokens.push(token);
    yield;
  }
  return tokens;
}

/** The trace of a text from a row on, with what the views are told beside it. */
function* traced(model, asked, ids, start, first, more) {
  const {about, parts, name} = model;
  const {id, roles, scores} = about;
  const {header, blocks} = yield* packTrace(parts, ids.slice(start), asked.silenced, first);
  const whole = first === 0 ? {before: ids.slice(0, start), roles, scores, effects: effectsCost(about, ids.length - start) <= LIMITS.MAX_EFFECTS} : {};
  return {header: {id, start, model: name, ...header, ...whole, ...more}, blocks};
}

/** Products of a weight with a number: each head is silenced once, and the window read again. */
function effectsCost({config: {n_layer, n_head}, parameters}, tokens) { return n_layer * n_head * tokens * parameters; }

function heldOutBits({final}) {
  const bits = final?.val_bits_per_character ?? (typeof final?.val_loss === 'number' ? final.val_loss / Math.LN2 : null);
  return Number.isFinite(bits) ? bits : null;
}

function rounded(bits) { return Math.round(bits * 1000) / 1000; }
/** Five significant digits. */
function short(p) { return Number(p.toPrecision(5)); }
