/** One line for the character that is pointed at, wherever in the figures: it stands in one place and moves nothing. */
import {named, sign, spoken} from '../common/words.js';
import {make} from '../dom.js';
import {ROLLS} from './numbers.js';

/** A share in percent with the digits that the eye can use: "23.6 %", "0.031 %". @param {number} p */
export function share(p) {
  if (p <= 0) return '0 %';
  const value = 100 * p;
  if (value >= 10) return `${value.toFixed(1)} %`;
  return value >= 0.001 ? `${value.toPrecision(2)} %` : '<0.001 %';
}

/**
 * What there is to say of a column.
 * @param {import('./lab.js').Lab} lab
 * @param {import('./stage.js').Stage} stage
 * @param {number} column
 * @returns {{name: string, text: string}[]}
 */
export function columnWords(lab, stage, column) {
  const seen = lab.numbers();
  if (!seen) return [];
  const {ids, others} = stage.columns(seen.belief);
  const id = ids[column];
  const rolls = lab.rolls();
  const of = (p) => (id === undefined ? Math.max(0, 1 - ids.reduce((sum, shown) => sum + p[shown], 0)) : p[id]);
  const kept = of(seen.left.p);
  const drawn = rolls ? [{name: 'rolls', text: `drawn ${(id === undefined ? rolls.reduce((a, b) => a + b, 0) - ids.reduce((sum, shown) => sum + rolls[shown], 0) : rolls[id]).toLocaleString('en')} times of ${ROLLS.toLocaleString('en')}`}] : [];
  return [
    {name: 'piece', text: id === undefined ? `the other ${others.toLocaleString('en')}` : spoken(lab.piece(id))},
    ...(id === undefined ? [] : [{name: 'rank', text: `rank ${seen.belief.rank[id].toLocaleString('en')} of ${seen.belief.p.length.toLocaleString('en')}`}]),
    {name: 'belief', text: `belief ${share(of(seen.belief.p))}`},
    {name: 'left', text: kept > 0 ? `left ${share(kept)}` : 'cut'},
    ...drawn,
  ];
}

/** @param {import('./lab.js').Lab} lab @param {HTMLElement} element @param {import('./stage.js').Stage} stage */
export function mount(lab, element, stage) {
  const line = make('div', {class: 'gs-readout', 'aria-hidden': 'true'}); // the figures say it themselves
  element.append(line);

  function draw() {
    const column = lab.hover;
    if (column === null) {
      line.replaceChildren(make('span', {class: 'gs-hint'}, `Point at a ${lab.unit()} for its numbers.`));
      return;
    }
    const words = columnWords(lab, stage, column);
    const id = lab.numbers() && stage.columns(/** @type {import('./seen.js').Seen} */ (lab.numbers()).belief).ids[column];
    const piece = typeof id === 'number' ? lab.piece(id) : '';
    const letter = piece && spoken(piece) === piece ? [make('span', {class: 'gs-letter-large gl-serif'}, sign(piece))] : [make('b', {}, piece ? named(piece) : words[0]?.text ?? '')];
    line.replaceChildren(...letter, ...words.slice(1).map(({name, text}) => make('span', {class: `gs-of-${name}`}, text)));
  }

  lab.on((changed) => { if (['hover', 'path', 'settings', 'seed', 'thousand', 'columns'].some((name) => changed.has(name))) draw(); });
  draw();
}
