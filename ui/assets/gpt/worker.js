/** A worker in which a model thinks. */
import {serve} from './serving.js';

addEventListener('unhandledrejection', ({reason}) => reportError(reason)); // of errors alone the page hears
serve(/** @type {any} */ (globalThis));
