/** Questions to ui/models_route.py. */
import {post} from '../common/ask.js';

/**
 * @param {string} name of the question
 * @param {object} [question]
 * @returns {Promise<any>} its answer; throws Refused, whose message is for the person
 */
export async function askModels(name, question = {}) {
  return (await post(`models/${name}`, question)).json();
}

/** Where a model is downloaded from, as one archive. @param {string} name @returns {string} */
export function downloadUrl(name) {
  return new URL(`../../models/download?model=${encodeURIComponent(name)}`, import.meta.url).href;
}
