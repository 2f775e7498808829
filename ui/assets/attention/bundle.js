/**
 * One HTML file with the explorer and its traces inside: it works from a disk, with no network and no server. The
 * modules are those of the page, as they are; only the names by which they find each other change.
 */
import {shownName} from '../common/ownmodels.js';
import {key} from './embedded.js';
import {pack, toBase64} from '../common/packet.js';
import {packState} from './state.js';
import {escape} from './svg.js';
import {ofAttention} from '../talk/talk.js';

/** @typedef {import('../talk/talk.js').View} View */

const ENTRY = 'attention/offline.js';
const STYLES = ['frame.css', 'views.css', 'common.css', 'attention.css', 'below.css', 'talk.css'];
const POLICY = "default-src 'none'; script-src 'unsafe-inline' data:; style-src 'unsafe-inline'; img-src data: blob:; font-src 'none'; connect-src 'none'";
/** What gradio's page gives every element, and the frame of its own. */
const RESET = `*, ::before, ::after { box-sizing: border-box; }
button, input, select, textarea { margin: 0; }
body { margin: 0; padding: 12px var(--gl-margin) 0; background: var(--gl-page); }
.gl-offline-head { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: baseline; gap: 4px 28px; margin-bottom: 16px; padding-bottom: 8px; border-bottom: 1px solid var(--gl-rule); }`;
/** The effects of all heads take seconds: a file whose server is busy goes without. */
const PATIENCE_MS = 4000;
const IMPORT = /(\bfrom\s*|\bimport\s*\(?\s*)(['"])(\.{1,2}\/[^'"]+)\2/g;

/**
 * @param {import('./app.js').App} app whose server is asked for what the views need
 * @param {View[]} kept at least one; the file opens on the first of those that are of the Attention tab, and has no others
 * @param {{title: string, talk: boolean}} options
 * @returns {Promise<string>} the whole file
 */
export async function offlinePage(app, kept, {title, talk}) {
  const {views, said} = ofAttention(kept);
  if (!views.length) throw new Error('such a file shows views of the Attention tab, and there is none in this talk');
  const root = new URL('..', import.meta.url);
  const [modules, styles, traces] = await Promise.all([
    collect(ENTRY, (path) => read(new URL(path, root))),
    Promise.all(STYLES.map((path) => read(new URL(path, root)))),
    gather(app, views),
  ]);
  return page({title, modules, styles, held: closed({talk, dark: app.dark, info: app.info ?? {}, views, said, traces})});
}

/**
 * A module and all that it imports, by path below the assets.
 * @param {string} entry
 * @param {(path: string) => Promise<string>} load
 * @returns {Promise<Map<string, string>>} path -> source, its imports renamed
 */
export async function collect(entry, load) {
  /** @type {Map<string, string>} */ const found = new Map();
  let wanted = [entry];
  while (wanted.length) {
    const loaded = await Promise.all(wanted.map(async (path) => /** @type {const} */ ([path, await load(path)])));
    for (const [path, source] of loaded) found.set(path, rename(source, path));
    wanted = [...new Set(loaded.flatMap(([path, source]) => imports(source, path)))].filter((path) => !found.has(path));
  }
  return found;
}

/** @param {string} source @param {string} path its own @returns {string[]} paths of what it imports */
export function imports(source, path) {
  const code = source.replace(/\/\*\*[\s\S]*?\*\//g, ''); // types are imported in comments
  return [...code.matchAll(IMPORT)].map((match) => resolve(match[3], path));
}

/** @param {string} source @param {string} path its own @returns {string} with relative names made those of the import map */
export function rename(source, path) {
  return source.replace(IMPORT, (_, before, quote, name) => `${before}${quote}${named(resolve(name, path))}${quote}`);
}

/**
 * @param {{title: string, modules: Map<string, string>, styles: string[], held: object}} parts
 * @returns {string}
 */
export function page({title, modules, styles, held}) {
  const map = Object.fromEntries([...modules].map(([path, source]) => [named(path), `data:text/javascript;base64,${toBase64(new TextEncoder().encode(source))}`]));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<style>
${[RESET, ...styles].join('\n').replaceAll('</', '<\\/')}
</style>
<script type="importmap">${inScript({imports: map})}</script>
</head>
<body>
<main id="gl-offline"><noscript>This page draws with JavaScript, which is off here.</noscript></main>
<script type="application/json" id="gl-held">${inScript(held)}</script>
<script type="module">import '${named(ENTRY)}';</script>
</body>
</html>
`;
}

/** JSON that may stand in a script element: no "</script>", no "<!--". */
export function inScript(value) {
  return JSON.stringify(value).replaceAll('<', '\\u003c').replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}

/**
 * The traces that the views show, each once: of the text, of the same with no head silenced, of the second text.
 * @param {import('./app.js').App} app
 * @param {View[]} views
 * @returns {Promise<import('./embedded.js').Held[]>}
 */
async function gather(app, views) {
  /** @type {Map<string, import('./embedded.js').Held>} */ const held = new Map();
  const shown = JSON.stringify([app.state.model, app.trace?.text]);
  for (const [i, {state}] of views.entries()) {
    const {model, text, silenced, second} = {...app.state, silenced: [], second: '', ...state};
    // Tokens that were written need not be those that the text would be cut into.
    const asked = shown === JSON.stringify([model, text]) ? {model, tokens: app.request().tokens} : {model, text};
    const {entry, header} = await hold(app, held, {...asked, silenced}, text);
    await holdDetails(app, entry, header, {average: 'head', layer: 0, head: 0, pin: null, ...state}, i === 0);
    if (silenced.length) await hold(app, held, {...asked, silenced: []}, text);
    if (second) await hold(app, held, {model, text: second, silenced}, second);
  }
  return [...held.values()];
}

/** Ask for a trace, unless it is held already. */
async function hold(app, held, request, text) {
  const {header, blocks} = await app.source.trace(request);
  const tokens = [...(header.before ?? []), ...header.ids];
  const name = JSON.stringify([request.model, key(request.silenced), tokens]);
  let entry = held.get(name);
  if (!entry) {
    entry = {model: request.model, silenced: request.silenced, texts: [header.text], tokens, packet: toBase64(await pack({header: {...header, model: shownName(header.model ?? '')}, blocks})), rows: [], maps: []};
    held.set(name, entry);
  }
  if (!entry.texts.includes(text)) entry.texts.push(text);
  return {entry, header};
}

/** The exact row of the view's pin; a full map where the trace holds thumbnails; the effects of the first view. */
async function holdDetails(app, entry, {start, tokens, side}, {average, layer, head, pin}, first) {
  const request = {model: entry.model, tokens: entry.tokens, silenced: entry.silenced};
  const position = pin !== null && pin >= start && pin < start + tokens ? pin - start : tokens - 1;
  if (!entry.rows.some((row) => row.position === position)) entry.rows.push({position, packet: toBase64(await pack(await app.source.row({...request, position})))});
  if (side) entry.maps.push({kind: average, layer, head, packet: toBase64(await pack(await app.source.map({...request, kind: average, layer, head})))});
  if (first && !side) entry.effects = await inTime(app.source.effects(request));
}

/** A file is for others: a visitor's own model is named in it without what opens it. */
function closed(held) {
  return JSON.parse(JSON.stringify(held, (name, value) => (name === 'model' && typeof value === 'string' ? shownName(value) : value)));
}

/** What is good to have but not worth a long wait: undefined when it does not come. */
async function inTime(promise) {
  const late = new Promise((done) => { setTimeout(done, PATIENCE_MS); });
  return Promise.race([promise, late]).catch(() => undefined);
}

/** @param {import('./app.js').App} app @returns {View} what is on screen, as a view of a talk */
export function viewOf(app) {
  const {caption, ...state} = app.state;
  return {tab: 'attention', state: {...packState({...state, caption: ''}), model: state.model}, caption, says: '', thumb: ''};
}

async function read(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url.pathname.split('/').pop()} cannot be read: ${answer.status}`);
  return answer.text();
}

function named(path) { return `gl/${path}`; }

function resolve(name, path) { return new URL(name, `http://x/${path}`).pathname.slice(1); }
