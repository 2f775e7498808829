/** A model's file, taken from a real server. Argument: the server's address. */
import assert from 'node:assert/strict';
import {createServer} from 'node:http';
import {test} from 'node:test';

import {Refused} from '../../ui/assets/common/ask.js';
import {start} from '../../ui/assets/gpt.js';
import {megabytes, placeOf, take} from '../../ui/assets/common/take.js';

const site = process.argv[2];
const model = placeOf('browser', 'shakespeare');
const real = globalThis.fetch;
/** In the page a module's address is the server's; here it is a file's. */
const from = (address) => { globalThis.fetch = (url, options) => real(String(url).replace(/^file:.*?(\/models\/)/, `${address}/letter$1`), options); };
const control = () => ({signal: new AbortController().signal, progress: () => {}});

test('it comes with its progress, and is a model', async () => {
  from(site);
  /** @type {[number, number][]} */ const told = [];
  const bytes = await take(model, 1, {...control(), progress: (done, total) => told.push([done, total])});
  assert.deepEqual(told[0], [0, bytes.length]);
  assert.deepEqual(told.at(-1), [bytes.length, bytes.length]);
  const thinker = await start(bytes, {worker: () => null, name: 'shakespeare'});
  assert.match(thinker.about.id, /^[0-9a-f]{64}$/);
  thinker.close();
});

test('what the server says is wrong is said', async () => {
  await assert.rejects(take(placeOf('browser', 'no such'), 1, control()), (error) => error instanceof Refused && error.message.startsWith("There is no model 'no such'"));
});

test('given up it is given up', async () => {
  const given = new AbortController();
  const taking = take(model, 1, {...control(), signal: given.signal, progress: () => given.abort()});
  await assert.rejects(taking, {name: 'AbortError'});
});

test('a server that is not there, and one that goes away, is one sentence', async () => {
  const server = createServer((_, answer) => {
    answer.writeHead(200, {'Content-Length': 5_000_000});
    answer.write(Buffer.alloc(1_200_000), () => setTimeout(() => answer.destroy(), 50));
  });
  await new Promise((listening) => { server.listen(0, '127.0.0.1', () => listening(undefined)); });
  const {port} = /** @type {import('node:net').AddressInfo} */ (server.address());
  from(`http://127.0.0.1:${port}`);
  await assert.rejects(take(model, 1, control()), (error) => error instanceof Refused && /^The download broke off after \d\.\d MB\.$/.test(error.message));
  await new Promise((closed) => { server.close(closed); });
  await assert.rejects(take(model, 1, control()), (error) => error instanceof Refused && error.message.startsWith('The page does not reach its server'));
});

test('sizes are said in millions of bytes', () => assert.equal(megabytes(4_810_228), '4.8'));
