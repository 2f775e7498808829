/** The one x axis of the three figures: which characters have a column, and where it stands. */
import {pixelRatio} from '../common/canvas.js';
import {columnsOf, sharesOf} from './numbers.js';

/** More tokens than this are never all shown. */
const ALL_UP_TO = 256;
const SHOWN_OF_MANY = 50;
const SHOWN_WHERE_NARROW = 20;
/** Narrower columns take the letters' room, CSS pixels. */
const NARROW = 9;
const PHONE = 600;
const PROJECTOR = 1150;

/**
 * How many columns of one token there is room for.
 * @param {number} size of the vocabulary
 * @param {number} width CSS pixels
 * @param {boolean} all they were asked for, however narrow
 */
export function columnsFor(size, width, all) {
  if (size > ALL_UP_TO) return width < PHONE ? SHOWN_WHERE_NARROW : SHOWN_OF_MANY;
  return all || width >= PHONE || width / size >= NARROW ? size : SHOWN_WHERE_NARROW;
}

/** @param {import('./lab.js').Lab} lab @param {HTMLElement} element whose width the figures have */
export function createStage(lab, element) {
  /** @type {{key: unknown[], columns: import('./numbers.js').Columns} | null} */ let known = null;

  const stage = {
    width: 0,
    /** All columns were asked for where there is room for few. */
    all: false,
    /** The figures are presented: all of them stand on one screen. */
    presented: false,

    narrow() { return stage.width < PHONE; },

    /** Height of the bars on each side. */
    room() { return stage.presented ? 118 : stage.width < PHONE ? 130 : stage.width < PROJECTOR ? 150 : 200; },

    /** Height of a row of the heatmap. */
    rowHeight() { return stage.presented ? 10 : stage.width < PROJECTOR ? 13 : 17; },

    /** @param {boolean} all */
    showAll(all) { stage.all = all; lab.touch('columns'); },

    /** There are tokens without a column of their own that could have one. */
    holdsBack() {
      const size = lab.path?.vocabSize ?? 0;
      return columnsFor(size, stage.width, true) > columnsFor(size, stage.width, false);
    },

    /** @param {import('./numbers.js').Belief} belief @returns {import('./numbers.js').Columns} */
    columns(belief) {
      const most = columnsFor(belief.p.length, stage.width, stage.all);
      const key = [belief, most];
      if (!known || key.some((part, i) => part !== known?.key[i])) known = {key, columns: columnsOf(belief, most)};
      return known.columns;
    },

    /** @param {import('./numbers.js').Belief} belief @param {Float64Array} p */
    shares(belief, p) { return sharesOf(stage.columns(belief), p); },

    /** @returns {number} of columns on the figures */
    count() {
      const seen = lab.numbers();
      if (!seen) return 0;
      const {ids, others} = stage.columns(seen.belief);
      return ids.length + Number(others > 0);
    },

    /** Left edge of a column, on whole pixels of the screen. @param {number} column @param {number} [count] */
    edge(column, count = stage.count()) {
      const ratio = pixelRatio(element);
      return Math.round((column * stage.width * ratio) / count) / ratio;
    },

    /** The column at a pointer. @param {PointerEvent} event */
    under(event) {
      const {left, width} = element.getBoundingClientRect();
      const column = Math.floor(((event.clientX - left) / width) * stage.count());
      return column >= 0 && column < stage.count() ? column : null;
    },

    /** Look at a column; null for none. @param {number | null} column */
    point(column) {
      if (column === lab.hover) return;
      lab.hover = column;
      lab.touch('hover');
    },
  };

  new ResizeObserver(() => {
    if (!element.clientWidth || element.clientWidth === stage.width) return;
    stage.width = element.clientWidth;
    lab.touch('columns');
  }).observe(element);
  return stage;
}

/** @typedef {ReturnType<typeof createStage>} Stage */
