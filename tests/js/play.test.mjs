import assert from 'node:assert/strict';
import {test} from 'node:test';

import {divide, lines} from '../../ui/assets/play.js';

const PLAY = 'ROMEO:\nAy me!\n\nFirst Citizen:\nSpeak: speak.\nYORK:\n\nNote that this line is far too long to be the name of anybody:\n';

test('every line keeps its place in the text', () => {
  for (const line of lines(PLAY)) assert.equal(PLAY.slice(line.start, line.start + line.text.length), line.text);
  assert.equal(lines(PLAY).map((line) => line.text).join('\n'), PLAY);
});

test('a name alone on its line, after an empty one, is a speaker', () => {
  const speakers = lines(PLAY).filter((line) => line.speaker).map((line) => line.text);
  assert.deepEqual(speakers, ['ROMEO:', 'First Citizen:']);
});

test('an empty text is one empty line', () => {
  assert.deepEqual(lines(''), [{start: 0, text: '', speaker: false}]);
});

test('a line is divided where the prompt ends', () => {
  const [first, second] = lines('Now is\nthe winter');
  assert.deepEqual(divide(first, 11), ['Now is', '']);
  assert.deepEqual(divide(second, 11), ['the ', 'winter']);
  assert.deepEqual(divide(second, 0), ['', 'the winter']);
  assert.deepEqual(divide(second, 99), ['the winter', '']);
});
