/** Work that may take long or fail: what is said of it. */
import assert from 'node:assert/strict';
import test from 'node:test';
import {Refused} from '../../ui/assets/common/ask.js';
import {attempts} from '../../ui/assets/common/attempt.js';

test('work that ends does not take away what is said of other work that goes on', async (t) => {
  t.mock.timers.enable({apis: ['setTimeout']});
  const host = {busy: '', error: ''};
  const attempt = attempts(host, () => {});
  let endOne = () => {}; let endOther = () => {};
  const one = attempt(() => new Promise((end) => { endOne = () => end(1); }), 'Tracing');
  const other = attempt(() => new Promise((end) => { endOther = () => end(2); }), 'Writing');
  t.mock.timers.tick(400);
  assert.equal(host.busy, 'Writing');
  endOne();
  assert.equal(await one, 1);
  assert.equal(host.busy, 'Writing');
  endOther();
  assert.equal(await other, 2);
  assert.equal(host.busy, '');
});

test('what fails is one sentence until something works, and what was given up is none', async () => {
  const host = {busy: '', error: ''};
  const attempt = attempts(host, () => {});
  assert.equal(await attempt(async () => { throw new Refused('Shorten it.'); }), undefined);
  assert.equal(host.error, 'Shorten it.');
  await attempt(async () => { throw new DOMException('', 'AbortError'); });
  assert.equal(host.error, 'Shorten it.');
  await attempt(async () => 1);
  assert.equal(host.error, '');
});
