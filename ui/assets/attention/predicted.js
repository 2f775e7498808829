/** What the model says next, read off the application: with heads silenced, before and after. No DOM. */
import {inList} from '../common/bars.js';
import {nextProbability} from './wire.js';

/** @typedef {import('../common/bars.js').Next & {offOnly: boolean}} Next offOnly: heads are silenced, and `before` is without them */

/** @param {import('./app.js').App} app @returns {Next | null} null while it is fetched */
export function nextOf(app) {
  const {trace, base} = app;
  if (!trace) return null;
  const last = trace.tokens - 1;
  const now = app.lens(last)?.at(-1);
  if (!now) return null;
  const silenced = trace.silenced.length > 0;
  const same = silenced && base && base.start === trace.start && base.tokens >= trace.tokens && base.ids.slice(0, trace.tokens).join() === trace.ids.join();
  const before = same ? app.lens(last, base)?.at(-1) : null;
  if (!before || !base) return {before: now, after: null, offOnly: silenced};
  return {before, after: now, offOnly: false, beforeOf: (id) => nextProbability(base, last, id) ?? inList(before)(id), afterOf: (id) => nextProbability(trace, last, id) ?? inList(now)(id)};
}
