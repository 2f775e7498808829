/** What bench/thinking.py runs in a page with nothing on it: an object of measurements. Times in milliseconds, speeds in characters a second. */
({
  /** A model ready to be asked: `where` it thinks, a worker or this thread. */
  async load({file, where, kernels}) {
    const gpt = await import('/assets/gpt.js');
    const bytes = await (await fetch(file)).arrayBuffer();
    const size = bytes.byteLength;
    const began = performance.now();
    window.thinker?.close();
    window.thinker = await gpt.start(bytes, {kernels, name: 'shakespeare', ...(where === 'worker' ? {} : {worker: () => null})});
    return {load: performance.now() - began, kernels: thinker.about.kernels, notice: thinker.about.notice, bytes: size};
  },

  /** Texts that pass through two windows, as the page shows them; and the longest time in which the page could do nothing else. */
  async write({characters, runs}) {
    const speeds = [];
    const tasks = [];
    const watch = new PerformanceObserver((list) => tasks.push(...list.getEntries().map((entry) => entry.duration)));
    watch.observe({type: 'longtask'});
    for (let seed = 0; seed <= runs; seed++) {
      const began = performance.now();
      for await (const {status} of thinker.write({prompt: 'ROMEO:', settings: {temperature: 0.8}, count: characters, seed})) if (status === 'done') break;
      if (seed) speeds.push((1000 * characters) / (performance.now() - began)); // the first warms up
    }
    await new Promise((go) => setTimeout(go, 100));
    watch.disconnect();
    return {speeds, longest: Math.max(0, ...tasks)};
  },

  /** A full window, never seen before: to its trace, and to its maps painted by the explorer. */
  async trace({text, runs}) {
    const {answersFor, think} = await import('/assets/common/thinking.js');
    const {server} = await import('/assets/attention/source.js');
    const {createApp} = await import('/assets/attention/app.js');
    const {mountExplorer} = await import('/assets/attention/explorer.js');
    const answers = [];
    const paintings = [];
    const holder = document.createElement('div');
    document.body.replaceChildren(holder);
    think(answersFor(thinker, 'shakespeare'));
    const app = createApp(server());
    mountExplorer(holder, app);
    await app.restore({model: 'shakespeare', text: 'ROMEO:'});
    const turned = (i) => text.slice(i) + text.slice(0, i);
    for (let i = 0; i <= runs; i++) {
      const began = performance.now();
      await thinker.ask('trace', {text: turned(i + 1), silenced: []});
      if (i) answers.push(performance.now() - began);
    }
    for (let i = 0; i <= runs; i++) {
      const began = performance.now();
      const done = new Promise((go) => { const off = app.on((changed) => { if (changed.has('trace')) { off(); go(); } }); });
      app.set({text: turned(40 + i)});
      await done;
      await new Promise((go) => requestAnimationFrame(() => setTimeout(go)));
      if (i) paintings.push(performance.now() - began);
    }
    const began = performance.now();
    await thinker.ask('effects', {text, silenced: []});
    return {answers, paintings, effects: performance.now() - began};
  },
});
