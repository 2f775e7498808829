/** Play as a film: each step's figure on a canvas, recorded by the browser. */
import {figure, sceneOf} from './figure.js';
import {draw, measurer} from './figurecanvas.js';

const WIDTH = 1280;
const MOST_MS = 60_000;
/** The last figure stands for so long, or the film ends before it is seen. */
const HELD_MS = 700;
const TYPES = ['video/webm;codecs=vp9', 'video/webm;codecs=vp8', 'video/webm', 'video/mp4'];

/** @returns {string} what this browser can record; empty for nothing */
export function recordable() {
  if (typeof MediaRecorder === 'undefined' || !HTMLCanvasElement.prototype.captureStream) return '';
  return TYPES.find((type) => MediaRecorder.isTypeSupported(type)) ?? '';
}

/**
 * Play, and record it until it ends, `stop` is called, or a minute has passed.
 * @param {import('./app.js').App} app
 * @param {() => {text: string, mark?: boolean}[]} sentence
 * @returns {{stop: () => void, done: Promise<Blob | null>}} null when there was nothing to record
 */
export function record(app, sentence) {
  const type = recordable();
  const measure = measurer();
  const film = document.createElement('canvas');
  const page = document.createElement('canvas');
  const shot = () => {
    const scene = sceneOf(app, sentence());
    if (!scene) return;
    const drawn = figure(scene, measure, 1);
    const scale = WIDTH / drawn.width;
    draw(page, drawn, scale);
    if (!film.width || film.width !== WIDTH) { film.width = WIDTH; film.height = 2 * Math.round((page.height + 40) / 2); } // codecs like even sizes
    const context = /** @type {CanvasRenderingContext2D} */ (film.getContext('2d'));
    context.fillStyle = drawn.page;
    context.fillRect(0, 0, film.width, film.height);
    context.drawImage(page, 0, 0);
  };
  shot();
  if (!type || film.width !== WIDTH) return {stop() {}, done: Promise.resolve(null)};
  const recorder = new MediaRecorder(film.captureStream(30), {mimeType: type, videoBitsPerSecond: 6_000_000});
  /** @type {Blob[]} */ const parts = [];
  recorder.addEventListener('dataavailable', (event) => { if (event.data.size) parts.push(event.data); });
  let ending = false;
  const stop = () => {
    if (ending) return;
    ending = true;
    clearTimeout(limit);
    app.play(false);
    shot();
    setTimeout(() => { off(); recorder.stop(); }, HELD_MS);
  };
  const off = app.on((changed) => {
    if (['trace', 'layer', 'head', 'pin', 'view', 'scale', 'average', 'exact'].some((name) => changed.has(name))) shot();
    if (changed.has('playing') && !app.playing) stop();
  });
  const limit = setTimeout(stop, MOST_MS);
  const done = new Promise((resolve) => recorder.addEventListener('stop', () => resolve(new Blob(parts, {type: type.split(';')[0]}))));
  recorder.start(500);
  shot(); // what was drawn before the stream existed is not in it
  app.play(true);
  if (!app.playing) stop();
  return {stop, done};
}
