/** Where rolls and texts come from: the server of the page. */
import {askJson, askPacket} from '../common/ask.js';

/** @returns {import('./lab.js').Source} */
export function server() {
  return {roll: askPacket('roll'), write: askJson('write')};
}
