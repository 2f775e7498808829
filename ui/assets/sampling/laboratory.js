/** The laboratory laid out: text, rolls and sliders on the left, the figures on the right, side by side below. */
import {keyPanel} from '../common/keypanel.js';
import {createPresenter} from '../common/present.js';
import {PLAIN} from '../common/settings.js';
import {spoken} from '../common/words.js';
import {make} from '../dom.js';
import {mount as mountBand} from './band.js';
import {mountRolls, mountSliders} from './controls.js';
import {mount as mountFigure} from './figure.js';
import {mount as mountHeat} from './heat.js';
import {KEYS} from './keys.js';
import {mount as mountLanes} from './lanesview.js';
import {firstSeed, ROLLS} from './numbers.js';
import {mount as mountReadout} from './readout.js';
import {sentence} from './sentence.js';
import {createStage} from './stage.js';
import {mount as mountTable} from './table.js';
import {mount as mountText} from './text.js';

/** A screen reader hears what a slider has come to, not each step. */
const REST_MS = 600;
const STEP = 0.05;
const HOTTEST = 3;

/**
 * @param {HTMLElement} element
 * @param {import('./lab.js').Lab} lab
 * @param {{change: import('./controls.js').Change, visible: () => boolean, examples: {title: string, says: string, text: string}[]}} options
 */
