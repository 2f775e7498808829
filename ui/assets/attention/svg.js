/** A figure as SVG, with its text as text. Pure: no DOM; the pixels of maps are encoded by what is passed in. */
import {FAMILIES, round} from './figureink.js';

/** What XML 1.0 does not allow, however it is written: control characters, halves of pairs, two that are none. */
const FORBIDDEN = /[\0-\x08\x0B\x0C\x0E-\x1F\x7F-\x84\x86-\x9F\uFFFE\uFFFF]|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;
const ESCAPES = {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\'': '&#39;', '\t': '&#9;', '\n': '&#10;', '\r': '&#13;'};

/** @typedef {import('./figureink.js').Item} Item */
/** @typedef {(pixels: Uint32Array, columns: number, rows: number) => string} ToDataURL a PNG as a data: URL */

/** @param {string} text @returns {string} as it may stand in an element or an attribute */
export function escape(text) {
  return text.replace(FORBIDDEN, '\uFFFD').replace(/[&<>"'\t\n\r]/g, (c) => ESCAPES[c]);
}

/**
 * @param {import('./figureink.js').Figure} figure
 * @param {ToDataURL} toDataURL
 * @param {string} [description] for whoever cannot see it
 * @returns {string}
 */
export function toSVG(figure, toDataURL, description = '') {
  const {width, height, page, title, items} = figure;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escape(title)}</title>`,
    `<desc>${escape(description)}</desc>`,
    `<style>.serif{font-family:${FAMILIES.serif};font-size-adjust:0.469}.sans{font-family:${FAMILIES.sans};font-variant-numeric:tabular-nums lining-nums}text{white-space:pre}.apart{font-kerning:none;font-variant-ligatures:none}.cells{image-rendering:pixelated}</style>`,
    `<rect width="${width}" height="${height}" fill="${page}"/>`,
    ...items.map((item) => element(item, toDataURL)),
    '</svg>',
    '',
  ].join('\n');
}

/** @param {Item} item @param {ToDataURL} toDataURL */
function element(item, toDataURL) {
  if (item.kind === 'rect') {
    const {x, y, w, h, fill = 'none', radius} = item;
    return `<rect${attributes({x, y, width: w, height: h, fill, rx: radius, ...stroke(item)})}/>`;
  }
  if (item.kind === 'path') return `<path${attributes({d: item.d, fill: 'none', ...stroke(item)})}/>`;
  if (item.kind === 'image') {
    const {x, y, w, h, pixels, columns, rows, opacity} = item;
    return `<image class="cells"${attributes({x, y, width: w, height: h, preserveAspectRatio: 'none', opacity, href: toDataURL(pixels, columns, rows)})}/>`;
  }
  if (item.kind === 'runs') { // textLength: whichever serif is there, a run keeps its place
    const {y, runs, font, fill, apart} = item;
    const spans = runs.map((run) => `<tspan${attributes({x: run.x, textLength: run.w, fill: run.fill})}>${escape(run.text)}</tspan>`);
    return `<text xml:space="preserve" class="${font.family}${apart ? ' apart' : ''}"${attributes({y, fill, ...type(font)})}>${spans.join('')}</text>`;
  }
  const {x, y, text, font, fill, align = 'start', rotate, strike} = item;
  return `<text xml:space="preserve" class="${font.family}"${attributes({
    x, y, fill, ...type(font), 'text-anchor': align === 'start' ? undefined : align,
    'text-decoration': strike ? 'line-through' : undefined, transform: rotate ? `rotate(${rotate} ${round(x)} ${round(y)})` : undefined,
  })}>${escape(text)}</text>`;
}

function stroke({stroke: colour, width, dash, opacity}) {
  return {stroke: colour, 'stroke-width': colour ? width : undefined, 'stroke-dasharray': dash?.join(' '), opacity};
}

function type({size, weight, italic}) {
  return {'font-size': size, 'font-weight': weight, 'font-style': italic ? 'italic' : undefined};
}

function attributes(values) {
  return Object.entries(values).filter(([, value]) => value !== undefined && value !== '')
    .map(([name, value]) => ` ${name}="${typeof value === 'number' ? round(value) : escape(String(value))}"`).join('');
}
