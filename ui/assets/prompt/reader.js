/** Keeps what the model thought in step with the text on the screen. */
import {askJson} from '../common/ask.js';
import {desk} from './desk.js';
import {createScorer} from './scorer.js';
import {layOut} from './thoughts.js';

/** As ui/limits.py has it: of a longer text the last ones are read. */
const MAX_TEXT_CHARACTERS = 20_000;
/** Tokens an answer where somebody looks at how far it is. */
const COUNT = 512;

export function mountReader() {
  const scorer = createScorer(askJson('score'), (known, answer, problem) => {
    const {sheet} = desk.state;
    desk.set({
      laid: known ? layOut(sheet.text, known) : {at: new Int32Array(0), units: []},
      progress: known ? {known: known.pieces.length, total: known.total} : null,
      problem,
    });
  });

  function decide() {
    const {sheet, tint, pin, paused} = desk.state;
    const {model, text, own} = sheet;
    const growing = sheet.status === 'writing';
    // A text that is cut at its front while it grows would be read anew each time: it is read when it is done.
    const late = growing && ((tint === 'none' && pin === null) || text.length > MAX_TEXT_CHARACTERS);
    if (!model || paused || late) scorer.want(null);
    else scorer.want({model, text: text.slice(-MAX_TEXT_CHARACTERS), growing, ...(own ? {count: COUNT} : {})});
  }

  desk.on((changed) => {
    if (['sheet', 'tint', 'pin', 'paused'].some((name) => changed.has(name))) decide();
    document.documentElement.dataset.glThoughts = state();
  });
  decide();
  return scorer;
}

/** How far it is, beside what is said of the text itself: for tests, and whoever looks from outside. */
function state() {
  const {sheet: {text, status}, laid, problem} = desk.state;
  if (problem) return 'refused';
  return status !== 'writing' && laid.at.length === text.length && laid.at[text.length - 1] >= 0 ? 'known' : 'reading';
}
