/** "Keep this view": what stands on the timeline joins the page's talk; where that stands is said while it is walked. */
import {make} from '../dom.js';
import {keepView, onTalk, talkNow} from '../talk/kept.js';
import {thumbOf} from './thumb.js';
import {sentenceOf} from './told.js';

/** Characters that have room in two large lines. */
const LONG = 170;

/**
 * @param {import('./teller.js').Teller} teller
 * @returns {{button: HTMLElement, says: HTMLElement, caption: HTMLElement, footer: HTMLElement, keep: () => void}} for the bar; for who presents; keeps the view
 */
export function createKeeper(teller) {
  const button = /** @type {HTMLButtonElement} */ (make('button', {class: 'gl-button gt-keep', type: 'button', on: {click: keep}}, 'Keep this view ', make('kbd', {}, 'K')));
  const says = make('p', {class: 'gt-talk', role: 'status'});
  const caption = make('p', {class: 'gt-caption gl-serif'});
  const footer = make('div', {class: 'gt-presenting-footer'});

  function keep() {
    const {story, at, layer, head} = teller;
    const moment = teller.moment();
    if (!story || !moment) return;
    teller.play(false);
    const {kept, said} = keepView({
      tab: 'training', state: {model: teller.model, step: moment.step, layer, head}, caption: '', says: sentenceOf(story, at), thumb: thumbOf(story, at, layer, head, teller.dark),
    });
    says.textContent = [...(kept ? [`Kept as view ${talkNow().current + 1} of your talk.`] : []), said].filter(Boolean).join(' ');
  }

  /** @returns {import('../talk/talk.js').View | undefined} the talk's view, where it is of this tab */
  function viewNow() {
    const {views, current} = talkNow();
    return views[current]?.tab === 'training' ? views[current] : undefined;
  }

  function draw() {
    const {views, current} = talkNow();
    const view = viewNow();
    says.textContent = view ? `View ${current + 1} of ${views.length} of your talk` : '';
    footer.textContent = view ? `${current + 1} of ${views.length}` : '';
    drawCaption();
  }

  /** @param {import('../talk/talk.js').View} view @returns {boolean} it is what the tab shows */
  function stands({state: {model = teller.model, step, layer = teller.layer, head = teller.head}}) {
    return model === teller.model && step === teller.moment()?.step && layer === teller.layer && head === teller.head;
  }

  function drawCaption() {
    const view = viewNow();
    const own = view && stands(view) ? view.caption : ''; // elsewhere it would be of another picture
    const words = own || (teller.story ? sentenceOf(teller.story, teller.at) : '');
    caption.textContent = words;
    caption.classList.toggle('gt-long', words.length > LONG);
  }

  onTalk(draw);
  teller.on((changed) => {
    if (changed.has('story')) button.disabled = !teller.story?.moments.length;
    if (['story', 'at', 'head'].some((name) => changed.has(name))) drawCaption();
  });
  draw();
  return {button, says, caption, footer, keep};
}
