/** With and without: the text written on twice from the same draws, once with all heads and once with some silenced. */
import {make} from '../dom.js';
import {lastLine, shared, verse} from '../common/verse.js';
import {headNames} from '../common/words.js';

const COUNT = 120;

/** @param {import('./app.js').App} app @param {HTMLElement} element */
export function mount(app, element) {
  element.classList.add('ge-rewrite');
  const button = /** @type {HTMLButtonElement} */ (make('button', {class: 'gl-button', type: 'button', on: {click: () => void write()}}));
  const says = make('p', {class: 'ge-says', 'aria-live': 'polite'});
  const figure = make('div', {class: 'ge-two'});
  element.append(
    make('div', {class: 'ge-bar-over'}, make('div', {class: 'ge-headline'}, make('h2', {class: 'ge-heading'}, 'With and without'),
      make('span', {class: 'ge-aside'}, 'the same text, seed and draws')), button),
    says, figure,
  );
  /** What is shown, and what it was asked with. @type {{key: string, without: string, on: string, off: string, text: string, seed: number} | null} */
  let shown = null;
  let writing = false;

  /** The silenced heads; with none, the selected one as an offer. @returns {[number, number][]} */
  const pairs = () => (app.state.silenced.length ? app.state.silenced : [[app.state.layer, app.state.head]]);
  const request = () => ({...app.request(), silenced: pairs(), settings: app.state.settings, seed: app.state.seed, count: COUNT});

  async function write() {
    if (writing || !app.trace) return;
    const asked = request();
    const {text} = app.trace;
    writing = true;
    draw();
    const found = await app.attempt(() => app.source.rewrite(asked), 'Writing on, with and without');
    writing = false;
    if (found) shown = {key: JSON.stringify(asked), without: headNames(asked.silenced), on: found.on, off: found.off, text, seed: asked.seed};
    draw();
    lay();
  }

  function draw() {
    if (!app.trace) return;
    const without = headNames(pairs());
    const stale = shown !== null && shown.key !== JSON.stringify(request());
    button.textContent = app.state.silenced.length ? 'Write on, with and without' : `Write on, with and without ${without}`;
    button.disabled = writing;
    figure.classList.toggle('gl-faded', stale || writing);
    says.textContent = shown
      ? `${partingSentence(shown.on, shown.off, shown.without, shown.seed)}${stale ? ' This was of another text or other heads: write again.' : ''}`
      : app.state.silenced.length
        ? `The text can go on twice: as the model would write it, and as it would write it without ${without}. Whatever differs is the work of what was silenced.`
        : `No head is silenced. Try it with ${without}: the text goes on twice, with it and without it, and whatever differs is its work.`;
  }

  function lay() {
    if (!shown) return;
    const {on, off, text, without} = shown;
    const common = shared(on, off);
    const before = lastLine(text);
    figure.replaceChildren(...[['With all heads', on], [`Without ${without}`, off]].map(([name, written]) => {
      const length = [...written.slice(common)][0]?.length ?? 0;
      return make('figure', {class: 'ge-one'}, make('figcaption', {class: 'ge-aside'}, name), make('div', {class: 'ge-verse'}, ...verse([
        {text: before, class: 'ge-shared'}, {text: written.slice(0, common), class: 'ge-shared'},
        {text: written.slice(common, common + length), class: 'ge-differs'}, {text: written.slice(common + length)},
      ])));
    }));
  }

  app.on((changed) => {
    if (['trace', 'text', 'silenced', 'layer', 'head', 'settings', 'seed', 'model'].some((name) => changed.has(name))) draw();
  });
  draw();
}

/** @returns {string} where two continuations part */
export function partingSentence(on, off, without, seed) {
  const common = [...on.slice(0, shared(on, off))].length;
  if (on === off) return `All ${[...on].length} characters are the same with and without ${without} (seed ${seed}): here nothing hung on it.`;
  return common === 0
    ? `They part at once: the very first character is another one without ${without} (seed ${seed}).`
    : `They are the same for ${common} ${common === 1 ? 'character' : 'characters'}, and part where one is marked: there the model decides otherwise without ${without} (seed ${seed}).`;
}
