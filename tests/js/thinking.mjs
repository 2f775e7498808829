/**
 * One job on standard input: a file of weights, and what is asked of the model in it; the answers on standard output. What
 * is refused is answered by the sentence. Arrays of numbers go as base64. Or some files, and why each is refused.
 */
import {readFileSync} from 'node:fs';

import {Refused} from '../../ui/assets/common/ask.js';
import {toBase64} from '../../ui/assets/common/packet.js';
import {answer, writing} from '../../ui/assets/gpt/answers.js';
import {load} from '../../ui/assets/gpt/model.js';
import {run} from '../../ui/assets/gpt/task.js';

const {files, file, kernels, asked} = JSON.parse(readFileSync(0, 'utf8'));

const packed = (array) => ({numbers: toBase64(new Uint8Array(array.buffer, array.byteOffset, array.byteLength)), type: array.constructor.name});
const sent = (value) => {
  if (ArrayBuffer.isView(value)) return packed(value);
  if (Array.isArray(value)) return value.map(sent);
  if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, sent(each)]));
  return value;
};

/** @type {Record<string, (model: import('../../ui/assets/gpt/model.js').Model, question: any) => any>} */
const ways = {
  about: (model) => model.about,
  fold: ({parts}, {texts}) => texts.map((text) => parts.tokenizer.fold(text)),
  next: (model, {prompts, settings}) => prompts.map((prompt) => run(model.next(prompt, settings))),
  tokens: (model, {prompt, settings, ...order}) => [...model.generate(prompt, settings, order)].filter(Boolean),
  trace: (model, {text, silenced}) => run(model.trace(text, {silenced})),
  effects: (model, {text, silenced}) => run(model.headEffects(text, {silenced})),
  score: (model, {text, first, last}) => run(model.score(text, {first, last})),
  answer: (model, {name, question}) => run(answer(model, 'shakespeare', name, question)),
  writing: (model, {order}) => [...writing(model, order)].filter(Boolean).at(-1),
};

function tried(work) {
  try {
    return work();
  } catch (error) {
    if (error instanceof Refused) return {refused: error.message};
    throw error;
  }
}

if (files) {
  console.log(JSON.stringify(files.map((each) => tried(() => load(readFileSync(each))).refused ?? '')));
} else {
  const model = load(readFileSync(file), {kernels});
  console.log(JSON.stringify(asked.map(({way, ...question}) => sent(tried(() => ways[way](model, question))))));
}
