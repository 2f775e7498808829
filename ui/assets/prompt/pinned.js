/** The character that is pointed at or pinned: how likely it was, and what else could have come. A click on that goes on from there. */
import {drawBars} from '../common/bars.js';
import {percent, press, short, spoken} from '../common/words.js';
import {make} from '../dom.js';
import {desk, unitAt} from './desk.js';
import {openTab, hasTab} from './doors.js';
import {extremes} from './thoughts.js';
import {bitsWords, choiceWords} from './tint.js';

const SHOWN = 5;

/** @param {HTMLElement} holder */
export function mountPinned(holder) {
  const letter = make('span', {class: 'gp-letter gl-serif'});
  const words = make('span', {class: 'gp-words'});
  const hint = make('p', {class: 'gp-hint'});
  const list = make('ul', {class: 'gl-bars gp-bars', 'aria-label': 'What could have come here'});
  const sampling = /** @type {HTMLButtonElement} */ (make('button', {class: 'gl-link', type: 'button', on: {click: openSampling}}, 'In the Sampling tab'));
  const drop = /** @type {HTMLButtonElement} */ (make('button', {class: 'gl-link', type: 'button', on: {click: () => desk.set({pin: null, hover: null})}}, 'Drop the pin'));
  const links = make('div', {class: 'gp-links'}, sampling, drop);
  const spokenWords = make('div', {class: 'gp-spoken', 'aria-live': 'polite'});
  const part = make('div', {class: 'gp-pinned', role: 'group', 'aria-label': 'The character'}, make('div', {class: 'gp-head'}, letter, words), hint, list, links);
  holder.append(part, spokenWords);

  let proposed = '';
  let drawn = '';

  function draw() {
    const {hover, pin, sheet} = desk.state;
    const offset = hover ?? pin;
    const unit = unitAt(offset);
    part.classList.toggle('gp-empty', !unit);
    part.classList.toggle('gp-sheet', pin !== null); // on a narrow page it comes to the front
    letter.classList.toggle('gp-here', pin !== null && offset === pin);
    drop.hidden = pin === null;
    sampling.hidden = pin === null || !hasTab('Sampling');
    if (!unit) {
      letter.textContent = '';
      letter.classList.remove('gp-word');
      words.textContent = offset === null ? '' : 'not read yet';
      hint.textContent = desk.state.problem || (sheet.text === '' ? '' : invitation());
      drawBars(list, []);
      return;
    }
    const name = short(unit.piece);
    letter.textContent = name;
    letter.classList.toggle('gp-word', name.length > 3);
    if (unit.bits === null) {
      words.textContent = 'the first character';
      hint.textContent = 'Nothing came before it, so nothing could be expected.';
      drawBars(list, []);
      return;
    }
    words.textContent = `${bitsWords(unit.bits)}, ${choiceWords(unit.rank)}, ${percent(unit.p)}`;
    hint.textContent = sheet.own ? 'What else the model held possible here.' : pin === offset ? `${press()} another character, and the text goes on from there.` : 'Click to pin it, and to go on with another.';
    drawAlternatives(unit, sheet.own);
  }

  /** An example, and a text of one's own, open with their least expected character pinned, where that covers nothing. */
  function propose() {
    const {sheet, pin, laid, progress} = desk.state;
    if ((sheet.status !== 'example' && !sheet.own) || proposed === sheet.text || pin !== null || !progress || progress.known < progress.total) return;
    proposed = sheet.text;
    const [least] = extremes(laid.units, 1).least;
    if (least && window.matchMedia('(min-width: 1021px)').matches) desk.set({pin: least.start});
  }

  function drawAlternatives(unit, own) {
    const rows = unit.alternatives.slice(0, SHOWN).map(([id, text, p], i) => ({id, text, p, it: i + 1 === unit.rank}));
    if (!rows.some(({it}) => it)) rows.push({id: -1, text: unit.piece, p: unit.p, it: true});
    drawBars(list, rows, own ? {} : {onPick: (i) => fork(unit, rows[i])});
    rows.forEach(({text, it}, i) => {
      const item = /** @type {HTMLElement} */ (list.children[i]);
      item.classList.toggle('gp-it', it);
      const button = item.querySelector('button');
      if (!button) return;
      const why = it ? 'This is what stands there.' : whyNot(text);
      button.disabled = why !== '';
      button.title = why || `Go on with ${spoken(text)} instead`;
    });
  }

  function fork(unit, {text}) {
    desk.set({hover: null, pin: unit.start});
    desk.actions.fork(unit.start, text);
  }

  function openSampling() {
    const unit = unitAt(desk.state.pin);
    if (unit) void openTab('Sampling', {tab: 'sampling', text: desk.state.sheet.text.slice(0, unit.start)});
  }

  desk.on((changed) => {
    const {sheet} = desk.state;
    const kind = `${sheet.own} ${sheet.text === ''}`;
    if (['hover', 'pin', 'laid', 'problem'].some((n) => changed.has(n)) || kind !== drawn) draw();
    drawn = kind;
    if (changed.has('laid')) propose();
    if (changed.has('pin')) {
      const unit = unitAt(desk.state.pin);
      spokenWords.textContent = unit && unit.bits !== null ? `${spoken(unit.piece)}: ${words.textContent}` : '';
    }
  });
  draw();
}

/** Why a text cannot go on with this token; empty where it can. @param {string} piece */
export function whyNot(piece) {
  if (piece === '') return 'This token adds nothing to the text by itself.';
  return piece.includes('�') ? 'This token is a part of a character: the text cannot go on from a part.' : '';
}

function invitation() {
  return press() === 'Tap' ? 'Tap a character to see how likely it was, and what else could have come.'
    : 'Point at a character to see how likely it was, and what else could have come. Click to pin it.';
}
