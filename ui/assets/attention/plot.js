/** Layout of a scatter: dots that hide each other are moved apart a little, labels stand where there is room. Pure: no DOM. */

/** @typedef {{x: number, y: number}} Point */
/** @typedef {{i: number, x: number, y: number, anchor: 'start' | 'end' | 'middle'}} Label x, y: of its baseline */

/**
 * Dots that would lie on one another, moved to the nearest free place around.
 * @param {Point[]} points
 * @param {number} apart the least distance between two
 * @returns {Point[]}
 */
export function dodge(points, apart) {
  /** @type {Point[]} */ const placed = [];
  for (const point of points) {
    let at = point;
    for (let k = 1; k < 400 && placed.some((other) => (other.x - at.x) ** 2 + (other.y - at.y) ** 2 < apart ** 2 - 1e-9); k++) {
      const angle = k * 2.399963; // the golden angle: a spiral that fills evenly
      const far = (apart / 2) * Math.sqrt(k);
      at = {x: point.x + far * Math.cos(angle), y: point.y + far * Math.sin(angle)};
    }
    placed.push(at);
  }
  return placed;
}

/**
 * The dots worth a label: those that stand alone and far out, the farthest out first.
 * @param {Point[]} points from 0 to 1
 * @param {number} most
 * @returns {number[]}
 */
export function outliers(points, most) {
  const alone = (i) => Math.min(...points.map((p, j) => (i === j ? Infinity : Math.hypot(p.x - points[i].x, p.y - points[i].y))));
  return points.map((p, i) => ({i, out: Math.max(p.x, p.y) + Math.min(0.3, alone(i))}))
    .filter(({i, out}) => out > 0.4 && Math.max(points[i].x, points[i].y) > 0.15)
    .sort((a, b) => b.out - a.out).slice(0, most).map(({i}) => i);
}

/**
 * Labels beside their dots, none over a dot or another label; one that finds no place is left out.
 * @param {Point[]} dots in pixels
 * @param {{i: number, text: string}[]} wanted the most important first
 * @param {{width: number, height: number, radius: number, size: number}} frame
 * @returns {Label[]}
 */
export function placeLabels(dots, wanted, {width, height, radius, size}) {
  const taken = dots.map(({x, y}) => box(x - radius, y - radius, 2 * radius, 2 * radius));
  /** @type {Label[]} */ const labels = [];
  for (const {i, text} of wanted) {
    const {x, y} = dots[i];
    const wide = 0.58 * size * text.length;
    const gap = radius + 5;
    /** @type {[number, number, Label['anchor']][]} */
    const places = [[x + gap, y + 0.35 * size, 'start'], [x - gap, y + 0.35 * size, 'end'], [x, y - gap, 'middle'], [x, y + gap + 0.75 * size, 'middle']];
    for (const [atX, atY, anchor] of places) {
      const left = anchor === 'start' ? atX : anchor === 'end' ? atX - wide : atX - wide / 2;
      const around = box(left, atY - 0.8 * size, wide, size);
      if (around.left < 0 || around.right > width || around.top < 0 || around.bottom > height) continue;
      if (taken.some((other) => meet(around, other))) continue;
      taken.push(around);
      labels.push({i, x: atX, y: atY, anchor});
      break;
    }
  }
  return labels;
}

function box(left, top, width, height) {
  return {left, top, right: left + width, bottom: top + height};
}

function meet(a, b) {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

/** @param {number} most of the scores shown @returns {number} where the axis ends: a quarter, a half, three quarters or 1 */
export function axisEnd(most) {
  return Math.min(1, Math.max(0.25, Math.ceil(most * 4 - 1e-9) / 4));
}
