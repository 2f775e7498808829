/** "Export": what is on screen as a picture, a page, numbers, a link, a film. What was done is said. */
import {make} from '../dom.js';
import {viewOf} from './bundle.js';
import {copyText} from '../common/copy.js';
import {saveBlob, saveText} from '../common/download.js';
import {linkTo} from '../common/links.js';
import {describe, figure, sceneOf} from './figure.js';
import {measurer, toDataURL, toPNG} from './figurecanvas.js';
import {sceneFileName, toCSV, toJSON} from './numbers.js';
import {record, recordable} from './record.js';
import {linkState} from './state.js';
import {toSVG} from './svg.js';
import {canMake, makePage} from './whole.js';

const SAID_MS = 6000;
/** A whole map of a long text may still be on its way. */
const WAIT_MS = 5000;

/** @param {import('./app.js').App} app @param {HTMLElement} element @param {{sentence: () => {text: string, mark?: boolean}[]}} options */
export function mount(app, element, {sentence}) {
  const said = make('div', {class: 'ge-export-said', role: 'status'});
  const opener = make('button', {class: 'gl-button', type: 'button', 'aria-haspopup': 'menu', 'aria-expanded': 'false', on: {click: () => show(menu.hidden === true), keydown: openByKey}}, 'Export ▾');
  const menu = make('div', {class: 'ge-menu', role: 'menu', 'aria-label': 'Export', hidden: true, on: {keydown: walkMenu}});
  element.append(opener, menu, said);
  let timer = 0;
  /** @type {ReturnType<typeof record> | null} */ let recording = null;

  const picture = (scale) => async () => saveBlob(await toPNG(drawn(await scene(), scale), scale), sceneFileName(await scene(), scale === 1 ? 'png' : `${scale}x.png`));
  /** @type {[string, string, () => Promise<string> | string][]} */
  const entries = [
    ['Picture', 'PNG, 1440 wide', saved(picture(1))],
    ['Picture, twice as large', 'PNG, 2880 wide', saved(picture(2))],
    ['Picture, four times as large', 'PNG, 5760 wide', saved(picture(4))],
    ['Copy the picture', '', copyPicture],
    ['Drawing', 'SVG, with its text as text', saved(async () => { const now = await scene(); return saveText(toSVG(drawn(now, 1), toDataURL, describe(now)), sceneFileName(now, 'svg'), 'image/svg+xml'); })],
    ...(app.source.live && canMake() ? [/** @type {[string, string, () => Promise<string>]} */ (['One offline page', 'HTML, works with no network', offline])] : []),
    ['Numbers of the map', 'CSV', saved(async () => saveText(toCSV(await scene()), sceneFileName(await scene(), 'csv'), 'text/csv'))],
    ['All numbers', 'JSON', saved(async () => saveText(toJSON(await scene(), app.exact), sceneFileName(await scene(), 'json'), 'application/json'))],
    ...(app.source.live && window.location.protocol !== 'file:' ? [/** @type {[string, string, () => Promise<string>]} */ (['Copy the link', 'this view, to be opened again', copyLink])] : []),
    ['Record Play', 'WebM, a minute at most', film],
  ];
  const items = entries.map(([words, more, act]) => make('button', {class: 'ge-menu-item', type: 'button', role: 'menuitem', tabIndex: -1, on: {click: () => { show(false, true); void run(act); }}},
    make('span', {}, words), make('span', {class: 'ge-aside'}, more)));
  menu.append(...items);

  document.addEventListener('pointerdown', (event) => { if (!menu.hidden && !element.contains(/** @type {Node} */ (event.target))) show(false); });
  element.addEventListener('focusout', (event) => { if (event.relatedTarget && !element.contains(/** @type {Node} */ (event.relatedTarget))) show(false); });

  /** @param {boolean} open @param {boolean} [back] the focus returns to the button */
  function show(open, back = false) {
    menu.hidden = !open;
    opener.setAttribute('aria-expanded', String(open));
    if (open) {
      inside(menu);
      items[0].focus();
    } else if (back) opener.focus();
  }

  function openByKey(event) {
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
    take(event);
    show(true);
    if (event.key === 'ArrowUp') items[items.length - 1].focus();
  }

  function walkMenu(event) {
    const at = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const to = {ArrowDown: (at + 1) % items.length, ArrowUp: (at + items.length - 1) % items.length, Home: 0, End: items.length - 1}[event.key];
    if (to !== undefined) { take(event); items[to].focus(); }
    if (event.key === 'Escape') { take(event); show(false, true); }
    if (event.key === 'Tab') show(false);
  }

  async function run(act) {
    clearTimeout(timer);
    let words;
    try { words = await act(); } catch (error) { words = `That did not work: ${/** @type {Error} */ (error).message}`; }
    say(words);
    timer = window.setTimeout(() => { if (!recording) say(''); }, SAID_MS);
  }

  function say(...words) {
    said.replaceChildren(...words);
    inside(said);
  }

  /** What is on screen, once its map is there. */
  async function scene() {
    const until = performance.now() + WAIT_MS;
    while (app.trace && !app.map() && performance.now() < until) await new Promise((done) => { setTimeout(done, 50); });
    const found = sceneOf(app, sentence());
    if (!found?.map) throw new Error('the map is not on screen yet');
    return found;
  }

  function drawn(now, scale) { return figure(now, measurer(), scale); }

  async function copyPicture() {
    if (!navigator.clipboard?.write || typeof ClipboardItem === 'undefined') return 'This browser copies no pictures here: take the PNG.';
    // The promise goes into the item at once: Safari forgets the click while a picture is drawn.
    const png = scene().then((now) => toPNG(drawn(now, 2), 2));
    try { await navigator.clipboard.write([new ClipboardItem({'image/png': png})]); } catch { return 'The browser refused to copy: take the PNG.'; }
    return 'Copied';
  }

  async function copyLink() {
    const link = await linkTo(linkState(app.state));
    if (!await copyText(link)) return `The browser refused to copy: the link is in the address bar${window.top === window ? '' : ', once the page is open by itself'}.`;
    return link.includes('s=') ? 'Link copied' : 'The text is too long for a link: the link copied is the page’s own';
  }

  async function offline() {
    const now = await scene();
    const {html, said: size} = await makePage(app, [viewOf(app)], {title: `${now.words.name}: GPT, letter by letter`, talk: false, say});
    return `Saved ${saveText(html, sceneFileName(now, 'html'), 'text/html')}, ${size}`;
  }

  async function film() {
    if (recording) return '';
    if (!recordable()) return 'This browser cannot record: its MediaRecorder is missing.';
    recording = record(app, sentence);
    say('Recording … ', make('button', {class: 'gl-link', type: 'button', on: {click: () => recording?.stop()}}, 'Stop'));
    const film_ = await recording.done;
    recording = null;
    if (!film_) return 'There was nothing to record.';
    return `Saved ${saveBlob(film_, sceneFileName(await scene(), film_.type.split('/')[1]))}`;
  }
}

/** What hangs at a button near the edge of a narrow window is moved until it is inside. @param {HTMLElement} element */
function inside(element) {
  element.style.translate = '';
  const {left, right} = element.getBoundingClientRect();
  const room = document.documentElement.clientWidth - 8;
  const by = right > room ? room - right : left < 8 ? 8 - left : 0;
  if (by) element.style.translate = `${by}px`;
}

/** @param {() => Promise<string>} act gives the name of the file */
function saved(act) { return async () => `Saved ${await act()}`; }

function take(event) {
  event.preventDefault();
  event.stopPropagation();
}
