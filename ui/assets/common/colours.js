/** Colour maps: nine stops, linear between them, 256 entries. Pure: no DOM. The three of other figures are matplotlib's, at nine places. */

/** @typedef {'ink' | 'cividis' | 'viridis' | 'magma' | 'surprise' | 'difference'} MapName */

/** What can be chosen for attention. */
export const CHOICES = /** @type {MapName[]} */ (['ink', 'cividis', 'viridis', 'magma']);

const both = (stops) => ({light: stops, dark: stops});

/** @type {Record<MapName, {light: string, dark: string}>} */
const STOPS = {
  ink: {
    light: '#fcfcfa #bee3ff #87c6ff #5ea7f5 #4486e1 #3666c5 #2e48a2 #262f78 #1b1a4d',
    dark: '#131417 #202652 #293c84 #2e58b0 #3677d3 #4a99eb #71baf9 #a9d9fc #ecf1f4',
  },
  surprise: {
    light: '#fcfcfa #f8ebd6 #f1dbb7 #e8cb9a #dfbb7d #d6ab60 #cc9b3f #c28b07 #b27f00',
    dark: '#131417 #2e2212 #453216 #5d431c #765523 #8f672b #a87b35 #c38e3f #dda24a',
  },
  difference: {
    light: '#5b3600 #955c04 #bb8f5f #dfc4a8 #f9fbfe #bac8e9 #8196cc #4d65ab #20358a',
    dark: '#fbb059 #bc8442 #815a2e #4a341d #131518 #303a54 #516393 #7690d6 #a7c0ff',
  },
  cividis: both('#00224e #123570 #3b496c #575d6d #707173 #8a8678 #a59c74 #c3b369 #fee838'),
  viridis: both('#440154 #472d7b #3b528b #2c728e #21918c #28ae80 #5ec962 #addc30 #fde725'),
  magma: both('#000004 #1d1147 #51127c #832681 #b73779 #e75263 #fc8961 #fec488 #fcfdbf'),
};

/** @type {Map<string, Uint32Array>} */
const tables = new Map();

/**
 * @param {MapName} name
 * @param {boolean} dark
 * @returns {Uint32Array} 256 colours as a canvas has them in memory: 0xAABBGGRR
 */
export function table(name, dark) {
  const key = `${name} ${dark}`;
  const known = tables.get(key);
  if (known) return known;
  const stops = STOPS[name][dark ? 'dark' : 'light'].split(' ').map(channels);
  const made = Uint32Array.from({length: 256}, (_, i) => {
    const at = (i / 255) * (stops.length - 1);
    const k = Math.min(Math.floor(at), stops.length - 2);
    const [r, g, b] = stops[k].map((c, j) => Math.round(c + (stops[k + 1][j] - c) * (at - k)));
    return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
  });
  tables.set(key, made);
  return made;
}

/**
 * @param {MapName} name
 * @param {boolean} dark
 * @param {number} x 0 to 1
 * @returns {string} "rgb(r, g, b)"
 */
export function colour(name, dark, x) {
  const [r, g, b] = rgb(table(name, dark)[toIndex(x)]);
  return `rgb(${r}, ${g}, ${b})`;
}

/** @returns {'#000' | '#fff'} letters on that colour: whichever contrasts more */
export function letters(name, dark, x) {
  const linear = rgb(table(name, dark)[toIndex(x)]).map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  const luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  return (luminance + 0.05) / 0.05 >= 1.05 / (luminance + 0.05) ? '#000' : '#fff';
}

/** The colours of a map: a difference has its own. @param {{signed?: boolean, colours: MapName}} ink @returns {MapName} */
export function coloursOf({signed, colours}) { return signed ? 'difference' : colours; }

function toIndex(x) {
  return Math.max(0, Math.min(255, Math.round(255 * x)));
}

function rgb(packed) {
  return [packed & 255, (packed >> 8) & 255, (packed >> 16) & 255];
}

function channels(hex) {
  return [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
}
