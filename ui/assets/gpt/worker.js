/** A worker in which a model thinks. */
import {serve} from './serving.js';

serve(/** @type {any} */ (globalThis));
