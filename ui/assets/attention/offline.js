/** An exported file, opened: the explorer over the traces that the file carries. */
import {make} from '../dom.js';
import {createApp} from './app.js';
import {embedded} from './embedded.js';
import {mountExplorer} from './explorer.js';
import {readState} from './state.js';
import {showViews} from './talkview.js';
import {openTalk} from '../talk/kept.js';

const held = JSON.parse(document.getElementById('gl-held')?.textContent ?? '{}');
const app = createApp(embedded(held.traces));
app.info = held.info;
document.body.classList.toggle('dark', held.dark === true); // as it was on screen
openTalk(held.talk ? held.views : []);

const main = /** @type {HTMLElement} */ (document.getElementById('gl-offline'));
const explorer = make('div');
main.replaceChildren(
  make('div', {class: 'gl-part'}, make('header', {class: 'gl-offline-head'},
    make('h1', {class: 'gl-title'}, 'GPT, letter by letter'),
    make('span', {class: 'ge-aside'}, `${held.traces[0].model}, saved to be shown without a network`))),
  explorer);
mountExplorer(explorer, app, {live: false});
showViews(app);
const {state, caption} = held.views[0];
void app.restore({...readState(state).state, caption}).then(() => {
  if (held.said) { app.notes.push(held.said); app.touch('notes'); }
  document.documentElement.dataset.glReady = 'yes';
});
