/** The story of a model, as ui/story.py sends it: what was measured, written and seen along its training. Pure: no DOM. */
import {headName} from '../common/words.js';

/**
 * @typedef {object} Moment a step that can be looked at
 * @property {number} step
 * @property {number | null} seconds of the training until then
 * @property {number | null} val loss
 * @property {string} sample what it wrote then, from the prompt on
 * @property {Seen | null} seen the line's attention, where it was kept: what attention/maps.js makes maps of
 */

/** @typedef {{layers: number, heads: number, tokens: number, pieces: string[], start: number, rows: Uint8Array}} Seen */
/** @typedef {{id: string, words: string, short: string, says: string, found: boolean}} Role */

/**
 * @typedef {object} Story
 * @property {string} model
 * @property {number} layers
 * @property {number} heads
 * @property {string} unit of a loss: "characters" or "tokens"
 * @property {import('./timeline.js').Point[]} points of the curve
 * @property {Moment[]} moments ascending steps
 * @property {number} last step of the training so far
 * @property {string} line whose attention is shown; empty where none was kept
 * @property {string} prompt
 * @property {Role[]} roles
 * @property {Uint8Array} role which of them each head has: moment by moment, layer by layer
 * @property {Uint16Array} scores for each head all roles but the last one, in ten-thousandths
 * @property {Uint8Array} offsets
 * @property {Record<string, any>} facts of the training
 * @property {string} note a sentence about what is missing
 */

const PARTS = 10_000;

/** @param {import('../common/packet.js').Packet} packet @returns {Story} */
export function readStory({header, blocks}) {
  const {layers, heads, lines, samples, steps = [], pieces = [], roles = []} = header;
  const points = lines.map(([step, seconds, train, val]) => ({step, seconds, train, val}));
  const byStep = new Map(points.map((point) => [point.step, point]));
  const tokens = pieces.length;
  const size = (layers * heads * tokens * (tokens + 1)) / 2;
  const seen = (i) => ({layers, heads, tokens, pieces, start: 0, rows: blocks.rows.subarray(i * size, (i + 1) * size)});
  const moment = (step, i) => ({
    step, seconds: byStep.get(step)?.seconds ?? null, val: byStep.get(step)?.val ?? null, sample: samples[step] ?? '', seen: steps.length ? seen(i) : null,
  });
  const shown = steps.length ? steps : Object.keys(samples).map(Number).sort((a, b) => a - b);
  return {
    model: header.model, layers, heads, unit: header.unit, points, moments: shown.map(moment), last: Math.max(0, ...shown, ...points.map((point) => point.step)),
    line: pieces.join(''), prompt: header.prompt ?? '', roles, role: blocks.role ?? new Uint8Array(0),
    scores: blocks.scores ? new Uint16Array(blocks.scores.buffer, blocks.scores.byteOffset, blocks.scores.length / 2) : new Uint16Array(0),
    offsets: blocks.offsets ?? new Uint8Array(0), facts: header.facts, note: header.note,
  };
}

/** @param {Story} story @param {number} at moment @param {number} layer @param {number} head */
function place(story, at, layer, head) {
  return (at * story.layers + layer) * story.heads + head;
}

/**
 * What a head did at a moment.
 * @param {Story} story @param {number} at @param {number} layer @param {number} head
 * @returns {Role & {score: number}} its words say how far back, where that is what it does
 */
export function roleAt(story, at, layer, head) {
  const i = place(story, at, layer, head);
  const role = story.roles[story.role[i]];
  const offset = String(story.offsets[i]);
  const words = role.words.replace('a fixed number', offset);
  return {...role, words, short: role.short.replace('fixed', offset), score: scoreOf(story, at, layer, head, role.id)};
}

/** @param {Story} story @param {number} at @param {number} layer @param {number} head @param {string} id of a role @returns {number} 0 to 1 */
export function scoreOf(story, at, layer, head, id) {
  const measured = story.roles.length - 1; // the last one, "mixed", is what is left
  const which = story.roles.findIndex((role) => role.id === id);
  return which < measured ? story.scores[place(story, at, layer, head) * measured + which] / PARTS : 0;
}

