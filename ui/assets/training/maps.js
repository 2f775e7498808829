/** The attention of the story's line, painted. */
import {mapOf} from '../attention/maps.js';
import {paint} from '../attention/raster.js';
import {paintCanvas} from '../common/canvas.js';

/** @param {import('./story.js').Seen} seen @param {number} layer @param {number} head @returns {import('../attention/maps.js').AttentionMap} */
export function headMap(seen, layer, head) {
  return mapOf(/** @type {any} */ (seen), {average: 'head', layer, head});
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {number} side in CSS pixels
 * @param {import('./story.js').Seen} seen
 * @param {number} layer
 * @param {number} head
 * @param {boolean} dark
 */
export function paintHead(canvas, side, seen, layer, head, dark) {
  paintCanvas(canvas, side, side, (pixels, w) => paint(pixels, w, seen.tokens, headMap(seen, layer, head), {scale: 'sqrt', colours: 'ink', dark}));
}
