/** The loss curve, which is the timeline of a training: what has been is inked, what comes is grey, the handle is now. */
import {make} from '../dom.js';
import {losses, lossAt, path, place, placeLabels, slots, stepAt} from './timeline.js';

const SVG = 'http://www.w3.org/2000/svg';
/** A line of words is so much higher than their type. */
const LEADING = 17 / 14;
/** The usual size of the lines under the axis. */
const VERSE = 18;

/**
 * @typedef {object} Timeline
 * @property {import('./timeline.js').Point[]} points ascending steps
 * @property {number} last the axis reaches this step
 * @property {number} at where the handle stands
 * @property {string} title beside the handle, in red
 * @property {string} says under it
 * @property {{step: number, words: string}[]} marks dots on the curve of the validation loss
 * @property {{step: number, text: string}[]} verses under the axis
 * @property {boolean} [fixed] the handle cannot be moved
 */

/**
 * @param {object} options
 * @param {(step: number) => void} options.move the handle was dragged to this step, which may lie between two
 * @param {(by: -1 | 1 | 'first' | 'last') => void} options.go the handle's keys: the moment before or after, the first, the last
 * @param {() => void} [options.resized] there is more room, or less
 */
export function createCurve({move, go, resized = () => {}}) {
  const svg = drawn('svg', {class: 'gt-svg', 'aria-hidden': 'true'});
  const fixed = drawn('g', {});
  const past = drawn('clipPath', {id: `gt-past-${Math.random().toString(36).slice(2)}`});
  const pastBox = drawn('rect', {x: 0, y: 0, width: 0, height: 0});
  past.append(pastBox);
  const inked = drawn('g', {'clip-path': `url(#${past.id})`});
  const dots = drawn('g', {});
  const now = drawn('g', {class: 'gt-now'});
  svg.append(drawn('defs', {}), fixed, inked, now, dots);
  /** @type {Element} */ (svg.firstChild).append(past);
  const title = make('b', {class: 'gt-now-title'});
  const says = make('span', {class: 'gt-now-says'});
  const words = make('div', {class: 'gt-now-words', 'aria-hidden': 'true'}, title, says);
  const under = make('div', {class: 'gt-under', 'aria-hidden': 'true'});
  const number = make('b', {class: 'gt-now-number', 'aria-hidden': 'true'});
  const handle = make('div', {class: 'gt-handle', tabIndex: 0, role: 'slider', 'aria-label': 'Step of the training'});
  const plane = make('div', {class: 'gt-plane'}, svg, words, under, number, handle);
  const element = make('div', {class: 'gt-curve-inner'}, plane);
  /** @type {Timeline | null} */ let shown = null;
  let frame = {left: 0, right: 0, top: 0, bottom: 0, width: 0, type: 14, larger: 1};
  let key = '';

  /** @param {number} step */
  const x = (step) => frame.left + place(step, shown?.last ?? 1) * (frame.right - frame.left);

  function measure() {
    const style = getComputedStyle(element);
    const unit = parseFloat(style.getPropertyValue('--gl-unit')) || 1;
    const size = (name, usual) => (parseFloat(style.getPropertyValue(name)) || usual) * unit;
    const width = plane.clientWidth;
    const height = size('--gt-plot', 230);
    frame = {left: size('--gt-left', 34), right: width - size('--gt-right', 94), top: size('--gt-top', 12), bottom: height, width, type: size('--gt-type', 14), larger: size('--gt-verse', VERSE) / VERSE};
    svg.setAttribute('viewBox', `0 0 ${width} ${height + 12}`);
    svg.setAttribute('width', String(width));
    svg.setAttribute('height', String(height + 12));
  }

  /** What the handle's place does not change. @param {Timeline} timeline @param {{low: number, high: number, ticks: number[]}} range */
  function drawFixed({points, marks, verses, last}, range) {
    const y = (loss) => frame.top + ((range.high - loss) / (range.high - range.low)) * (frame.bottom - frame.top);
    const lines = ['train', 'val'].map((name) => path(points, /** @type {'train' | 'val'} */ (name), x, y));
    const ends = ['val', 'train'].map((name) => points.findLast((point) => point[name] !== null)?.[name]).map((loss) => (loss === undefined || loss === null ? null : y(loss)));
    const line = frame.type * LEADING;
    if (ends[0] !== null && ends[1] !== null && Math.abs(ends[0] - ends[1]) < line) {
      const middle = (ends[0] + ends[1]) / 2;
      const [above, below] = ends[0] <= ends[1] ? [0, 1] : [1, 0];
      ends[above] = middle - line / 2;
      ends[below] = middle + line / 2;
    }
    fixed.replaceChildren(
      ...range.ticks.flatMap((loss) => [
        drawn('line', {x1: frame.left, x2: frame.right, y1: y(loss), y2: y(loss), class: 'gt-hair'}),
        text(frame.left - 8, y(loss) + 4.5, loss.toFixed(range.ticks.every((one) => Number.isInteger(one * 10)) ? 1 : 2), 'gt-axis gt-end'),
      ]),
      drawn('line', {x1: frame.left, x2: frame.right, y1: frame.bottom, y2: frame.bottom, class: 'gt-future-axis'}),
      ...lines.map((d) => drawn('path', {d, class: 'gt-line gt-future'})),
      ...(ends[0] === null ? [] : [text(frame.right + 10, ends[0] + 4.5, 'validation', 'gt-name gt-val-name')]),
      ...(ends[1] === null ? [] : [text(frame.right + 10, ends[1] + 4.5, 'training', 'gt-name gt-train-name')]));
    inked.replaceChildren(drawn('path', {d: lines[0], class: 'gt-line gt-train'}), drawn('path', {d: lines[1], class: 'gt-line gt-val'}));

    const found = marks.map((mark) => ({...mark, x: x(mark.step), y: y(lossAt(points, mark.step) ?? range.low), width: widthOf(mark.words)}));
    const places = placeLabels(found, {left: frame.left, right: frame.width, top: frame.top + 30, bottom: frame.bottom - 2, high: line});
    dots.replaceChildren(...found.map((mark, i) => {
      const group = drawn('g', {class: 'gt-mark'});
      const place_ = places[i];
      const dot = drawn('circle', {cx: mark.x, cy: mark.y, r: 5});
      const tip = drawn('title', {});
      tip.textContent = `${mark.words}, from step ${mark.step.toLocaleString('en')}`;
      dot.append(tip);
      group.append(dot, ...(place_ ? [text(place_.x, place_.y, mark.words, `gt-role ${place_.end ? 'gt-end' : ''}`)] : []));
      group.dataset.step = String(mark.step);
      return group;
    }));
    const atEnd = verses.length > 1 && x(verses[verses.length - 1].step) > frame.right - 80;
    const widths = slots(verses.map(({step}) => step), last, frame.right - frame.left, atEnd);
    under.replaceChildren(...verses.map(({step, text: line}, i) => {
      const first = i === 0;
      const end = atEnd && i === verses.length - 1;
      const entry = make('div', {class: `gt-verse ${first ? 'gt-first' : end ? 'gt-last' : ''}`},
        make('span', {class: 'gt-step'}, step.toLocaleString('en')), make('span', {class: 'gt-line-of gl-serif'}, line));
      entry.style.left = `${x(step)}px`;
      entry.style.maxWidth = `${widths[i]}px`;
      entry.dataset.step = String(step);
      return entry;
    }));
    return last;
  }

  /** What the handle's place changes. @param {Timeline} timeline */
  function drawNow({at, last, title: name, says: more, fixed: held}) {
    const here = x(at);
    set(pastBox, {x: 0, y: 0, width: here, height: frame.bottom + 12});
    now.replaceChildren(
      drawn('line', {x1: frame.left, x2: here, y1: frame.bottom, y2: frame.bottom, class: 'gt-red'}),
      drawn('line', {x1: here, x2: here, y1: 0, y2: frame.bottom, class: 'gt-red'}),
      drawn('circle', {cx: here, cy: frame.bottom, r: 9.5, class: 'gt-knob'}));
    for (const group of dots.children) group.classList.toggle('gt-known', Number(/** @type {SVGElement} */ (group).dataset.step) <= at);
    for (const entry of under.children) {
      const step = Number(/** @type {HTMLElement} */ (entry).dataset.step);
      entry.classList.toggle('gt-to-come', step > at);
      entry.classList.toggle('gt-hidden-number', Math.abs(x(step) - here) < 44);
    }
    title.textContent = name;
    says.textContent = more;
    const wide = words.offsetWidth;
    const left = here + 12 + wide > frame.width - 4;
    words.classList.toggle('gt-left', left);
    words.style.transform = `translateX(${Math.round(left ? Math.max(0, here - 12 - wide) : here + 12)}px)`;
    number.textContent = Math.round(at).toLocaleString('en');
    number.style.transform = `translateX(calc(${Math.round(here)}px - 50%))`;
    handle.style.transform = `translate(${Math.round(here)}px, ${frame.bottom}px)`;
    handle.hidden = Boolean(held);
    plane.classList.toggle('gt-held', Boolean(held));
    for (const [attribute, value] of Object.entries({valuemin: 0, valuemax: last, valuenow: at, valuetext: `${name}${more ? `, ${more}` : ''}`})) handle.setAttribute(`aria-${attribute}`, String(value));
  }

  /** @param {Timeline} timeline */
  function draw(timeline) {
    const before = shown;
    shown = timeline;
    if (!plane.clientWidth) { key = ''; return; }
    const style = getComputedStyle(element);
    const size = ['--gt-plot', '--gt-type', '--gl-unit'].reduce((all, name) => `${all} ${style.getPropertyValue(name)}`, String(plane.clientWidth));
    const same = before && key === size && ['points', 'last', 'marks', 'verses'].every((name) => before[name] === timeline[name]);
    if (!same) {
      key = size;
      measure();
      drawFixed(timeline, losses(timeline.points));
    }
    drawNow(timeline);
  }

  const canvas = document.createElement('canvas').getContext('2d');
  function widthOf(words_) {
    if (!canvas) return 7 * words_.length;
    canvas.font = `${frame.type}px ${getComputedStyle(element).fontFamily || 'sans-serif'}`;
    return canvas.measureText(words_).width;
  }

  function drag(event) {
    if (!shown || shown.fixed) return;
    const box = plane.getBoundingClientRect();
    move(stepAt((event.clientX - box.left - frame.left) / (frame.right - frame.left), shown.last));
  }
  plane.addEventListener('pointerdown', (event) => {
    if (event.button !== 0 || !shown || shown.fixed) return;
    try { plane.setPointerCapture(event.pointerId); } catch { /* the pointer is gone already */ }
    drag(event);
    handle.focus({preventScroll: true});
    event.preventDefault();
  });
  plane.addEventListener('pointermove', (event) => { if (plane.hasPointerCapture(event.pointerId)) drag(event); });
  handle.addEventListener('keydown', (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const by = {ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, Home: 'first', End: 'last'}[event.key];
    if (by === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    go(/** @type {-1 | 1 | 'first' | 'last'} */ (by));
  });
  let width = 0;
  new ResizeObserver(() => {
    if (plane.clientWidth === width) return;
    width = plane.clientWidth;
    if (width) resized();
    if (width && shown) draw(shown);
  }).observe(plane);

  return {element, draw, /** @returns {number} pixels of the axis, fewer where the lines under it are larger; 0 while the tab is not in front */ room: () => { if (!plane.clientWidth) return 0; measure(); return (frame.right - frame.left) / frame.larger; }, focus: () => handle.focus({preventScroll: true})};
}

function drawn(name, attributes) {
  const element = document.createElementNS(SVG, name);
  set(element, attributes);
  return element;
}

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
}

function text(x, y, words, name) {
  const element = drawn('text', {x, y, class: name});
  element.textContent = words;
  return element;
}
