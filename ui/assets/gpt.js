/**
 * The model inside the page: load a file of weights, write with it, look inside, with no server. The twin of the `gpt`
 * package in Python; gpt/browserfile.py makes the file.
 *
 * - `start(bytes)` is what a page uses: the model thinks in a worker, and the page is never blocked. What comes back, a
 *   thinker, answers the questions that the server answers (ui/looking.py), and writes (ui/writing.py).
 *   Whoever asks the server asks a thinker instead once common/thinking.js has it: `think(answersFor(thinker, model))`.
 * - `load(bytes)` is the model in this thread. Its work is written as generators, which yield where they may be
 *   interrupted; `run(task)` does it all at once.
 *
 * What is wrong with a file or a question is a `Refused` (common/ask.js): one sentence for the person.
 */
export {start} from './gpt/client.js';
export {load} from './gpt/model.js';
export {run} from './gpt/task.js';

/** @typedef {import('./gpt/model.js').About} About */
/** @typedef {import('./gpt/model.js').Model} Model */
/** @typedef {import('./gpt/client.js').Thinker} Thinker */
/** @typedef {import('./gpt/client.js').Written} Written */
/** @typedef {import('./gpt/generation.js').Token} Token */
