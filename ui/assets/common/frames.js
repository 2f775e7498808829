/** What has changed, drawn once a frame by whoever shows it. No DOM but timers and animation frames. */

/** @typedef {(changed: Set<string>) => void} Draw called once a frame, with the names of what has changed */

/** @param {{slice?: number}} [options] slice: milliseconds of one frame's drawing at most before the page gets a breath */
export function createFrames({slice = Infinity} = {}) {
  /** @type {Set<Draw>} */ const views = new Set();
  /** @type {Set<string>} */ let changed = new Set();
  /** Views that have not yet been drawn of the last change. @type {(() => void)[]} */ let pending = [];
  let frame = 0;
  let timer = 0;

  /** Draw. A frame that takes long is divided: with many heads or a long text the page stays awake in between. */
  function draw() {
    cancelAnimationFrame(frame);
    frame = 0;
    drain();
    const now = changed;
    changed = new Set();
    if (now.size) pending = [...views].map((view) => () => view(now));
    drawSome();
  }

  function drawSome() {
    clearTimeout(timer);
    const until = performance.now() + slice;
    while (pending.length && performance.now() < until) pending.shift()?.();
    if (pending.length) timer = window.setTimeout(drawSome);
  }

  function drain() { while (pending.length) pending.shift()?.(); }

  return {
    /** @param {Draw} view @returns {() => void} it is drawn no more */
    on(view) { views.add(view); return () => { views.delete(view); }; },

    /** @param {...string} names of what has changed */
    touch(...names) {
      for (const name of names) changed.add(name);
      if (!frame) frame = requestAnimationFrame(draw);
    },

    /** Draw what has changed now, all of it, not in the next frame. */
    flush() { draw(); drain(); },
  };
}
