/**
 * The Prompt tab's text, written by a model in the page, here in one thread; and questions that a model in the page is
 * asked. Arguments: a file of weights, and what the server makes of the same orders (JSON).
 */
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {test} from 'node:test';

import {Refused, askJson, askPacket} from '../../ui/assets/common/ask.js';
import {answersFor, think, thinker} from '../../ui/assets/common/thinking.js';
import {start} from '../../ui/assets/gpt.js';
import {createWriter} from '../../ui/assets/prompt/writer.js';

const page = Object.assign(globalThis, {document: new EventTarget()}).document;
/** @type {[string, any][]} */ let told = [];
for (const name of ['gl:set-settings', 'gl:ended', 'gl:thinking']) page.addEventListener(name, (event) => told.push([name, /** @type {CustomEvent} */ (event).detail]));
/** @type {string[]} */ let left = [];
globalThis.fetch = async (url) => { left.push(String(url)); throw new TypeError('no network'); };

const [file, expected] = [process.argv[2], JSON.parse(readFileSync(process.argv[3], 'utf8'))];
const engine = await start(Uint8Array.from(readFileSync(file)), {worker: () => null, name: 'mine'});
const mine = answersFor(engine, 'mine');
const inflated = async (packed) => JSON.parse(await new Response(new Blob([Buffer.from(packed, 'base64url')]).stream().pipeThrough(new DecompressionStream('deflate'))).text());

/** Everything that came, the speeds left out. */
async function written(way, asked, newSeed = () => 77) {
  told = [];
  const values = [];
  await createWriter((value) => values.push(value), newSeed).write(mine, way, {model: 'mine', run: 3, ...asked});
  return values;
}

for (const [i, {way, asked, value}] of expected.entries()) {
  test(`${way} ${i} gives the value that the server gives`, async () => {
    const values = await written(way, asked);
    const {speed, link, ...last} = values.at(-1);
    const {speed: _, link: theirs, ...wanted} = value;
    assert.deepEqual(last, wanted);
    assert.ok(speed > 0 && Number.isInteger(speed));
    assert.deepEqual(await inflated(link), await inflated(theirs));
    assert.ok(values.slice(0, -1).every(({status}) => status === 'writing'));
    assert.deepEqual(told, [['gl:ended', null]]);
    assert.deepEqual(left, []);
  });
}

const {asked: {shown, settings}} = expected[0];

test('a seed that is not kept is a new one, which the settings are told', async () => {
  const loose = {...settings, keep_seed: false, length: 50};
  for (const [way, renewed] of /** @type {const} */ ([['write', true], ['again', true], ['go_on', false]])) {
    const {seed} = (await written(way, {prompt: 'a', shown, settings: loose})).at(-1);
    assert.equal(seed, renewed ? 77 : settings.seed);
    assert.deepEqual(told.map(([name, detail]) => [name, detail?.seed]), renewed ? [['gl:set-settings', 77], ['gl:ended', undefined]] : [['gl:ended', undefined]]);
  }
  assert.equal((await written('again', {prompt: '', shown, settings: {...settings, length: 50}})).at(-1).seed, 77); // also where it is kept
});

test('new seeds are short enough to be said', async () => {
  const values = [];
  await createWriter((value) => values.push(value)).write(mine, 'again', {prompt: '', shown, settings: {...settings, length: 50}, model: 'mine', run: 1});
  assert.ok(Number.isInteger(values[0].seed) && values[0].seed >= 0 && values[0].seed < 10_000);
});

test('stopped, nothing more comes, and it says that it has ended', async () => {
  told = [];
  const values = [];
  const writer = createWriter((value) => { values.push(value); writer.stop(); });
  const writing = writer.write(mine, 'write', {prompt: 'ROMEO:', shown, settings: {...settings, length: 2000}, model: 'mine', run: 1});
  assert.ok(writer.busy());
  await writing;
  assert.equal(values.length, 1);
  assert.equal(values[0].status, 'writing');
  assert.ok(!writer.busy());
  assert.deepEqual(told.map(([name]) => name), ['gl:ended']);
});

test('what cannot be done is one sentence, and the text that was there stays', async () => {
  const values = await written('write', {prompt: 'ROMEO:', shown, settings: {...settings, temperature: 101}});
  assert.equal(values.length, 1);
  const {error, ...value} = values[0];
  assert.match(error, /^temperature: 101 is not a number from 0 to 100$/);
  assert.deepEqual(value, {prompt: shown.prompt, text: shown.text, status: 'error', notes: [], run: 3});
});

test('a question goes to the model in the page where it can answer it, at the time of asking', async () => {
  const trace = askPacket('trace');
  const score = askJson('score');
  const unreachable = (error) => error instanceof Refused && error.message.startsWith('The page does not reach its server');
  left = [];
  await assert.rejects(trace({model: 'mine', text: 'ROMEO:'}), unreachable);
  assert.equal(left.length, 1);

  think(mine);
  assert.equal(thinker(), mine);
  left = [];
  assert.equal((await trace({model: 'mine', text: 'ROMEO:'})).header.tokens, 6);
  assert.equal((await score({model: 'mine', text: 'ROMEO:'})).total, 6);
  await assert.rejects(score({model: 'mine', text: 7}), (error) => error instanceof Refused && error.message.startsWith('text: must be a text'));
  assert.deepEqual(left, []);
  await assert.rejects(trace({model: 'another', text: 'ROMEO:'}), unreachable);
  await assert.rejects(askPacket('story')({model: 'mine'}), unreachable);
  await assert.rejects(askJson('quality')({model: 'mine', text: 'ROMEO:', server: true}), unreachable); // of the training text only a server knows
  assert.deepEqual(left.map((url) => url.split('/').at(-1)), ['trace', 'story', 'quality']);

  think(null);
  assert.equal(thinker(), null);
  await assert.rejects(trace({model: 'mine', text: 'ROMEO:'}), unreachable);
});

test('a question under way when the model is put away goes to the server; one that was given up does not', async () => {
  const other = await start(Uint8Array.from(readFileSync(file)), {worker: () => null, name: 'mine'});
  think(answersFor(other, 'mine'));
  left = [];
  const control = new AbortController();
  const long = askJson('effects');
  const [first, second] = [long({model: 'mine', text: 'ROMEO:'}), long({model: 'mine', text: 'JULIET:'}, control.signal)];
  control.abort();
  think(null);
  other.close();
  await assert.rejects(second, {name: 'AbortError'});
  await assert.rejects(first, Refused);
  assert.deepEqual(left.map((url) => url.split('/').at(-1)), ['effects']);
});

test('closed, it lets the program end', () => { engine.close(); });
