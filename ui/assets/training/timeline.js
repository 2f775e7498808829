/** The loss curve as a timeline: where steps and losses lie, and what is written beside them. Pure: no DOM. */

/** Steps up to this one have as much room as those up to ten times it, and so on. */
const EVEN = 10;

/**
 * @typedef {object} Point
 * @property {number} step updates made
 * @property {number | null} train loss in nats a token, or null where it was not measured
 * @property {number | null} val
 */

/** @param {number} step @param {number} last @returns {number} 0 to 1: steps lie on a log scale that has a zero */
export function place(step, last) {
  if (last <= 0) return 0;
  return Math.log1p(Math.max(0, Math.min(step, last)) / EVEN) / Math.log1p(last / EVEN);
}

/** @param {number} x 0 to 1 @param {number} last @returns {number} the step there */
export function stepAt(x, last) {
  return EVEN * Math.expm1(Math.max(0, Math.min(1, x)) * Math.log1p(last / EVEN));
}

/** @param {number[]} steps ascending @param {number} step @param {number} last @returns {number} which of them is nearest on the axis; -1 of none */
export function nearest(steps, step, last) {
  let best = -1;
  let least = Infinity;
  steps.forEach((one, i) => {
    const away = Math.abs(place(one, last) - place(step, last));
    if (away < least) { least = away; best = i; }
  });
  return best;
}

/**
 * @param {Point[]} points
 * @returns {{low: number, high: number, ticks: number[]}} the losses that are shown, and the lines among them
 */
export function losses(points) {
  const all = points.flatMap(({train, val}) => [train, val]).filter((loss) => loss !== null && Number.isFinite(loss));
  if (!all.length) return {low: 0, high: 1, ticks: []};
  const least = Math.min(.../** @type {number[]} */ (all));
  const most = Math.max(.../** @type {number[]} */ (all));
  const span = Math.max(most - least, 0.05 * most, 0.01);
  const low = Math.max(0, least - 0.2 * span);
  const by = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10].find((step) => span / step <= 4) ?? 20;
  const ticks = [];
  for (let i = Math.ceil((low + 0.12 * span) / by); i * by <= most + 1e-9; i++) ticks.push(Number((i * by).toFixed(2)));
  return {low, high: most + 0.04 * span, ticks};
}

/**
 * @param {Point[]} points
 * @param {'train' | 'val'} name
 * @param {(step: number) => number} x
 * @param {(loss: number) => number} y
 * @returns {string} a line through those that were measured, as SVG has it
 */
export function path(points, name, x, y) {
  return points.filter((point) => point[name] !== null)
    .map((point, i) => `${i ? 'L' : 'M'}${x(point.step).toFixed(1)} ${y(/** @type {number} */ (point[name])).toFixed(1)}`).join('');
}

/** @param {Point[]} points @param {number} step @returns {number | null} the validation loss there, between two that were measured */
export function lossAt(points, step) {
  const known = points.filter((point) => point.val !== null);
  const after = known.findIndex((point) => point.step >= step);
  if (after < 0) return known.at(-1)?.val ?? null;
  const [a, b] = [known[Math.max(0, after - 1)], known[after]];
  const share = b.step > a.step ? (place(step, b.step) - place(a.step, b.step)) / (1 - place(a.step, b.step)) : 1;
  return /** @type {number} */ (a.val) + share * (/** @type {number} */ (b.val) - /** @type {number} */ (a.val));
}

/**
 * Steps for the axis: the first and the last, and as many between them as have room.
 * @param {number[]} steps that could be named, ascending
 * @param {number} last
 * @param {number} width of the axis
 * @param {number} room that each needs
 * @returns {number[]}
 */
