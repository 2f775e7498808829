/** The draw: what can be drawn end to end in the order of the ids, and a red pin where the random number fell. */
import {drawingContext, pixelRatio} from '../common/canvas.js';
import {colour} from '../common/colours.js';
import {sign} from '../common/words.js';
import {make} from '../dom.js';
import {inksOf} from './inks.js';
import {band} from './numbers.js';
import {drawWords} from './sentence.js';

const HEIGHT = 30;
const LETTER = 17;
/** Of the surprise scale: a tint on which letters are read. */
const TINT = 0.2;
/** Narrower parts are not parted by a gap, CSS pixels. */
const LEAST = 2.5;

/** @param {import('./lab.js').Lab} lab @param {HTMLElement} element @param {import('./stage.js').Stage} stage */
export function mount(lab, element, stage) {
  const words = make('span', {class: 'gs-says'});
  const canvas = /** @type {HTMLCanvasElement} */ (make('canvas', {'aria-hidden': 'true'}));
  const pin = make('div', {class: 'gs-pin'});
  const outline = make('div', {class: 'gs-outline', hidden: true});
  const room = make('div', {class: 'gs-band'}, canvas, outline, pin);
  element.append(make('div', {class: 'gs-line'}, make('h2', {class: 'gs-heading'}, 'The draw'), words), room);
  /** @type {{id: number, from: number, to: number}[]} */ let parts = [];

  const point = (event) => {
    const {left, width} = room.getBoundingClientRect();
    const at = (event.clientX - left) / width;
    const id = parts.find(({from, to}) => at >= from && at < to)?.id;
    const seen = lab.numbers();
    if (!seen || id === undefined) return;
    const {ids, others} = stage.columns(seen.belief);
    const column = seen.belief.rank[id] - 1;
    stage.point(column < ids.length ? column : others ? ids.length : null);
  };
  for (const name of ['pointermove', 'pointerdown']) room.addEventListener(name, point);
  room.addEventListener('pointerleave', (event) => { if (event.pointerType === 'mouse') stage.point(null); });

  function draw() {
    const seen = lab.numbers();
    if (!seen || !stage.width) return;
    parts = band(seen.left.p);
    const inks = inksOf(room, lab.dark);
    const {width} = stage;
    const context = drawingContext(canvas, width, HEIGHT);
    context.fillStyle = colour('surprise', lab.dark, TINT);
    for (const {from, to} of parts) {
      const wide = (to - from) * width;
      if (wide * pixelRatio(canvas) < 0.25) continue;
      context.fillRect(from * width, 0, wide > LEAST ? wide - 1.5 : wide, HEIGHT);
    }
    context.fillStyle = inks.ink;
    context.font = `${LETTER}px ${inks.serif}`;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    for (const {id, from, to} of parts) {
      const wide = (to - from) * width;
      if (wide < 9) continue;
      const text = sign(lab.piece(id));
      if (context.measureText(text).width < wide - 2) context.fillText(text, ((from + to) / 2) * width, HEIGHT / 2 + 1);
    }
    pin.style.left = `${seen.number * width}px`;
    words.textContent = drawWords({seed: lab.state.seed, n: seen.n, number: seen.number, piece: lab.piece(seen.drawn), unit: lab.unit()});
  }

  function outlined() {
    const seen = lab.numbers();
    const id = seen && lab.hover !== null ? stage.columns(seen.belief).ids[lab.hover] : undefined;
    const part = parts.find((one) => one.id === id);
    outline.hidden = !part;
    if (!part) return;
    outline.style.left = `${part.from * stage.width}px`;
    outline.style.width = `${(part.to - part.from) * stage.width}px`;
  }

  lab.on((changed) => {
    if (['path', 'settings', 'seed', 'columns', 'theme'].some((name) => changed.has(name))) draw();
    if (['path', 'hover', 'settings', 'columns'].some((name) => changed.has(name))) outlined();
  });
}
