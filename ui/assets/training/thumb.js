/** A moment of the story as a small picture: the map that is shown, or else the curve, over the timeline. */
import {paint} from '../attention/raster.js';
import {headMap} from './maps.js';
import {losses, path, place} from './timeline.js';

const SIDE = 110;
/** The picture ends here; the timeline lies below. */
const HIGH = 96;
const AXIS = 103;
const KNOB = 4.5;

/**
 * @param {import('./story.js').Story} story
 * @param {number} at moment
 * @param {number} layer
 * @param {number} head
 * @param {boolean} dark
 * @returns {string} a PNG as a data: URL
 */
export function thumbOf(story, at, layer, head, dark) {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = SIDE;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  const ink = (name) => getComputedStyle(document.body).getPropertyValue(name);
  const line = (d, colour, width) => {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke(new Path2D(d));
  };
  const {step, seen} = story.moments[at];
  const x = (one) => KNOB + place(one, story.last) * (SIDE - 2 * KNOB);
  if (seen) {
    const image = context.createImageData(HIGH, HIGH);
    paint(new Uint32Array(image.data.buffer), HIGH, seen.tokens, headMap(seen, layer, head), {scale: 'sqrt', colours: 'ink', dark});
    context.putImageData(image, 0, 0);
  } else {
    const {low, high} = losses(story.points);
    line(path(story.points, 'val', x, (loss) => 4 + ((high - loss) / (high - low)) * (HIGH - 8)), ink('--gl-blue'), 2);
  }
  line(`M${x(0)} ${AXIS}H${x(story.last)}`, ink('--gl-edge'), 1.5);
  line(`M${x(0)} ${AXIS}H${x(step)}`, ink('--gl-red'), 2);
  context.fillStyle = ink('--gl-red');
  context.fill(new Path2D(`M${x(step) - KNOB} ${AXIS}a${KNOB} ${KNOB} 0 1 0 ${2 * KNOB} 0a${KNOB} ${KNOB} 0 1 0 ${-2 * KNOB} 0`));
  return canvas.toDataURL('image/png');
}
