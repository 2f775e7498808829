/** Pushing what was trained here to the Hub, in the visitor's own name. */
import {shownName} from '../common/ownmodels.js';
import {make} from '../dom.js';
import {askModels} from './ask.js';

/** @param {{space: string, sign_in: boolean}} host */
export function createPush({space, sign_in: canSignIn}) {
  const repo = /** @type {HTMLInputElement} */ (make('input', {type: 'text', class: 'gm-field', placeholder: 'you/my-shakespeare', autocomplete: 'off', spellcheck: false, maxLength: 200, 'aria-label': 'Repository, owner/name'}));
  // No form and no name: nothing that a browser would keep. The field is emptied before the question is sent.
  const token = /** @type {HTMLInputElement} */ (make('input', {type: 'password', class: 'gm-field', placeholder: 'hf_…', autocomplete: 'new-password', maxLength: 200, 'aria-label': 'Token that may write'}));
  const hidden = /** @type {HTMLInputElement} */ (make('input', {type: 'checkbox'}));
  const go = /** @type {HTMLButtonElement} */ (make('button', {class: 'gl-button', type: 'button', on: {click: () => void send()}}, 'Push it'));
  const said = make('p', {class: 'gm-said', 'aria-live': 'polite'});
  const byToken = make('label', {class: 'gm-label'}, 'A token of yours that may write', token, make('span', {class: 'gm-hint'}, 'Made on the Hub under Settings, Access Tokens. Used for this one push and kept nowhere.'));
  const bySignIn = make('p', {class: 'gm-hint'});
  const element = make('div', {class: 'gm-push', hidden: true},
    make('label', {class: 'gm-label'}, 'Where on the Hub', repo), space ? bySignIn : byToken,
    make('label', {class: 'gl-check gm-check'}, hidden, 'private, if the repository is made now'), go, said);
  const button = make('button', {class: 'gl-button', type: 'button', 'aria-expanded': 'false', on: {click: () => {
    element.hidden = !element.hidden;
    button.setAttribute('aria-expanded', String(!element.hidden));
    if (!element.hidden) repo.focus();
  }}}, 'Push to the Hub');
  for (const field of [repo, token]) field.addEventListener('keydown', (event) => { if (event.key === 'Enter' && !go.disabled) void send(); });

  let model = '', busy = false;
  async function send() {
    const question = {model, repo: repo.value.trim(), private: hidden.checked, ...(space ? {} : {token: token.value})};
    token.value = '';
    busy = go.disabled = true;
    say('Pushing. This takes some seconds for each 10 MB.');
    try {
      const {url, new: made} = await askModels('push', question);
      const link = make('a', {href: /^https?:\/\//.test(url) ? url : '#', target: '_blank', rel: 'noopener noreferrer'}, url);
      say(made ? 'It is at ' : 'These files were there already: ', link);
    } catch (error) {
      said.replaceChildren(make('span', {class: 'gl-error', role: 'alert'}, /** @type {Error} */ (error).message));
    } finally {
      busy = false;
      go.disabled = false;
    }
  }

  function say(...words) {
    said.replaceChildren(...words);
  }

  /** @param {string} name of the model @param {boolean} signedIn */
  function show(name, signedIn) {
    if (name !== model && !busy) {
      model = name;
      token.value = '';
      repo.placeholder = `you/${shownName(name)}`;
      say();
    }
    go.disabled = busy || (!!space && !signedIn);
    bySignIn.textContent = signedIn ? 'You have signed in: it is pushed in your name.' : canSignIn ? 'Sign in with Hugging Face first, with the button at the end of the Models tab.' : 'Nobody can sign in on this Space: its host has not set hf_oauth.';
  }
  return {element, button, show};
}
