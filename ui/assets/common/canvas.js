/** A canvas whose pixels are the screen's own. */

/** Pixels of the screen to one of CSS; more where a part of the page is enlarged. @param {Element} element @returns {number} */
export function pixelRatio(element) {
  return (window.devicePixelRatio || 1) * (/** @type {{currentCSSZoom?: number}} */ (element).currentCSSZoom ?? 1);
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {number} width in CSS pixels
 * @param {number} height
 * @param {(pixels: Uint32Array, width: number, height: number) => void} fill fills device pixels, 0xAABBGGRR
 */
export function paintCanvas(canvas, width, height, fill) {
  const ratio = pixelRatio(canvas);
  const w = Math.round(width * ratio);
  const h = Math.round(height * ratio);
  if (w < 1 || h < 1) return;
  if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h; }
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  const image = context.createImageData(w, h);
  fill(new Uint32Array(image.data.buffer), w, h);
  context.putImageData(image, 0, 0);
}

/**
 * To draw on anew, in CSS pixels, as sharp as the screen is.
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {number} height
 * @returns {CanvasRenderingContext2D}
 */
export function drawingContext(canvas, width, height) {
  const ratio = pixelRatio(canvas);
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  context.scale(ratio, ratio);
  return context;
}

/** The side of a map's frame: the largest whose cell is a whole number of device pixels, where three or more fit. */
export function frameSide(room, capacity) {
  const ratio = window.devicePixelRatio || 1;
  const cell = Math.floor((room * ratio) / capacity);
  return cell >= 3 ? (cell * capacity) / ratio : Math.floor(room);
}
