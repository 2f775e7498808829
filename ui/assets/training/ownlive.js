/** A training as it happens: what its events say, as the panes and the curve draw it. Pure: no DOM. */
import {duration, milestones, slots, verseOf} from './timeline.js';

/** The batches are small, and their losses jump: shown is a mean over this share of the steps so far. */
const SMOOTH = 0.1;
/** The end of the axis moves only when the guess has changed by more. */
const MOVED = 0.2;
/** Nats above its best: more than chance. */
const BY_HEART = 0.15;
const VERSE_ROOM = 190;
const LETTER = 8.6;
/** Pixels in which a line of verse says something. */
const LEAST = 56;
/** What samples go on from, where the text has such speakers (train/story.py). */
const PROMPT = 'ROMEO:\n';

/**
 * @typedef {object} Live what has happened so far
 * @property {import('./timeline.js').Point[]} points
 * @property {Map<number, string>} samples step -> what it wrote
 * @property {number} step @property {number} progress 0 to 1 @property {number} seconds @property {number} left seconds
 * @property {number} speed tokens a second
 * @property {number | null} loss of the last evaluation, on what is held out
 * @property {number | null} first the same of the first one
 * @property {{loss: number, step: number} | null} best the least of them
 * @property {number | null} batch smoothed loss of the batches
 * @property {number} stepped step of the last of them
 * @property {number} last step, as far as can be guessed
 * @property {number} saved step @property {number} saves how many
 * @property {Record<string, any> | null} began
 */

/** @returns {Live} */
export function nothingYet() {
  return {points: [], samples: new Map(), step: 0, progress: 0, seconds: 0, left: 0, speed: 0, loss: null, first: null, best: null, batch: null, stepped: 0, last: 100, saved: 0, saves: 0, began: null};
}

/** Take in what has happened since. @param {Live} live changed in place @param {Record<string, any>[]} events */
export function takeIn(live, events) {
  for (const event of events) {
    if (event.event === 'began') live.began = event;
    if (event.event === 'saved') { live.saved = event.step; live.saves++; }
    if (event.event === 'step' && Number.isFinite(event.loss)) {
      const stays = live.batch === null ? 0 : Math.exp(-(event.step - live.stepped) / (1 + SMOOTH * event.step));
      live.batch = stays * (live.batch ?? 0) + (1 - stays) * event.loss;
      live.stepped = event.step;
      live.points.push({step: event.step, train: live.batch, val: null});
      Object.assign(live, {step: event.step, progress: event.progress, seconds: event.seconds, left: event.seconds_left, speed: event.tokens_per_second});
    }
    if (event.event === 'evaluation' && Number.isFinite(event.val_loss)) {
      live.points.push({step: event.step, train: null, val: event.val_loss});
      live.samples.set(event.step, String(event.sample));
      live.loss = event.val_loss;
      live.first ??= event.val_loss;
      if (live.best === null || event.val_loss < live.best.loss) live.best = {loss: event.val_loss, step: event.step};
      live.step = Math.max(live.step, event.step);
      live.seconds = Math.max(live.seconds, event.seconds);
    }
  }
  live.last = lastOf(live);
}

/** Two digits of where it will end, at the pace so far. */
function lastOf({step, progress, last}) {
  if (progress < 0.02) return Math.max(last, step);
  const guess = step / Math.min(1, progress);
  const scale = 10 ** Math.max(0, Math.floor(Math.log10(guess)) - 1);
  const round = Math.ceil(guess / scale) * scale;
  return step > last || Math.abs(round - last) > MOVED * last ? Math.max(step, round) : last;
}

/**
 * @param {Live} live
 * @param {boolean} ended
 * @param {number} room pixels of the axis
 * @returns {import('./curve.js').Timeline}
 */
export function liveTimeline(live, ended, room) {
  const last = Math.max(1, ended ? live.step : live.last);
  const told = [...live.samples.keys()].filter((step) => step <= last);
  const steps = told.length ? milestones(told, last, Math.max(room, 1), VERSE_ROOM) : [];
  const widths = slots(steps, last, room, ended);
  const all = steps.map((step, i) => ({step, width: widths[i]}));
  const some = all.filter(({width}) => width >= LEAST);
  const roomy = some.length || !all.length ? some : [{step: all[all.length - 1].step, width: room / 2}];
  const nats = live.loss === null ? '' : `validation ${live.loss.toFixed(2)} nats`;
  return {
    points: live.points, last, at: live.step, marks: [], fixed: true,
    verses: roomy.map(({step, width}) => ({step, text: verseOf(live.samples.get(step) ?? '', Math.floor(width / LETTER))})),
    title: `step ${live.step.toLocaleString('en')}`, says: [nats, live.seconds ? duration(live.seconds) : ''].filter(Boolean).join(', '),
  };
}

