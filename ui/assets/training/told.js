/** A story as the curve draws it. Pure: no DOM. */
import {firsts, rolesAt} from './story.js';
import {duration, milestones, slots, verseOf} from './timeline.js';

/** A line of verse, and the space beside it. */
const ROOM = 190;
/** Of a letter of it, about. */
const LETTER = 8.6;

/** What does not change while the handle moves is made once: the curve knows by that what to draw anew. @type {WeakMap<import('./story.js').Story, {room: number, marks: any[], verses: any[]}>} */
const kept = new WeakMap();

/**
 * @param {import('./story.js').Story} story
 * @param {number} at moment
 * @param {number} room pixels of the axis
 * @returns {import('./curve.js').Timeline}
 */
export function timelineOf(story, at, room) {
  let fixed = kept.get(story);
  if (!fixed || fixed.room !== room) {
    const sample = new Map(story.moments.map((moment) => [moment.step, moment.sample.slice(story.prompt.length)]));
    const steps = milestones([...sample.keys()], story.last, Math.max(room, 1), ROOM);
    const widths = slots(steps, story.last, room);
    fixed = {room, marks: firsts(story), verses: steps.map((step, i) => ({step, text: verseOf(sample.get(step) ?? '', Math.floor(widths[i] / LETTER))}))};
    kept.set(story, fixed);
  }
  const moment = story.moments[at];
  const nats = moment?.val === null || moment?.val === undefined ? '' : `validation ${moment.val.toFixed(2)} nats`;
  const time = moment?.seconds ? duration(moment.seconds) : '';
  return {
    points: story.points, last: story.last, at: moment?.step ?? 0, marks: fixed.marks, verses: fixed.verses,
    title: `step ${(moment?.step ?? 0).toLocaleString('en')} of ${story.last.toLocaleString('en')}`, says: [nats, time].filter(Boolean).join(', '),
  };
}

/**
 * A moment in one sentence.
 * @param {import('./story.js').Story} story
 * @param {number} at
 * @returns {string}
 */
export function sentenceOf(story, at) {
  const moment = story.moments[at];
  if (!moment) return '';
  const when = moment.step === 0 ? 'Before the first step' : `After ${moment.step.toLocaleString('en')} of ${story.last.toLocaleString('en')} steps`;
  const verse = verseOf(moment.sample.slice(story.prompt.length));
  const {found} = moment.seen ? rolesAt(story, at) : {found: 0};
  const all = story.layers * story.heads;
  const roles = moment.seen ? `${found || 'none'} of ${all} heads ${found === 1 || !found ? 'has' : 'have'} found a role` : '';
  return `${when} ${[...(verse ? [`it writes “${verse}”`] : []), ...(roles ? [roles] : [])].join(', and ')}.`.replace(' .', '.');
}

/**
 * What is known of a training, in pieces; the second of each pair is weighty.
 * @param {Record<string, any>} facts
 * @returns {[string, boolean][]}
 */
export function factWords({characters, corpus, hardware, seconds, before}) {
  /** @type {[string, boolean][]} */ const words = [];
  if (characters) words.push(['Trained on ', false], [characters.toLocaleString('en'), true], [corpus ? ` characters of ${corpus}` : ' characters', false]);
  if (hardware) words.push([`${words.length ? ', ' : 'Trained on '}${hardware.replace(/\b1 threads\b/, '1 thread')}`, false]);
  if (seconds) words.push([words.length ? ', ' : 'Trained for ', false], [duration(seconds), true]);
  if (before) words.push([`${words.length ? '; it' : 'It'} began with weights of ${before.toLocaleString('en')} steps before`, false]);
  return words;
}
