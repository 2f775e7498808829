/** All numbers as a table, on demand: for a screen reader, and to be copied. */
import {named} from '../common/words.js';
import {make} from '../dom.js';
import {share} from './readout.js';

/** After a slider has come to rest. */
const REST_MS = 150;
const SAID_MS = 1500;

/** @param {import('./lab.js').Lab} lab @param {HTMLElement} element @param {import('./stage.js').Stage} stage */
export function mount(lab, element, stage) {
  const body = make('tbody');
  const head = make('tr');
  const caption = make('caption');
  const table = make('table', {class: 'gs-table'}, caption, make('thead', {}, head), body);
  const holder = make('div', {class: 'gs-table-holder', hidden: true}, table);
  const open = make('button', {class: 'gl-link', type: 'button', 'aria-expanded': 'false', on: {click: toggle}}, 'All numbers ', make('kbd', {}, 'N'));
  const copy = make('button', {class: 'gl-link', type: 'button', hidden: true, on: {click: copyTable}}, 'Copy');
  element.append(make('div', {class: 'gs-table-head'}, open, copy), holder);
  let timer = 0;

  /** @returns {string[][]} names, then a row for each token, the likeliest first; exact where they are to be copied */
  function rows(exact = false) {
    const seen = lab.numbers();
    if (!seen) return [];
    const rolls = lab.rolls();
    const say = exact ? String : share;
    const shown = exact ? seen.belief.order : stage.columns(seen.belief).ids;
    return [
      ['rank', lab.unit(), 'id', 'logit', 'belief', 'left', ...(rolls ? ['rolls'] : [])],
      ...shown.map((id, i) => [
        String(i + 1), exact ? lab.piece(id).replace(/[\t\n\r]/g, (c) => JSON.stringify(c).slice(1, -1)) : named(lab.piece(id)), String(id),
        exact ? String(seen.logits[id]) : seen.logits[id].toFixed(2), say(seen.belief.p[id]), seen.left.p[id] === 0 && !exact ? 'cut' : say(seen.left.p[id]),
        ...(rolls ? [String(rolls[id])] : []),
      ]),
    ];
  }

  function toggle() {
    holder.hidden = !holder.hidden;
    copy.hidden = holder.hidden;
    open.setAttribute('aria-expanded', String(!holder.hidden));
    draw();
  }

  function draw() {
    if (holder.hidden) return;
    const [names, ...lines] = rows();
    if (!names) return;
    const size = lab.path?.vocabSize ?? 0;
    caption.textContent = lines.length < size ? `The likeliest ${lines.length.toLocaleString('en')} of ${size.toLocaleString('en')}; Copy takes all.` : `All ${size.toLocaleString('en')}, by belief.`;
    head.replaceChildren(...names.map((name) => make('th', {scope: 'col'}, name)));
    body.replaceChildren(...lines.map((cells) => make('tr', {class: cells[5] === 'cut' ? 'gs-gone' : ''}, ...cells.map((cell) => make('td', {}, cell)))));
  }

  async function copyTable() {
    let words = 'Copied';
    try {
      await navigator.clipboard.writeText(rows(true).map((cells) => cells.join('\t')).join('\n'));
    } catch {
      window.getSelection()?.selectAllChildren(table); // a page without https, or in a frame that may not
      words = 'Not allowed here: the table is selected';
    }
    copy.textContent = words;
    setTimeout(() => { copy.textContent = 'Copy'; }, SAID_MS);
  }

  lab.on((changed) => {
    if (holder.hidden || !['path', 'settings', 'seed', 'thousand', 'columns'].some((name) => changed.has(name))) return;
    clearTimeout(timer);
    timer = window.setTimeout(draw, REST_MS);
  });
  return {toggle};
}