/**
 * Where a head is on its way, in words: its score and where that goes, or when it finds what it does.
 * @param {Story} story @param {number} at @param {number} layer @param {number} head
 */
export function wayOf(story, at, layer, head) {
  const now = roleAt(story, at, layer, head);
  const end = story.moments.length - 1;
  if (now.found) {
    const later = scoreOf(story, Math.min(end, at + 4), layer, head, now.id) - now.score;
    return `${now.score.toFixed(2)}${later > 0.04 ? ', and rising' : later < -0.04 ? ', and falling' : ''}`;
  }
  for (let next = at + 1; next <= end; next++) {
    const then = roleAt(story, next, layer, head);
    if (then.found) return `${then.words} from step ${story.moments[next].step.toLocaleString('en')}`;
  }
  return at < end ? 'and so to the end' : 'nothing in particular';
}

/**
 * Which heads do what at a moment, role by role; and those that will within a few moments.
 * @param {Story} story @param {number} at
 * @returns {{found: number, groups: {id: string, short: string, now: string[], soon: string[]}[]}}
 */
export function rolesAt(story, at) {
  const SOON = 3;
  /** @type {Map<string, {id: string, short: string, now: string[], soon: string[]}>} */ const groups = new Map();
  const groupOf = (role) => {
    const name = role.id === 'back' ? 'back' : role.id;
    if (!groups.has(name)) groups.set(name, {id: role.id, short: role.id === 'back' ? 'a few back' : role.short, now: [], soon: []});
    return /** @type {{now: string[], soon: string[]}} */ (groups.get(name));
  };
  let found = 0;
  eachHead(story, (layer, head) => {
    const now = roleAt(story, at, layer, head);
    if (now.found) { found++; groupOf(now).now.push(headName(layer, head)); return; }
    for (let next = at + 1; next <= Math.min(at + SOON, story.moments.length - 1); next++) {
      const then = roleAt(story, next, layer, head);
      if (then.found) { groupOf(then).soon.push(headName(layer, head)); return; }
    }
  });
  const order = story.roles.map((role) => role.id);
  return {found, groups: [...groups.values()].sort((a, b) => order.indexOf(a.id) - order.indexOf(b.id))};
}

/** @param {Story} story @param {(layer: number, head: number) => void} each */
export function eachHead({layers, heads}, each) {
  for (let layer = 0; layer < layers; layer++) for (let head = 0; head < heads; head++) each(layer, head);
}

/**
 * When each role was first found: at that moment a head had it, and at the next one too.
 * @param {Story} story
 * @returns {{step: number, words: string}[]} ascending steps; roles of one step together
 */
export function firsts(story) {
  if (!story.role.length) return [];
  const has = story.moments.map((_, at) => {
    const ids = new Set();
    eachHead(story, (layer, head) => ids.add(story.role[place(story, at, layer, head)]));
    return ids;
  });
  /** @type {Map<number, string[]>} */ const found = new Map();
  story.roles.forEach((role, i) => {
    if (!role.found) return;
    const first = has.findIndex((ids, at) => ids.has(i) && (at === has.length - 1 || has[at + 1].has(i)));
    if (first < 0) return;
    const {step} = story.moments[first];
    found.set(step, [...(found.get(step) ?? []), role.id === 'back' ? 'a few back' : role.words]);
  });
  return [...found].sort((a, b) => a[0] - b[0]).map(([step, words]) => ({step, words: words.join(', ')}));
}

/** The head that a visitor should see first: of the finished model the one that is most of an induction head. @param {Story} story @returns {[number, number]} */
export function tellingHead(story) {
  /** @type {[number, number]} */ let best = [0, 0];
  let most = -1;
  const end = story.moments.length - 1;
  if (!story.role.length) return best;
  for (const id of ['induction', 'previous']) {
    eachHead(story, (layer, head) => {
      const score = scoreOf(story, end, layer, head, id);
      if (score > most && roleAt(story, end, layer, head).id === id) { most = score; best = [layer, head]; }
    });
    if (most >= 0) return best;
  }
  return best;
}
