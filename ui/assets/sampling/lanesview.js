/** Side by side, below the fold: a column for each of the settings, and where their texts part. */
import {part} from '../common/part.js';
import {lastLine, verse} from '../common/verse.js';
import {PLAIN} from '../common/settings.js';
import {make} from '../dom.js';
import {createLanes, namesAndValues} from './lanes.js';
import {inWords} from './sentence.js';
import {MAX_LANES} from './state.js';

/** Settings to begin with. */
const BEGINNINGS = [
  {title: 'cold, as it is, and hot', lanes: [{...PLAIN, temperature: 0.3}, PLAIN, {...PLAIN, temperature: 1.6}]},
  {title: 'with and without top-p', lanes: [{...PLAIN, top_p: 0.8}, PLAIN]},
];

/** @param {import('./lab.js').Lab} lab @param {HTMLElement} element */
export function mount(lab, element) {
  const lanes = createLanes(lab);
  const says = make('p', {class: 'gs-lanes-say gl-serif', 'aria-live': 'polite'});
  const button = (words, action) => /** @type {HTMLButtonElement} */ (make('button', {class: 'gl-button', type: 'button', on: {click: action}}, words));
  const add = button('Add these settings', () => lanes.add());
  add.append(make('kbd', {}, 'A'));
  const write = button('Write side by side', () => lanes.write());
  const more = button('Go on', () => lanes.write(true));
  const stop = button('Stop', () => lanes.stop());
  const failed = make('div', {class: 'gl-error', role: 'alert', hidden: true});
  const columns = make('div', {class: 'gs-lane-columns'});
  element.append(make('h2', {class: 'gs-heading gs-lanes-heading'}, 'Side by side'), says, make('div', {class: 'gs-lane-buttons'}, add, write, more, stop), failed, columns);
  /** @type {HTMLElement[]} */ let texts = [];

  function layOut() {
    const all = lab.state.lanes;
    columns.style.setProperty('--gs-lanes', String(Math.max(2, all.length)));
    texts = all.map(() => make('div', {class: 'gs-lane-text gl-serif'}));
    columns.replaceChildren(...all.map((settings, i) => make('article', {class: 'gs-lane', 'aria-label': `Settings ${i + 1}`},
      make('dl', {class: 'gs-values'}, ...namesAndValues(settings).flatMap(([name, value]) => [make('dt', {}, name), make('dd', {}, value)])),
      make('div', {class: 'gs-lane-links'},
        make('button', {class: 'gl-link', type: 'button', 'aria-label': `Use settings ${i + 1} above`, on: {click: () => document.dispatchEvent(new CustomEvent('gl:set-settings', {detail: settings}))}}, 'Use above'),
        make('button', {class: 'gl-link', type: 'button', 'aria-label': `Remove settings ${i + 1}`, on: {click: () => lanes.remove(i)}}, 'Remove')),
      texts[i])));
    write.disabled = all.length < 2;
    write.title = all.length < 2 ? 'It takes two settings' : '';
    add.disabled = all.length >= MAX_LANES;
    add.title = add.disabled ? `${MAX_LANES} stand side by side at most` : '';
  }

  function draw() {
    const {written, writing, prompt} = lanes;
    const {shared, parted} = part(written.map(({text}) => text));
    written.forEach(({text}, i) => {
      const rows = verse([{text: lastLine(prompt), class: 'gs-given'}, {text: text.slice(0, shared)}, {text: text.slice(shared), ...(parted ? {class: 'gs-parted'} : {})}]);
      rows.find((row) => row.querySelector('.gs-parted'))?.querySelector('.gs-parted')?.before(make('span', {class: 'gs-parts'}, 'differs'));
      texts[i]?.replaceChildren(...rows);
    });
    failed.textContent = lanes.error;
    failed.hidden = lanes.error === '';
    write.hidden = writing;
    stop.hidden = !writing;
    more.hidden = writing || !written.some(({text}) => text !== '');
    says.replaceChildren(...sentence(shared, parted));
  }

  function sentence(shared, parted) {
    const count = lab.state.lanes.length;
    const {written, writing} = lanes;
    if (count === 0) return ['The same text, the same seed, two to four settings: begin with ', ...offers(), ', or add what the sliders say.'];
    if (count === 1) return ['One more, and they can be written side by side: move a slider, and add those settings too.'];
    if (!written.some(({text}) => text)) return [`${sentenceCase(inWords(count))} settings, the same text, the same seed ${lab.state.seed}.`];
    if (parted) return [shared === 0 ? 'They differ from the first character on.' : `The first ${shared === 1 ? 'character is' : `${inWords(shared)} characters are`} the same; then they differ.`];
    return [writing ? 'So far they are the same.' : 'They are the same to the end.'];
  }

  function offers() {
    const links = BEGINNINGS.map(({title, lanes: all}) => make('button', {class: 'gl-link', type: 'button', on: {click: () => { lanes.set(all); void lanes.write(); }}}, title));
    return links.flatMap((link, i) => (i ? [' or ', link] : [link]));
  }

  /** @type {unknown} */ let laid = null;
  lab.on((changed) => {
    if (lab.state.lanes !== laid) { laid = lab.state.lanes; layOut(); if (!changed.has('written')) lanes.forget(); draw(); }
    else if (changed.has('written') || changed.has('seed')) draw();
  });
  layOut();
  draw();
  return lanes;
}

function sentenceCase(words) { return words[0].toUpperCase() + words.slice(1); }