export function mountLaboratory(element, lab, {change, visible, examples}) {
  const part = (name, ...children) => make('div', {class: name}, ...children);
  const says = make('p', {class: 'gs-sentence gl-serif'});
  const doing = make('span', {class: 'gs-doing', role: 'status'});
  const status = part('gs-status');
  const text = part('gs-writing');
  const rolls = part('gs-rolling');
  const sliders = part('gs-sliders');
  const readout = part('gs-pointed');
  const figures = part('gs-figures');
  const under = part('gs-under');
  const below = make('section', {class: 'gs-lanes', 'aria-label': 'Side by side'});
  const heard = make('div', {class: 'gs-spoken', 'aria-live': 'polite'});
  const tools = part('gs-tools');
  const root = make('div', {class: 'gl-part gs', tabIndex: -1}, part('gs-all',
    part('gs-left', text, status, rolls, sliders),
    part('gs-right', part('gs-top', says, tools), readout, figures, under),
    below), heard);
  element.replaceChildren(root);
  Object.assign(root, {laboratory: lab}); // for whoever measures, and for the curious at the console

  const stage = createStage(lab, readout); // as wide as the figures, wherever those stand
  const thousandWords = make('span');
  const thousandButton = make('button', {class: 'gl-link', type: 'button', 'aria-pressed': 'false', on: {click: () => perform('thousand')}}, 'A thousand rolls ', make('kbd', {}, 'H'));
  const editor = mountText(lab, text, {examples});
  const {renew} = mountRolls(lab, rolls, change);
  mountSliders(lab, sliders, change);
  mountReadout(lab, readout, stage);
  mountFigure(lab, figures, stage, {thousand: part('gs-thousand', thousandButton, thousandWords)});
  const draw = part('gs-draw');
  const heat = part('gs-temperatures');
  figures.append(draw, heat);
  mountBand(lab, draw, stage);
  mountHeat(lab, heat, stage, (temperature) => change.settings({temperature}));
  const all = make('button', {class: 'gl-link', type: 'button', on: {click: () => stage.showAll(!stage.all)}});
  under.append(all);
  const table = mountTable(lab, under, stage);
  const lanes = mountLanes(lab, below);
  const {button, panel} = keyPanel({root, keys: KEYS, perform, visible});
  const presenter = createPresenter(root, 'gs-presenting', () => { stage.presented = presenter.on; lab.touch('columns'); });
  tools.append(make('button', {class: 'gl-link', type: 'button', on: {click: () => presenter.toggle()}}, 'Present ', make('kbd', {}, 'F')), button, doing);
  root.append(panel);

  /** @param {string} action */
  function perform(action) {
    const {temperature} = lab.state.settings;
    const to = (value) => change.settings({temperature: Math.round(Math.max(0, Math.min(HOTTEST, value)) * 100) / 100});
    const actions = {
      roll: () => void lab.roll(), ten: () => void lab.roll(10), rollOn: () => (lab.rolling === 'on' ? lab.pause() : void lab.roll(Infinity)),
      back: () => void lab.back(), warmer: () => to(temperature + STEP), cooler: () => to(temperature - STEP), plain: () => change.settings({...PLAIN}),
      thousand: () => { lab.thousand = !lab.thousand; lab.touch('thousand'); }, seed: renew, edit: () => editor.open(), table: () => table.toggle(),
      add: () => lanes.add(), present: () => presenter.toggle(),
      escape: () => { if (presenter.on && !lab.rolling) presenter.toggle(false); lab.pause(); lanes.stop(); stage.point(null); },
    };
    actions[action]?.();
  }

  /** @type {ReturnType<typeof setTimeout> | undefined} */ let timer;
  lab.on((changed) => {
    const any = (...names) => names.some((name) => changed.has(name));
    if (any('path', 'settings')) {
      drawSentence();
      clearTimeout(timer);
      timer = setTimeout(say, REST_MS);
    }
    if (any('thousand', 'path', 'seed')) drawThousand();
    if (any('columns', 'path')) {
      all.hidden = !stage.holdsBack();
      all.textContent = stage.all ? 'Only the likeliest twenty' : `All ${lab.path?.vocabSize ?? ''} at once`;
    }
    if (any('error', 'notes', 'stale')) drawStatus();
    if (any('busy', 'stale')) {
      doing.textContent = lab.busy ? `${lab.busy} …` : '';
      root.classList.toggle('gs-busy', lab.stale && (lab.busy !== '' || lab.error !== ''));
    }
    root.classList.toggle('gs-empty', !lab.path);
    if (any('path', 'settings', 'columns', 'stale')) root.dataset.glLab = lab.stale ? '' : `${lab.position()} ${stage.count()}`;
  });

  let saidAt = 0;
  /** What was written, and what may follow, for whoever does not see it. */
  function say() {
    if (lab.rolling || !visible()) return;
    const written = lab.position() === saidAt + 1 ? `${spoken(lab.path?.texts[lab.at - 1] ?? '')} is written. ` : '';
    saidAt = lab.position();
    heard.textContent = `${written}${says.textContent}`;
  }

  function drawSentence() {
    const seen = lab.numbers();
    if (!seen) return;
    const {settings} = lab.state;
    const parts = sentence({settings, left: seen.left, size: seen.belief.p.length, unit: lab.unit(), favourite: lab.piece(seen.left.favourite)});
    says.replaceChildren(...parts.map(({text: words, mark}) => (mark ? make('span', {class: 'gs-mark'}, words) : words)));
  }

  function drawThousand() {
    const {seed} = lab.state;
    thousandButton.setAttribute('aria-pressed', String(lab.thousand));
    thousandButton.firstChild?.replaceWith(lab.thousand ? 'No rolls ' : 'A thousand rolls ');
    const black = (words) => make('span', {class: 'gs-black'}, words); // where there is room for it
    thousandWords.replaceChildren(...(lab.thousand ? [' ', black(`The draw at position ${lab.position()} for the `), `seeds ${firstSeed(seed)} to ${firstSeed(seed) + ROLLS - 1}`, black(': black ticks')] : []));
  }

  function drawStatus() {
    const again = make('button', {class: 'gl-link', type: 'button', on: {click: () => lab.reload()}}, 'Try again');
    status.replaceChildren(
      ...(lab.error ? [make('div', {class: 'gl-error', role: 'alert'}, lab.error, ' ', ...(lab.stale ? [again] : []))] : []),
      ...lab.notes.map((note) => make('p', {}, note)));
    status.hidden = !status.childElementCount;
  }

  const theme = () => {
    const dark = document.documentElement.classList.contains('dark') || document.body.classList.contains('dark');
    if (dark !== lab.dark) { lab.dark = dark; lab.touch('theme'); }
  };
  for (const marked of [document.body, document.documentElement]) new MutationObserver(theme).observe(marked, {attributes: true, attributeFilter: ['class']});
  theme();
  drawStatus();
  return {root, editor, lanes};
}
