/** The branches of the text, as a tree: a line for each, the one on the screen red; a click walks there, "compare" marks what is another there. */
import {make} from '../dom.js';
import {places} from './branches.js';
import {desk} from './desk.js';

const ROW = 34;
const INDENT = 40;
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

  function draw() {
    const {tree, compared} = desk.state;
    const found = places(tree);
    part.hidden = found.length < 2;
    said.textContent = desk.state.said;
    if (part.hidden) return;
    const width = box.clientWidth || 380;
    lines.setAttribute('width', String(width));
    lines.setAttribute('height', String(found.length * ROW + 4));
    const start = (depth) => Math.min(depth, 4) * INDENT + 5;
    const strokes = [];
    for (const {branch, depth, row, parentRow} of found) {
      const y = row * ROW + 26.5;
      const here = branch.id === tree.current;
      const x = start(depth);
      if (parentRow >= 0) {
        const top = parentRow * ROW + 26.5;
        const from = x - 26;
        strokes.push(path(`M${from} ${top} V${y - 14} Q${from} ${y} ${from + 18} ${y} H${width - 2}`, here, false));
      } else {
        strokes.push(path(`M${x} ${y} H${width - 2}`, here, false));
      }
    }
    const dots = found.filter(({parentRow}) => parentRow < 0).map(({row, depth}) => dot(start(depth), row * ROW + 26.5));
    for (const {forks, depth, row} of found) if (forks.length) dots.push(dot(start(depth + 1) - 26, row * ROW + 26.5));
    lines.replaceChildren(...strokes.sort((a, b) => Number(a.classList.contains('gp-here')) - Number(b.classList.contains('gp-here'))), ...dots);
    list.replaceChildren(...found.map(({branch, depth, label}) => {
      const here = branch.id === tree.current;
      const walk = make('button', {class: 'gp-branch', type: 'button', 'aria-current': String(here), title: here ? 'On the screen' : 'Show this text', on: {click: () => desk.actions.walk(branch.id)}}, label || '…');
      const compare = make('button', {class: 'gl-link gp-compare', type: 'button', 'aria-pressed': String(compared === branch.id), title: 'Mark in the text on the screen what is another there', on: {click: () => desk.set({compared: compared === branch.id ? null : branch.id})}}, compared === branch.id ? 'stop' : 'compare');
      const item = make('li', {class: here ? 'gp-on' : ''}, walk, ...(here ? [] : [compare]));
      item.style.paddingLeft = `${start(depth) + (depth ? 8 : 10)}px`;
      return item;
    }));
  }

  desk.on((changed) => {
    if (['tree', 'compared', 'said'].some((name) => changed.has(name))) draw();
  });
  new ResizeObserver(draw).observe(box);
  draw();
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
