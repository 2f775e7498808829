/** Questions to ui/models_route.py. */
import {Refused} from '../common/ask.js';

/**
 * @param {string} name of the question
 * @param {object} [question]
 * @returns {Promise<any>} its answer; throws Refused, whose message is for the person
 */
export async function askModels(name, question = {}) {
  let answer;
  try {
    answer = await fetch(new URL(`../../models/${name}`, import.meta.url), {method: 'POST', body: JSON.stringify(question), cache: 'no-store'});
  } catch {
    throw new Refused('The page does not reach its server. Is it still running?');
  }
  if (answer.ok) return answer.json();
  throw new Refused(answer.headers.get('Content-Type')?.startsWith('text/plain') ? await answer.text() : `The server answered ${answer.status}.`);
}

/** Where a model is downloaded from, as one archive. @param {string} name @returns {string} */
export function downloadUrl(name) {
  return new URL(`../../models/download?model=${encodeURIComponent(name)}`, import.meta.url).href;
}