export function milestones(steps, last, width, room) {
  if (!steps.length) return [];
  const count = Math.max(2, Math.floor(width / room) + 1);
  /** @type {number[]} */ const found = [];
  for (let i = 0; i < count; i++) {
    const step = steps[nearest(steps, stepAt(i / (count - 1), last), last)];
    const before = found.at(-1);
    if (before === undefined || (place(step, last) - place(before, last)) * width >= 0.7 * room) found.push(step);
  }
  const end = steps[steps.length - 1];
  while (found.length > 1 && found.at(-1) !== end && (place(end, last) - place(/** @type {number} */ (found.at(-1)), last)) * width < 0.9 * room) found.pop();
  if (found.at(-1) !== end) found.push(end);
  return found;
}

/**
 * How wide the words under each milestone may be: the first begins at its place, the last ends there, the others stand
 * in the middle over theirs.
 * @param {number[]} steps ascending
 * @param {number} last
 * @param {number} width of the axis
 * @param {boolean} [ends] the last one stands at the end of the axis
 * @returns {number[]} pixels
 */
export function slots(steps, last, width, ends = true) {
  const APART = 12;
  const at = steps.map((step) => place(step, last) * width);
  const end = steps.length - 1;
  // Between two neighbours the border is half way, but nearer to the middle one where the other has one side only.
  const borders = at.slice(1).map((x, i) => at[i] + (x - at[i]) * (i === 0 ? 0.55 : ends && i + 1 === end ? 0.45 : 0.5));
  return at.map((x, i) => {
    const left = i === 0 ? x : x - borders[i - 1];
    const right = i === end ? (ends ? 0 : width - x) : borders[i] - x;
    const room = i === 0 ? right : i === end && ends ? left : 2 * Math.min(left, right);
    return Math.max(30, Math.floor(room - APART));
  });
}

/**
 * @typedef {object} Label
 * @property {number} x of what it names
 * @property {number} y
 * @property {number} width of its words
 */

/**
 * Words beside the dots of a falling curve: above it to the right, else below it to the left, else higher or lower;
 * where there is no room they are left out.
 * @param {Label[]} labels from left to right
 * @param {{left: number, right: number, top: number, bottom: number, high: number}} room and how high a line of words is
 * @returns {({x: number, y: number, end: boolean} | null)[]} where each begins, or ends, and its base line
 */
export function placeLabels(labels, {left, right, top, bottom, high}) {
  /** @type {{left: number, right: number, top: number, bottom: number}[]} */
  const taken = labels.map(({x, y}) => ({left: x - 7, right: x + 7, top: y - 7, bottom: y + 7}));
  return labels.map(({x, y, width}) => {
    const candidates = [
      {x: x + 4, y: y - 12, end: false}, {x: x - 4, y: y + high + 10, end: true}, {x: x + 4, y: y - 12 - high, end: false},
      {x: x - 4, y: y + 2 * high + 10, end: true},
    ];
    for (const one of candidates) {
      const box = {left: one.end ? one.x - width : one.x, right: one.end ? one.x : one.x + width, top: one.y - high + 3, bottom: one.y + 3};
      if (box.left < left || box.right > right || box.top < top || box.bottom > bottom) continue;
      if (taken.some((other) => box.left < other.right && other.left < box.right && box.top < other.bottom && other.top < box.bottom)) continue;
      taken.push(box);
      return one;
    }
    return null;
  });
}

/**
 * A line of what was written, to stand under the axis.
 * @param {string} text @param {number} [most] characters
 * @returns {string} empty where nothing can be seen
 */
export function verseOf(text, most = 28) {
  const lines = text.split('\n').map((line) => line.trim().replace(/\s+/g, ' '));
  const line = lines.find((one) => one.length >= 6 && !/^[A-Z' ]+:$/.test(one)) ?? lines.find(Boolean) ?? '';
  if (line.length <= most) return line;
  const cut = line.slice(0, most + 1);
  const space = cut.lastIndexOf(' ');
  return space > most / 2 ? cut.slice(0, space) : cut.slice(0, most);
}

/** @param {number} seconds @returns {string} "52 minutes", "2 min 10 s", "48 s" */
export function duration(seconds) {
  const whole = Math.round(seconds);
  if (whole < 60) return `${seconds < 10 ? Number(seconds.toFixed(1)) : whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.round((whole % 3600) / 60)} min`;
}
