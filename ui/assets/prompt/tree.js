/** The branches of the text, as a tree: a line for each, the one on the screen red; a click walks there, "compare" marks what is another there. */
import {make} from '../dom.js';
import {places} from './branches.js';
import {desk} from './desk.js';

/** Heights of a branch: a finger needs more. */
const ROW = window.matchMedia('(pointer: coarse)').matches ? 44 : 34;
/** From its foot to its line. */
const FOOT = 7.5;
const SVG = 'http://www.w3.org/2000/svg';

/** @param {HTMLElement} holder */
export function mountTree(holder) {
  const title = make('h2', {class: 'gp-heading'}, 'Branches');
  const lines = document.createElementNS(SVG, 'svg');
  lines.setAttribute('aria-hidden', 'true');
  const list = make('ul', {class: 'gp-tree-list', 'aria-label': 'Branches'});
  const box = make('div', {class: 'gp-tree-box'}, /** @type {any} */ (lines), list);
  const said = make('p', {class: 'gp-said', 'aria-live': 'polite'});
  const part = make('div', {class: 'gp-tree', hidden: true}, title, box, said);
  holder.append(part);
  /** The branch that was last brought into view. @type {number | null} */ let seen = null;

  function draw() {
    const {tree, compared} = desk.state;
    const width = box.clientWidth || 380;
    const found = places(tree, width);
    part.hidden = found.length < 2;
    said.textContent = desk.state.said;
    if (part.hidden) return;
    lines.setAttribute('width', String(width));
    lines.setAttribute('height', String(found.length * ROW + 4));
    const y = (row) => (row + 1) * ROW - FOOT;
    const strokes = found.flatMap(({x, row, from, onPath}) => {
      const way = from ? `M${from.x} ${y(from.row)} ${curve(from.x, y(from.row), x, y(row))}` : `M${x} ${y(row)}`;
      const whole = path(`${way} H${width - 2}`, onPath === Infinity);
      return onPath === null || onPath === Infinity ? [whole] : [whole, path(`${way} H${onPath}`, true)];
    });
    const dots = found.flatMap(({x, row, from, forks}) => [...(from ? [] : [x]), ...forks.map((fork) => fork.x)].map((at) => dot(at, y(row))));
    const red = (line) => Number(line.classList.contains('gp-here'));
    lines.replaceChildren(...strokes.sort((a, b) => red(a) - red(b)), ...dots);
    list.replaceChildren(...found.map(({branch, labelX, label}) => {
      const here = branch.id === tree.current;
      const walk = make('button', {class: 'gp-branch', type: 'button', 'aria-current': String(here), title: here ? 'On the screen' : 'Show this text', on: {click: () => desk.actions.walk(branch.id)}}, make('span', {}, label || '…'));
      const on = compared === branch.id;
      const compare = make('button', {class: 'gl-link gp-compare', type: 'button', 'aria-pressed': String(on), title: 'Mark in the text on the screen what is another there', on: {click: () => desk.set({compared: on ? null : branch.id})}}, on ? 'stop' : 'compare');
      const item = make('li', {class: here ? 'gp-on' : ''}, walk, ...(here ? [] : [compare]));
      Object.assign(item.style, {paddingLeft: `${labelX}px`, height: `${ROW}px`});
      return item;
    }));
    if (tree.current === seen) return;
    seen = tree.current;
    const at = found.findIndex(({branch}) => branch.id === seen) * ROW; // of many, the one on the screen is among those that are seen
    if (at < box.scrollTop || at + ROW > box.scrollTop + box.clientHeight) box.scrollTop = at - (box.clientHeight - ROW) / 2;
  }

  desk.on((changed) => {
    if (['tree', 'compared', 'said'].some((name) => changed.has(name))) draw();
  });
  new ResizeObserver(draw).observe(box);
  draw();
}

/** From a line down to another: straight where it is far, then a bend. */
function curve(x0, y0, x1, y1) {
  const top = y1 - ROW;
  return `${top > y0 ? `V${top} ` : ''}C${x0 + (top > y0 ? 0 : 16)} ${top > y0 ? y1 - 8 : y0} ${x0 + 12} ${y1} ${x1} ${y1}`;
}

function path(d, here) {
  const line = document.createElementNS(SVG, 'path');
  line.setAttribute('d', d);
  line.setAttribute('class', here ? 'gp-line gp-here' : 'gp-line');
  return line;
}

function dot(x, y) {
  const circle = document.createElementNS(SVG, 'circle');
  for (const [name, value] of Object.entries({cx: x, cy: y, r: 4})) circle.setAttribute(name, String(value));
  return circle;
}
