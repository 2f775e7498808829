/** What a figure is drawn with: inks, type, and the primitives. Pure: no DOM. */

/** The inks of frame.css: a picture stands where no style sheet is. */
export const INKS = {
  light: {
    page: '#fcfcfa', ink: '#1a1a1e', ink2: '#53535c', ink3: '#6b6b75', edge: '#8b8b92', mark: '#919197', rule: '#dededa',
    red: '#b3201c', blue: '#35509f', ochre: '#995f00',
  },
  dark: {
    page: '#131417', ink: '#eceae4', ink2: '#b7b5af', ink3: '#96948f', edge: '#74757c', mark: '#6a6b72', rule: '#2e2f35',
    red: '#ff7c68', blue: '#8aa4f0', ochre: '#dfa23c',
  },
};

export const FAMILIES = {
  serif: '"Iowan Old Style", "Palatino Linotype", Palatino, "URW Palladio L", P052, "Noto Serif", Georgia, "DejaVu Serif", serif',
  sans: '-apple-system, "Segoe UI", Roboto, "Noto Sans", Cantarell, Ubuntu, "Liberation Sans", "DejaVu Sans", sans-serif',
};

/** @typedef {{family: 'serif' | 'sans', size: number, weight?: number, italic?: boolean}} Font */
/** @typedef {(text: string, font: Font) => number} Measure width in units of the figure */

/**
 * What a figure is made of. `runs` is a line of text whose every piece has its place; `apart`: its letters do not depend on
 * their neighbours. `pixels` are 0xAABBGGRR, as a canvas has them in memory.
 * @typedef {{kind: 'rect', x: number, y: number, w: number, h: number, fill?: string, stroke?: string, width?: number, radius?: number, dash?: number[], opacity?: number}
 *   | {kind: 'path', d: string, stroke: string, width: number, dash?: number[], opacity?: number}
 *   | {kind: 'text', x: number, y: number, text: string, font: Font, fill: string, align?: 'start' | 'middle' | 'end', rotate?: number, strike?: boolean}
 *   | {kind: 'runs', y: number, runs: {x: number, w?: number, text: string, fill?: string}[], font: Font, fill: string, apart: boolean}
 *   | {kind: 'image', x: number, y: number, w: number, h: number, pixels: Uint32Array, columns: number, rows: number, opacity?: number}} Item
 */

/** @typedef {{width: number, height: number, page: string, title: string, items: Item[]}} Figure */

/** @param {number} size @param {Partial<Font>} [more] @returns {Font} */
export function serif(size, more) { return {family: 'serif', size, ...more}; }

/** @param {number} size @param {Partial<Font>} [more] @returns {Font} */
export function sans(size, more) { return {family: 'sans', size, ...more}; }

/** A list of primitives, and the few ways in which it grows. */
export class Sheet {
  constructor() { /** @type {Item[]} */ this.items = []; }
  rect(x, y, w, h, more) { this.items.push({kind: 'rect', x, y, w, h, ...more}); }
  line(x1, y1, x2, y2, stroke, width = 1, more = {}) { this.path(`M${round(x1)},${round(y1)} L${round(x2)},${round(y2)}`, stroke, width, more); }
  path(d, stroke, width, more = {}) { this.items.push({kind: 'path', d, stroke, width, ...more}); }
  text(x, y, text, font, fill, more = {}) { this.items.push({kind: 'text', x, y, text, font, fill, ...more}); }
  runs(y, runs, font, fill, apart) { if (runs.length) this.items.push({kind: 'runs', y, runs, font, fill, apart}); }
  image(x, y, w, h, pixels, columns, rows, more = {}) { this.items.push({kind: 'image', x, y, w, h, pixels, columns, rows, ...more}); }
}

/** Two places are enough on any screen. */
export function round(value) { return Math.round(value * 100) / 100; }

/**
 * Words broken into lines no wider than a measure.
 * @param {{text: string, mark?: boolean}[]} parts
 * @param {Font} font
 * @param {number} width
 * @param {Measure} measure
 * @returns {{x: number, w: number, text: string, mark: boolean}[][]} for each line its words, each with the space after it
 */
export function breakLines(parts, font, width, measure) {
  /** @type {{x: number, w: number, text: string, mark: boolean}[][]} */ const lines = [[]];
  let x = 0;
  for (const {text, mark = false} of parts) {
    for (const word of text.match(/\S+\s*|\s+/g) ?? []) {
      if (x > 0 && x + measure(word.trimEnd(), font) > width) { lines.push([]); x = 0; }
      const w = measure(word, font);
      lines[lines.length - 1].push({x, w, text: word, mark});
      x += w;
    }
  }
  return lines;
}
