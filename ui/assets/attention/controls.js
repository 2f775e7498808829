/** The row of controls: the pin, the view, scale and average; then play. */
import {make} from '../dom.js';
import {SPEEDS} from './player.js';
import {SCALES} from '../common/scales.js';
import {DIFFERENCES, press, short} from '../common/words.js';

export const VIEWS = [['map', 'Map'], ['arcs', 'Arcs'], ['row', 'Row'], ['lens', 'Lens']];
export const AVERAGES = [['head', 'one head'], ['layer', 'mean of the layer'], ['all', 'mean of all heads'], ['rollout', 'rollout']];

/** @param {import('./app.js').App} app @param {HTMLElement} element @param {{present: () => void}} actions */
export function mount(app, element, {present}) {
  const pinWords = make('span', {class: 'ge-pin-words'});
  const drop = make('button', {class: 'ge-drop', type: 'button', 'aria-label': 'Drop the pin', title: 'Drop the pin (Esc)', on: {click: () => app.set({pin: null})}}, '×');
  const pin = make('div', {class: 'ge-pin', role: 'status'}, pinWords, drop);
  const hint = make('span', {class: 'ge-touch-hint'}, 'Drag previews, tap pins');
  const views = VIEWS.map(([value, title]) => make('button', {type: 'button', class: 'ge-view', on: {click: () => app.set({view: /** @type {any} */ (value)})}}, title));
  const scale = select('Scale', Object.entries(SCALES).map(([value, {title}]) => [value, title]), (value) => app.set({scale: value}));
  const average = select('Average', AVERAGES, (value) => app.set({average: value}));
  const back = make('button', {class: 'gl-button ge-step', type: 'button', 'aria-label': 'One character back', title: 'One character back (B)', on: {click: () => void app.back()}}, '‹');
  const play = make('button', {class: 'gl-button ge-play', type: 'button', on: {click: () => app.play()}});
  const forward = make('button', {class: 'gl-button ge-step', type: 'button', 'aria-label': 'One character on', title: 'One character on (N)', on: {click: () => void app.forward()}}, '›');
  const speed = select('Speed, characters a second', SPEEDS.map((s) => [String(s), `${s}/s`]), (value) => app.setSpeed(Number(value)));
  speed.label.classList.add('ge-speed');
  const playing = make('div', {class: 'ge-playing', role: 'group', 'aria-label': 'Play'}, back, play, forward, speed.label);
  const presentButton = make('button', {class: 'gl-button', type: 'button', on: {click: present}}, 'Present ', make('kbd', {}, 'F'));
  const right = make('div', {class: 'ge-right-controls'}, playing);
  element.append(make('div', {class: 'ge-pin-place'}, pin, hint),
    make('div', {class: 'ge-views', role: 'group', 'aria-label': 'View'}, ...views), scale.label, average.label, right);

  function drawPin() {
    const row = app.pinned();
    pin.classList.toggle('ge-none', row === null);
    drop.hidden = row === null;
    if (row === null) pinWords.replaceChildren(`Nothing pinned. ${press()} a character.`);
    else {
      const piece = app.trace?.pieces[row] ?? '';
      pinWords.replaceChildren('Pinned ', make('b', {class: 'gl-serif'}, short(piece)), ` ${row + (app.trace?.start ?? 0)}`);
    }
  }

  function draw() {
    views.forEach((button, i) => button.setAttribute('aria-pressed', String(VIEWS[i][0] === app.state.view)));
    scale.set(app.state.scale);
    average.set(app.state.average);
    play.replaceChildren(app.playing ? 'Pause ' : 'Play ', make('kbd', {}, 'Space'));
    speed.set(String(app.speed));
  }

  app.on((changed) => {
    if (changed.has('pin') || changed.has('trace')) drawPin();
    if (['view', 'scale', 'average', 'playing', 'trace'].some((n) => changed.has(n))) draw();
  });
  draw();
  drawPin();
  return {right, presentButton};
}

/** From the maps as they are to those differences that there are, and back. @param {import('./app.js').App} app */
export function nextDifference(app) {
  const there = ['none', ...Object.keys(DIFFERENCES).filter((of) => app.comparable(/** @type {any} */ (of)))];
  app.set({difference: /** @type {any} */ (there[(there.indexOf(app.compared() ?? 'none') + 1) % there.length])});
}

function select(title, options, change) {
  const input = /** @type {HTMLSelectElement} */ (make('select', {'aria-label': title, on: {change: () => change(input.value)}},
    ...options.map(([value, words]) => make('option', {value}, words))));
  const label = make('label', {class: 'ge-choice gl-choice'}, make('span', {}, title), input);
  return {label, set: (value) => { input.value = value; }};
}
