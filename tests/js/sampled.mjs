/** Cases of sampling on standard input, one in a line; what ui/assets/sampling.js makes of each on standard output. */
import {createInterface} from 'node:readline';

import {draw, probabilities, u} from '../../ui/assets/sampling.js';

for await (const line of createInterface({input: process.stdin})) {
  const {logits, settings, previous, seed, n} = JSON.parse(line);
  const p = probabilities(logits, settings, previous);
  console.log(JSON.stringify({p: [...p], u: u(seed, n), token: draw(p, u(seed, n))}));
}