/**
 * The newest moment, as the panes show one.
 * @param {Live} live
 * @param {import('./story.js').Story | null} seen what was saved last, with one frame of attention
 * @param {string} waiting a sentence that stands for the attention, until there is one
 * @returns {import('./story.js').Story}
 */
export function liveStory(live, seen, waiting) {
  const at = seen?.moments.at(-1) ?? null;
  const told = [...live.samples.keys()].at(-1);
  const moment = {step: told ?? 0, seconds: live.seconds, val: live.loss, sample: told === undefined ? '' : live.samples.get(told) ?? '', seen: at?.seen ?? null};
  const base = seen ?? {
    model: '', layers: live.began?.layers ?? 1, heads: live.began?.heads ?? 1, unit: 'characters', line: '', prompt: '', roles: [],
    role: new Uint8Array(0), scores: new Uint16Array(0), offsets: new Uint8Array(0), facts: {},
  };
  const prompt = base.prompt || (moment.sample.startsWith(PROMPT) ? PROMPT : '');
  return {...base, prompt, points: live.points, moments: told === undefined ? [] : [moment], last: live.last, note: at?.seen ? '' : waiting};
}

/** Among how many equally likely ones a model that loses so much is unsure. @param {number} nats @returns {string} "7.3", "65" */
export function among(nats) {
  const many = Math.exp(nats);
  return many < 20 ? many.toFixed(1) : Math.round(many).toLocaleString('en');
}

/** @typedef {{state: string, place: number, left: number, error: string, has_model: boolean, minutes: number}} Told */

/**
 * The sentence over it.
 * @param {Told} told how it stands
 * @param {Live} live
 * @returns {string}
 */
export function sentence({state, place, left, error, has_model: kept, minutes}, live) {
  const {loss, first, best, step} = live;
  const sure = loss === null ? '' : `as unsure of the next character as among ${among(loss)}${first !== null && among(first) !== among(loss) ? `, where it began with ${among(first)}` : ''}`;
  const steps = `${step.toLocaleString('en')} ${step === 1 ? 'step' : 'steps'}`;
  const heart = best !== null && loss !== null && loss > best.loss + BY_HEART
    ? `It learns its text by heart: what it has not read surprised it least after ${best.step.toLocaleString('en')} steps, and more and more since.` : '';
  switch (state) {
    case 'waiting': return `${place === 1 ? 'One training comes' : `${place} trainings come`} before yours: it begins by itself, in at most ${inMinutes(left)}.`;
    case 'beginning': return 'It begins: the first loss is a few seconds away.';
    case 'training': return heart ? `${heart} Stop, or give it a longer text.` : sure ? `After ${steps} it is ${sure}.` : 'It begins: the first loss is a few seconds away.';
    case 'finished': return heart || `It has learned for ${inMinutes(minutes)}: on text it has not read it is ${sure}.`;
    case 'stopped': return kept ? `Stopped after ${steps}; what it had learned is kept${sure ? `: it is ${sure}` : ''}.` : 'Stopped before it had begun: there is nothing to keep.';
    case 'failed': return `It could not go on. ${error}`;
    default: return `Its process ended without a word, as when a machine runs out of memory. ${kept ? `What was saved after ${live.saved.toLocaleString('en')} steps is kept.` : 'Nothing was saved yet.'}`;
  }
}

/** @param {number} count */
function inMinutes(count) {
  const whole = Math.ceil(count);
  return `${whole} ${whole === 1 ? 'minute' : 'minutes'}`;
}

/** What it does now, in words beside the bar. @param {Told} told @param {Live} live @returns {string} */
export function doing({state}, live) {
  if (state === 'waiting') return 'Waiting';
  if (state !== 'training' || !live.speed) return 'Loading';
  const numbers = [live.loss === null ? '' : `loss ${live.loss.toFixed(2)}`, `${round(live.speed)} characters a second`];
  const left = live.left < 1 ? 'measuring on all that is held out' : `${duration(live.left)} left`;
  return [...numbers.filter(Boolean), left].join(', ');
}

/** Two digits: more of a speed nobody reads. */
function round(number) {
  const scale = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, number))) - 1);
  return (Math.round(number / scale) * scale).toLocaleString('en');
}
