/** A file for the person's disk. */
import {make} from '../dom.js';

const KEPT_MS = 10_000;

/** @param {Blob} blob @param {string} name @returns {string} the name */
export function saveBlob(blob, name) {
  const url = URL.createObjectURL(blob);
  make('a', {href: url, download: name}).click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
  return name;
}

/** @param {string} text @param {string} name @param {string} type @returns {string} the name */
export function saveText(text, name, type) {
  return saveBlob(new Blob([text], {type: `${type};charset=utf-8`}), name);
}
