import assert from 'node:assert/strict';
import {test} from 'node:test';
import {deflateSync} from 'node:zlib';

import {opened} from '../../ui/assets/offline/opened.js';

const MODEL = {name: 'shakespeare', id: 'abcdef0123456789'};
const link = (state) => `?s=${deflateSync(JSON.stringify(state)).toString('base64url')}`;
const WRITTEN = {prompt: 'ROMEO:', text: ' Ay', model: 'shakespeare', id: 'abcdef012345', temperature: 0.5, seed: 7};

test('a link opens its text with the settings and the seed that wrote it', async () => {
  const search = link(WRITTEN);
  assert.deepEqual(await opened(search, MODEL), {
    tab: '', settings: {temperature: 0.5, seed: 7, keep_seed: true},
    text: {prompt: 'ROMEO:', text: ' Ay', status: 'done', seed: 7, notes: [], link: search.slice(3)},
  });
  assert.deepEqual(await opened('', MODEL), {tab: ''});
});

test('that another model, or another training of this one, wrote it is said', async () => {
  const notes = async (change) => (await opened(link({...WRITTEN, ...change}), MODEL)).text.notes;
  assert.deepEqual(await notes({model: 'hamlet'}), ['The model of this link, “hamlet”, is not here; this is shakespeare.']);
  assert.deepEqual(await notes({id: '000000000000'}), ['This was written by another training of shakespeare; the same seed gives another text now.']);
  const tab = await opened(link({tab: 'attention', model: 'hamlet', attention: {text: 'x'}}), MODEL);
  assert.deepEqual(tab, {tab: 'attention', attention: {state: {text: 'x'}, notes: ['The model of this link, “hamlet”, is not here; this is shakespeare.']}});
});

test('what is out of range is left as usual, and said', async () => {
  const {settings, text} = await opened(link({...WRITTEN, temperature: 99, top_p: 'x', seed: -1}), MODEL);
  assert.deepEqual(settings, {});
  assert.deepEqual(text.notes, ['The link’s temperature is out of range; it is 0.8 now.', 'The link’s top p is out of range; it is 1 now.']);
});

test('a link that is cut, no state, or too large opens the example', async () => {
  for (const search of ['?s=nonsense', link(5), link({prompt: 'x'.repeat(300_000)})]) {
    assert.deepEqual(await opened(search, MODEL), {tab: '', text: {notes: ['The link cannot be read; this is an example.']}});
  }
});
