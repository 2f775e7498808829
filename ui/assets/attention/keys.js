/** The keys of the explorer: which key does what, in one table that the help is made of. Pure: no DOM. */

/** @type {{keys: string[], shown: string, does: string, action: string}[]} */
export const KEYS = [
  {keys: ['ArrowUp'], shown: '↑', does: 'the layer before', action: 'layerUp'},
  {keys: ['ArrowDown'], shown: '↓', does: 'the next layer', action: 'layerDown'},
  {keys: ['ArrowLeft'], shown: '←', does: 'the head before', action: 'headLeft'},
  {keys: ['ArrowRight'], shown: '→', does: 'the next head', action: 'headRight'},
  {keys: [',', '<'], shown: ',', does: 'pin one character back', action: 'pinBack'},
  {keys: ['.', '>'], shown: '.', does: 'pin one character on', action: 'pinOn'},
  {keys: ['Home'], shown: 'Home', does: 'pin the first character', action: 'pinFirst'},
  {keys: ['End'], shown: 'End', does: 'pin the last character', action: 'pinLast'},
  {keys: ['Escape'], shown: 'Esc', does: 'drop the pin; leave presenting', action: 'escape'},
  {keys: ['n', 'N'], shown: 'N', does: 'write the next character', action: 'write'},
  {keys: ['b', 'B', 'Backspace'], shown: 'B', does: 'take the last character back', action: 'back'},
  {keys: [' '], shown: 'Space', does: 'play and pause', action: 'play'},
  {keys: ['+', '='], shown: '+', does: 'play faster', action: 'faster'},
  {keys: ['-'], shown: '−', does: 'play slower', action: 'slower'},
  {keys: ['s', 'S'], shown: 'S', does: 'silence the head, or restore it', action: 'silence'},
  {keys: ['1'], shown: '1', does: 'the map', action: 'map'},
  {keys: ['2'], shown: '2', does: 'arcs', action: 'arcs'},
  {keys: ['3'], shown: '3', does: 'the row, and its table', action: 'row'},
  {keys: ['4'], shown: '4', does: 'the lens', action: 'lens'},
  {keys: ['0'], shown: '0', does: 'hide the first position', action: 'hideFirst'},
  {keys: ['a', 'A'], shown: 'A', does: 'one head, layer, all heads, rollout', action: 'average'},
  {keys: ['e', 'E'], shown: 'E', does: 'edit the text', action: 'edit'},
  {keys: ['k', 'K'], shown: 'K', does: 'keep this view for the talk', action: 'keep'},
  {keys: ['PageDown'], shown: 'PgDn', does: 'the next view of the talk', action: 'talkNext'},
  {keys: ['PageUp'], shown: 'PgUp', does: 'the view before', action: 'talkPrevious'},
  {keys: ['f', 'F'], shown: 'F', does: 'present, full screen', action: 'present'},
  {keys: ['?'], shown: '?', does: 'these keys', action: 'help'},
];

/**
 * @param {{key: string, ctrlKey: boolean, metaKey: boolean, altKey: boolean}} event
 * @returns {string | null} the action that the key means
 */
export function actionOf({key, ctrlKey, metaKey, altKey}) {
  if (ctrlKey || metaKey || altKey) return null;
  return KEYS.find(({keys}) => keys.includes(key))?.action ?? null;
}
