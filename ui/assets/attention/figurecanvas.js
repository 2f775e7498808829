/** A figure on a canvas, as a PNG, and the pixels of a map as a PNG of their own. */
import {FAMILIES} from './figureink.js';

/** The x-height that the page gives its serif, whichever font the machine has (font-size-adjust). */
const SERIF_HEIGHT = 0.469;
/** Above it a browser may refuse the canvas. */
const MOST_PIXELS = 120_000_000;

let adjustment = 0;

/** @returns {import('./figureink.js').Measure} */
export function measurer() {
  const context = /** @type {CanvasRenderingContext2D} */ (document.createElement('canvas').getContext('2d'));
  return (text, font) => {
    setFont(context, font);
    return context.measureText(text).width;
  };
}

/**
 * @param {HTMLCanvasElement} canvas its size becomes that of the figure
 * @param {import('./figureink.js').Figure} figure
 * @param {number} scale
 */
export function draw(canvas, {width, height, page, items}, scale) {
  if (width * height * scale * scale > MOST_PIXELS) throw new Error(`a picture of ${Math.round(width * scale)} by ${Math.round(height * scale)} is larger than a browser draws`);
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.fillStyle = page;
  context.fillRect(0, 0, width, height);
  for (const item of items) {
    context.save();
    context.globalAlpha = ('opacity' in item ? item.opacity : undefined) ?? 1;
    DRAWN[item.kind](context, item);
    context.restore();
  }
}

/** @param {import('./figureink.js').Figure} figure @param {number} scale @returns {Promise<Blob>} */
export async function toPNG(figure, scale) {
  const canvas = document.createElement('canvas');
  draw(canvas, figure, scale);
  return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('the browser could not make a PNG'))), 'image/png'));
}

/** @type {import('./svg.js').ToDataURL} */
export function toDataURL(pixels, columns, rows) {
  return bitmap(pixels, columns, rows).toDataURL('image/png');
}

const DRAWN = {
  rect(context, {x, y, w, h, fill, radius = 0, ...line}) {
    context.beginPath();
    context.roundRect(x, y, w, h, radius);
    if (fill) { context.fillStyle = fill; context.fill(); }
    if (line.stroke) stroke(context, line);
  },
  path(context, {d, ...line}) { stroke(context, line, new Path2D(d)); },
  image(context, {x, y, w, h, pixels, columns, rows}) {
    context.imageSmoothingEnabled = false;
    context.drawImage(bitmap(pixels, columns, rows), x, y, w, h);
  },
  runs(context, {y, runs, font, fill, apart}) {
    setFont(context, font);
    context.fontKerning = apart ? 'none' : 'auto';
    for (const run of runs) {
      context.fillStyle = run.fill ?? fill;
      context.fillText(run.text, run.x, y);
    }
  },
  text(context, {x, y, text, font, fill, align = 'start', rotate, strike}) {
    setFont(context, font);
    context.fillStyle = fill;
    context.textAlign = align === 'middle' ? 'center' : align;
    context.translate(x, y);
    if (rotate) context.rotate((rotate * Math.PI) / 180);
    context.fillText(text, 0, 0);
    if (!strike) return;
    const w = context.measureText(text).width;
    context.fillRect(align === 'end' ? -w : align === 'middle' ? -w / 2 : 0, -font.size * 0.3, w, Math.max(1, font.size / 14));
  },
};

function stroke(context, {stroke: colour, width = 1, dash}, path) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.setLineDash(dash ?? []);
  if (path) context.stroke(path);
  else context.stroke();
}

function bitmap(pixels, columns, rows) {
  const canvas = document.createElement('canvas');
  canvas.width = columns;
  canvas.height = rows;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  const image = context.createImageData(columns, rows);
  new Uint32Array(image.data.buffer).set(pixels);
  context.putImageData(image, 0, 0);
  return canvas;
}

function setFont(context, {family, size, weight = 400, italic = false}) {
  const adjusted = family === 'serif' ? size * serifAdjustment(context) : size;
  context.font = `${italic ? 'italic ' : ''}${weight} ${adjusted}px ${FAMILIES[family]}`;
}

/** A canvas knows no font-size-adjust: how much larger or smaller this machine's serif must be set. */
function serifAdjustment(context) {
  if (!adjustment) {
    context.font = `100px ${FAMILIES.serif}`;
    const height = context.measureText('x').actualBoundingBoxAscent / 100;
    adjustment = height > 0.2 ? SERIF_HEIGHT / height : 1;
  }
  return adjustment;
}
