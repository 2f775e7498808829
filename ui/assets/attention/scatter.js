/** All heads by two scores of choice: the one that stands out is found at a glance, and a click selects it. */
import {make} from '../dom.js';
import {axisEnd, dodge, outliers, placeLabels} from './plot.js';
import {chooseTab, pressHeads} from './roving.js';
import {headName, number} from '../common/words.js';

const SVG = 'http://www.w3.org/2000/svg';
/** Upward stands the first of these that some head really has. */
const UPWARD = ['induction', 'same', 'some', 'first', 'line', 'word'];
const FOUND = 0.25;
/** Pixels between the frame and the first dot. */
const MARGIN = 12;
const LABELS = 9;

/** @param {import('./app.js').App} app @param {HTMLElement} element */
export function mount(app, element) {
  element.classList.add('ge-scatter');
  const chosen = {x: '', y: ''};
  const selects = {x: choice('x', 'Score to the right'), y: choice('y', 'Score upward')};
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('role', 'group');
  svg.setAttribute('class', 'ge-scatter-plot');
  const says = make('p', {class: 'ge-says'});
  const ends = {x: make('span', {class: 'ge-small'}), y: make('span', {class: 'ge-small'})};
  element.append(
    make('div', {class: 'ge-headline'}, make('h2', {class: 'ge-heading'}, 'All heads by two scores'), make('span', {class: 'ge-aside'}, 'a click selects')),
    make('div', {class: 'ge-scatter-frame'}, make('div', {class: 'ge-scatter-top'}, ends.y, selects.y.wrapper), svg,
      make('div', {class: 'ge-scatter-foot'}, make('span', {class: 'ge-small'}, '0'), selects.x.wrapper, ends.x)),
    says,
    make('p', {class: 'ge-aside'}, 'A score tells where a head looks on average, measured on a text of its own. 1 is always, 0 is never, or no more than chance.'),
  );
  /** @type {SVGGElement[]} */ let dots = [];
  let laid = '';
  /** Of the section: asked once, for asking makes the browser lay the page out. */ let wide = 0;
  pressHeads(app, svg, () => dots);

  function choice(axis, label) {
    const select = /** @type {HTMLSelectElement} */ (make('select', {class: 'gl-link', 'aria-label': label, on: {change: () => { chosen[axis] = select.value; lay(); mark(); }}}));
    return {select, wrapper: make('span', {class: 'gl-choice'}, select)};
  }

  /** What a score is called. @param {string} score */
  function nameOf(score) { return app.trace?.scores[score] ?? score; }

  /** The scores that this model's heads have. */
  function options() {
    const found = Object.keys(app.role(0, 0)?.scores ?? {});
    for (const [axis, {select}] of Object.entries(selects)) {
      if (!found.includes(chosen[axis])) chosen[axis] = axis === 'x' ? 'previous' : upward(app.trace?.roles ?? []);
      if ([...select.options].map((o) => o.value).join() !== found.join()) {
        select.replaceChildren(...found.map((name) => make('option', {value: name}, nameOf(name))));
      }
      select.value = chosen[axis];
    }
  }

  function lay() {
    const {trace} = app;
    const width = wide;
    if (!trace || !trace.roles.length || !width) return;
    options();
    const height = Math.round(Math.min(300, Math.max(220, 0.62 * width)));
    const heads = trace.roles.flatMap((row, layer) => row.map((role, head) => ({layer, head, x: role.scores[chosen.x] ?? 0, y: role.scores[chosen.y] ?? 0})));
    const end = {x: axisEnd(Math.max(...heads.map((h) => h.x))), y: axisEnd(Math.max(...heads.map((h) => h.y)))};
    const radius = heads.length > 60 ? 4 : 5.5;
    const exact = heads.map((h) => ({x: MARGIN + (h.x / end.x) * (width - 2 * MARGIN), y: height - MARGIN - (h.y / end.y) * (height - 2 * MARGIN)}));
    const points = dodge(exact, 1.1 * radius);
    const {layer, head} = app.state;
    const now = layer * trace.heads + head;
    const named = [now, ...outliers(heads.map((h) => ({x: h.x / end.x, y: h.y / end.y})), LABELS).filter((i) => i !== now)];
    const labels = placeLabels(points, named.map((i) => ({i, text: headName(heads[i].layer, heads[i].head)})), {width, height, radius, size: 14});
    dots = heads.map((h, i) => dotOf(h, points[i], radius, labels.find((label) => label.i === i)));
    svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    svg.setAttribute('height', String(height));
    svg.setAttribute('aria-label', `All heads by ${nameOf(chosen.x)} and ${nameOf(chosen.y)}`);
    svg.replaceChildren(draw('path', {class: 'ge-scatter-axes', d: `M0.5,0 V${height - 0.5} H${width}`}), ...dots);
    ends.x.textContent = String(end.x);
    ends.y.textContent = String(end.y);
    says.textContent = scoreSentence(heads, nameOf(chosen.x), nameOf(chosen.y));
    laid = key();
  }

  function key() { return [app.trace?.id, chosen.x, chosen.y, app.state.layer, app.state.head, wide].join(' '); }

  function dotOf({layer, head, x, y}, point, radius, label) {
    const name = headName(layer, head);
    const dot = /** @type {SVGGElement} */ (draw('g', {class: 'ge-dot', role: 'button', 'aria-label': `Head ${name}: ${nameOf(chosen.x)} ${number(x)}, ${nameOf(chosen.y)} ${number(y)}`}));
    const title = draw('title', {});
    title.textContent = dot.getAttribute('aria-label');
    const text = draw('text', label ? {x: label.x, y: label.y, 'text-anchor': label.anchor} : {x: point.x, y: Math.max(12, point.y - radius - 5), 'text-anchor': 'middle', class: 'ge-dot-hidden'});
    text.textContent = name;
    dot.append(title, draw('circle', {class: 'ge-dot-room', cx: point.x, cy: point.y, r: radius + 4}), draw('circle', {class: 'ge-dot-mark', cx: point.x, cy: point.y, r: radius}), text);
    return dot;
  }

  function mark() {
    const {trace, state, hover} = app;
    if (!trace || !dots.length) return;
    const silenced = new Set(state.silenced.map(([l, h]) => headName(l, h)));
    dots.forEach((dot, i) => {
      const layer = Math.floor(i / trace.heads);
      const head = i % trace.heads;
      const here = layer === state.layer && head === state.head;
      dot.setAttribute('class', `ge-dot${here ? ' ge-chosen' : ''}${silenced.has(headName(layer, head)) ? ' ge-off' : ''}${layer === hover.layer && head === hover.head ? ' ge-hovered' : ''}`);
      dot.setAttribute('aria-pressed', String(here));
    });
    chooseTab(dots, state.layer * trace.heads + state.head);
  }

  app.on((changed) => {
    if (!app.trace) return;
    if (laid !== key()) {
      const focused = dots.findIndex((dot) => dot === document.activeElement);
      lay();
      mark();
      if (focused >= 0) dots[focused]?.focus(); // it was drawn anew under the finger
    } else if (['trace', 'hover', 'silenced'].some((name) => changed.has(name))) mark();
  });
  new ResizeObserver(() => {
    wide = element.clientWidth;
    if (wide && laid !== key()) { lay(); mark(); }
  }).observe(element);
}

/** @param {import('./wire.js').Role[][]} roles @returns {string} the score that stands upward at first */
export function upward(roles) {
  const scores = roles.flat().map((role) => role.scores);
  return UPWARD.find((name) => scores.some((of) => of[name] >= FOUND)) ?? UPWARD[0];
}

/** @param {{layer: number, head: number, x: number, y: number}[]} heads @returns {string} who is first in either score */
export function scoreSentence(heads, xName, yName) {
  const best = (axis, name) => {
    const head = heads.reduce((a, b) => (b[axis] > a[axis] ? b : a));
    return `${headName(head.layer, head.head)} in ${name}, with ${number(head[axis])}`;
  };
  return xName === yName ? `Highest: ${best('x', xName)}.` : `Highest: ${best('y', yName)}; ${best('x', xName)}.`;
}

function draw(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}
