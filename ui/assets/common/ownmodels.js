/** The models that this browser's person has trained on this page: their keys are kept here and nowhere else. */

const KEPT = 'gl-trainings';
const MOST = 20;
/** Between what such a model is called and the token that opens it. */
const OWN = '~';

/**
 * @typedef {object} Training
 * @property {string} key by which the server finds it
 * @property {string} model its name, with its token
 * @property {boolean} ready there is something of it to use
 */

/** @param {string} name @returns {string} of a model, as people read it */
export function shownName(name) {
  return name.split(OWN)[0];
}

/** @param {unknown} name @returns {boolean} whether it is that of a model which somebody has trained on this page */
export function isOwn(name) {
  return typeof name === 'string' && name.includes(OWN);
}

/** @returns {Training[]} oldest first */
export function trainings() {
  try {
    const found = JSON.parse(localStorage.getItem(KEPT) ?? '[]');
    const whole = (one) => typeof one?.key === 'string' && typeof one.model === 'string' && isOwn(one.model);
    return Array.isArray(found) ? found.filter(whole).map(({key, model, ready}) => ({key, model, ready: ready === true})) : [];
  } catch {
    return []; // a frame that may not, or what somebody else has written there
  }
}

/** Keep a training, or what has become of it. @param {Training} training */
export function keepTraining(training) {
  const others = trainings();
  const i = others.findIndex((one) => one.key === training.key);
  if (i < 0) others.push(training); else others[i] = training;
  put(others.slice(-MOST));
}

/** @param {(training: Training) => boolean} which */
export function forgetTrainings(which) {
  put(trainings().filter((one) => !which(one)));
}

/** @returns {string[]} names of the models that can be used, the newest first */
export function ownModels() {
  return trainings().filter((one) => one.ready).map((one) => one.model).reverse();
}

function put(all) {
  try {
    localStorage.setItem(KEPT, JSON.stringify(all));
  } catch { /* a frame that may not: it is known until the page is closed */ }
  document.dispatchEvent(new CustomEvent('gl:own-models'));
}
