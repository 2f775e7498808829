/** What bench/browser.py runs inside the page: an object of three measurements. Times in milliseconds, sizes in bytes. */
({
  /** A text that fills the window: from the question to painted maps, then what each change costs the page's thread. */
  async explore({changes, text}) {
    const app = document.querySelector('#gl-attention .ge').explorer;
    const median = (numbers) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
    const painted = () => new Promise((go) => requestAnimationFrame(() => {
      const {port1, port2} = new MessageChannel(); // its message comes after the frame
      port1.onmessage = go;
      port2.postMessage(0);
    }));
    const traced = () => new Promise((go) => {
      const off = app.on((changed) => { if (changed.has('trace')) { off(); go(); } });
    });
    const traces = [];
    for (let i = 1; i <= 7; i++) {
      const began = performance.now();
      const done = traced();
      app.set({text: text.slice(i) + text.slice(0, i)});
      await done;
      await painted();
      traces.push(performance.now() - began);
    }
    // Scripts, style and layout of one change.
    const work = (change) => median(Array.from({length: changes}, (_, i) => {
      const began = performance.now();
      change(i);
      app.flush();
      document.body.offsetHeight;
      return performance.now() - began;
    }));
    const {tokens, layers, heads, start} = app.trace;
    const pin = work((i) => app.set({pin: ((37 * i) % tokens) + start}));
    const hover = work((i) => app.point({row: (41 * i) % tokens}));
    app.point(null);
    const head = work((i) => app.set({layer: i % layers, head: (3 * i) % heads}));
    performance.clearMeasures();
    work((i) => app.set({scale: ['linear', 'sqrt', 'log'][i % 3]}));
    const thumbnails = median(performance.getEntriesByName('ge:thumbnails').map((entry) => entry.duration));
    const answers = performance.getEntriesByType('resource').filter((entry) => entry.name.endsWith('/ask/trace'));
    const wire = Math.max(...answers.map((entry) => entry.encodedBodySize));
    return {trace: median(traces), pin, hover, head, thumbnails, wire, maps: layers * heads, tokens};
  },

  /** Many heads over a long window: the longest task while it is traced, looked through, hovered and drawn as arcs. */
  async long({text}) {
    const app = document.querySelector('#gl-attention .ge').explorer;
    const tasks = [];
    const watch = new PerformanceObserver((list) => tasks.push(...list.getEntries().map((entry) => entry.duration)));
    watch.observe({type: 'longtask'});
    const wait = (ms) => new Promise((go) => setTimeout(go, ms));
    const settled = async () => {
      for (let i = 0; i < 300 && (app.map() === null || app.busy); i++) await wait(100);
      await wait(300);
    };
    app.set({text});
    for (let i = 0; i < 600 && app.trace.tokens !== text.length; i++) await wait(100);
    await settled();
    for (const [layer, head] of [[3, 4], [11, 11], [0, 7]]) { app.set({layer, head}); await settled(); }
    for (const scale of ['log', 'row', 'sqrt']) { app.set({scale}); await settled(); }
    for (let i = 0; i < 30; i++) { app.point({row: (97 * i) % app.trace.tokens}); await wait(30); }
    app.set({view: 'arcs'});
    await settled();
    return {longest: Math.max(0, ...tasks), maps: app.trace.layers * app.trace.heads, tokens: app.trace.tokens};
  },

  /** The Sampling tab: the work of the page from a slider that moves to painted bars, and what the server is asked meanwhile. */
  slide() {
    const {laboratory} = document.querySelector('#gl-sampling .gs');
    const asked = performance.getEntriesByType('resource').length;
    const times = [];
    for (const [name, from, step] of [['temperature', 0, 0.1], ['top-p', 0.3, 0.02], ['repetition-penalty', 1, 0.05]]) {
      const input = document.getElementById(`gs-${name}`);
      for (let i = 0; i < 20; i++) {
        input.value = String(from + i * step);
        const began = performance.now();
        input.dispatchEvent(new Event('input', {bubbles: true}));
        laboratory.flush();
        document.body.offsetHeight;
        times.push(performance.now() - began);
      }
    }
    times.sort((a, b) => a - b);
    return {median: times[times.length / 2], longest: times.at(-1), asked: performance.getEntriesByType('resource').length - asked};
  },
});
