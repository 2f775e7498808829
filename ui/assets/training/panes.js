/** What it wrote then, the attention of a line then, what the heads did then. */
import {diagonalWords, lineStarts} from '../attention/axes.js';
import {chooseTab, pressHeads} from '../attention/roving.js';
import {frameSide} from '../common/canvas.js';
import {verse} from '../common/verse.js';
import {headName, number, short} from '../common/words.js';
import {make} from '../dom.js';
import {headMap, paintHead} from './maps.js';
import {roleAt, rolesAt, wayOf} from './story.js';

/** @param {import('./teller.js').Teller} teller @param {HTMLElement} element */
export function mountPanes(teller, element) {
  const wrote = pane('gt-wrote', 'What it wrote');
  const then = pane('gt-then', 'Its attention');
  const heads = pane('gt-heads', 'What the heads do');
  const text = make('div', {class: 'gt-text gl-serif', role: 'region', 'aria-label': 'What it wrote then'});
  wrote.element.append(text);

  const canvas = /** @type {HTMLCanvasElement} */ (make('canvas', {class: 'gt-cells', 'aria-hidden': 'true'}));
  const words = make('div', {class: 'gt-diagonal gl-serif', 'aria-hidden': 'true'});
  const role = make('div', {class: 'gt-role-name gl-serif'});
  const way = make('div', {class: 'gt-way'});
  const reading = make('div', {class: 'gt-reading'});
  const plane = make('div', {class: 'gt-plane-of-map', role: 'img'}, canvas, words, make('div', {class: 'gt-corner', 'aria-hidden': 'true'}, role, way, make('div', {class: 'gt-scale'}, 'square root scale'), reading));
  then.element.append(plane);

  const grid = make('div', {class: 'gt-grid', role: 'group', 'aria-label': 'All heads, one row a layer'});
  const list = make('dl', {class: 'gt-list'});
  heads.element.append(make('div', {class: 'gt-heads-room'}, grid, list));
  const missing = make('p', {class: 'gt-missing gl-serif'});
  element.append(wrote.element, then.element, heads.element, missing);

  /** @type {{button: HTMLElement, canvas: HTMLCanvasElement, layer: number, head: number}[]} */ let cells = [];
  let shape = '';
  let side = 0;
  let thumb = 0;
  let tokens = 0;
  // Only what pressing heads needs of an explorer: there is nothing to silence in what has been.
  const press = {
    get trace() { return teller.story; }, set: ({layer, head}) => teller.choose(layer, head), point: (head) => teller.point(head), toggleSilenced() {},
  };
  pressHeads(/** @type {any} */ (press), grid, () => cells.map((cell) => cell.button));

  plane.addEventListener('pointermove', read);
  plane.addEventListener('pointerdown', read);
  plane.addEventListener('pointerleave', () => { reading.replaceChildren(); });

  function drawText() {
    const {story} = teller;
    const moment = teller.moment();
    wrote.say(`What it wrote after ${(moment?.step ?? 0).toLocaleString('en')} ${moment?.step === 1 ? 'step' : 'steps'}`,
      story?.prompt ? `prompt “${story.prompt.trim()}”, always the same seed` : 'from a line break, always the same seed');
    text.replaceChildren(...verse([{text: moment?.sample ?? ''}]));
  }

  function drawMap() {
    const {story} = teller;
    const seen = teller.moment()?.seen;
    if (!story || !seen || !side) return;
    const {layer, head} = teller.shown();
    paintHead(canvas, side, seen, layer, head, teller.dark);
    const now = roleAt(story, teller.at, layer, head);
    then.say(`Head ${headName(layer, head)} then`, 'the same line, always');
    role.textContent = now.words;
    role.classList.toggle('gt-none', !now.found);
    way.textContent = wayOf(story, teller.at, layer, head);
    plane.setAttribute('aria-label', `Attention of head ${headName(layer, head)} after ${seen ? teller.moment()?.step.toLocaleString('en') : 0} steps, on the line ${story.line.replace(/\s+/g, ' ')}: ${now.words}, ${way.textContent}`);
  }

  /** Only where lines begin: in half a map there is little room. */
  function drawWords() {
    const seen = teller.moment()?.seen;
    if (!seen || !side) return;
    const cell = side / seen.tokens;
    const starts = lineStarts(seen.pieces);
    words.replaceChildren(...diagonalWords(/** @type {any} */ (seen), starts, cell, side, true, 12).map(({t, text: line}) => {
      const word = make('span', {}, line);
      word.style.transform = `translate(${Math.round(t * cell + cell + 8)}px, ${Math.round(t * cell - 6 + (t === 0 ? 6 : 0))}px)`;
      return word;
    }));
  }

  /** What the pointer is on, in words. */
  function read(event) {
    const seen = teller.moment()?.seen;
    if (!seen || !side) return;
    const box = canvas.getBoundingClientRect();
    const row = Math.floor(((event.clientY - box.top) / side) * seen.tokens);
    const column = Math.floor(((event.clientX - box.left) / side) * seen.tokens);
    if (row < 0 || column < 0 || row >= seen.tokens || column > row) { reading.replaceChildren(); return; }
    const {layer, head} = teller.shown();
    const map = headMap(seen, layer, head);
    const letter = (t) => make('b', {class: 'gl-serif'}, short(seen.pieces[t]));
    reading.replaceChildren(letter(row), ' looks at ', letter(column), ` ${number(map.values[(row * (row + 1)) / 2 + column])}`);
  }

  function build() {
    const {layers, heads: count} = /** @type {import('./story.js').Story} */ (teller.story);
    cells = Array.from({length: layers * count}, (_, i) => {
      const one = /** @type {HTMLCanvasElement} */ (make('canvas', {'aria-hidden': 'true'}));
      return {button: make('button', {class: 'ge-thumb', type: 'button'}, one), canvas: one, layer: Math.floor(i / count), head: i % count};
    });
    grid.style.setProperty('--ge-heads', String(count));
    grid.replaceChildren(...cells.map((cell) => cell.button));
  }

  /** @returns {boolean} something has another size now */
  function size() {
    const {story} = teller;
    if (!story || !element.parentElement?.clientWidth) return false;
    const before = `${side} ${thumb} ${tokens}`;
    const style = getComputedStyle(element);
    const unit = parseFloat(style.getPropertyValue('--gl-unit')) || 1;
    const most = (name, usual) => (parseFloat(style.getPropertyValue(name)) || usual) * unit;
    tokens = teller.moment()?.seen?.tokens ?? 0;
    side = frameSide(Math.min(then.element.clientWidth, most('--gt-map', 330)), Math.max(1, tokens));
    plane.style.setProperty('--gt-side', `${side}px`);
    const room = grid.parentElement?.clientWidth ?? 0;
    const gap = story.heads > 6 ? 3 : 4;
    const wide = (Math.min(most('--gt-grid', 214), room) - gap * (story.heads - 1)) / story.heads;
    const high = (most('--gt-map', 330) - gap * (story.layers - 1)) / story.layers;
    thumb = Math.max(10, Math.floor(Math.min(wide, Math.max(high, 16), 84)));
    grid.style.setProperty('--ge-thumb', `${thumb}px`);
    grid.style.setProperty('--ge-gap', `${gap}px`);
    return before !== `${side} ${thumb} ${tokens}`;
  }

  function drawThumbs() {
    const seen = teller.moment()?.seen;
    if (!seen || !thumb) return;
    for (const {canvas: one, layer, head} of cells) paintHead(one, thumb, seen, layer, head, teller.dark);
  }

  function drawRoles() {
    const {story} = teller;
    if (!story || !teller.moment()?.seen) return;
    const {found, groups} = rolesAt(story, teller.at);
    const all = story.layers * story.heads;
    heads.say('What the heads do', found ? `${found} of ${all} ${found === 1 ? 'has' : 'have'} a role` : `none of ${all} has a role yet`);
    for (const {button, layer, head} of cells) {
      const now = roleAt(story, teller.at, layer, head);
      const name = headName(layer, head);
      button.classList.toggle('gt-without', !now.found);
      button.classList.toggle('ge-chosen', layer === teller.layer && head === teller.head);
      button.classList.toggle('ge-hovered', layer === teller.hover?.layer && head === teller.hover?.head);
      button.setAttribute('aria-label', `Head ${name}: ${now.found ? `${now.words} ${now.score.toFixed(2)}` : 'no role yet'}`);
      button.setAttribute('aria-pressed', String(layer === teller.layer && head === teller.head));
      button.title = `Head ${name}: ${now.words}, ${wayOf(story, teller.at, layer, head)}`;
    }
    chooseTab(cells.map((cell) => cell.button), teller.layer * story.heads + teller.head);
    list.replaceChildren(...groups.flatMap(({short: name, now, soon}) => [
      make('dt', {class: now.length ? '' : 'gt-none'}, name),
      make('dd', {}, now.join(' '), ...(soon.length ? [make('span', {class: 'gt-none'}, `${now.length ? ' ' : ''}${soon.join(' ')}${now.length ? ' soon' : ', soon'}`)] : [])),
    ]));
    list.classList.toggle('gt-many', groups.length > 5);
  }

  teller.on((changed) => {
    const has = (...names) => names.some((name) => changed.has(name));
    const {story} = teller;
    if (has('story', 'error')) {
      element.classList.toggle('gt-without-maps', !story?.moments[0]?.seen);
      missing.textContent = story?.note ?? '';
      missing.hidden = !story?.note;
      text.hidden = wrote.element.hidden = !story?.moments.length;
    }
    if (!story) return;
    const now = `${story.layers} ${story.heads}`;
    const built = now !== shape || (has('story') && !cells.length);
    if (built && story.moments[0]?.seen) { build(); shape = now; }
    const sized = has('story', 'size', 'theme') && size();
    if (has('story', 'at')) drawText();
    if (has('story', 'at', 'head', 'hover', 'theme') || sized) drawMap();
    if (has('story') || sized) drawWords();
    if (has('story', 'at', 'theme') || sized || built) drawThumbs();
    if (has('story', 'at', 'head', 'hover') || built) drawRoles();
  });
  let wide = 0;
  const whole = /** @type {HTMLElement} */ (element.parentElement); // on a phone the panes are no box of their own
  new ResizeObserver(() => {
    if (whole.clientWidth === wide) return;
    wide = whole.clientWidth;
    if (wide) teller.touch('size');
  }).observe(whole);
}

/** A figure under its own heading. @param {string} name @param {string} title */
function pane(name, title) {
  const heading = make('b', {}, title);
  const aside = make('span', {class: 'ge-aside'});
  const element = make('section', {class: name, 'aria-label': title}, make('h2', {class: 'ge-heading'}, heading, ' ', aside));
  return {element, say(words, more) { heading.textContent = words; aside.textContent = more; }};
}
