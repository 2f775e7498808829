/** The keys of the Training tab, in one table that the help is made of. Pure: no DOM. */

/** @type {import('../common/keypanel.js').Key[]} */
export const KEYS = [
  {keys: ['ArrowLeft'], shown: '←', does: 'the moment before', action: 'before'},
  {keys: ['ArrowRight'], shown: '→', does: 'the next moment', action: 'next'},
  {keys: ['Home'], shown: 'Home', does: 'before the first step', action: 'first'},
  {keys: ['End'], shown: 'End', does: 'the finished model', action: 'last'},
  {keys: [' '], shown: 'Space', does: 'play and pause', action: 'play'},
  {keys: ['ArrowUp'], shown: '↑', does: 'the head before', action: 'headUp'},
  {keys: ['ArrowDown'], shown: '↓', does: 'the next head', action: 'headDown'},
  {keys: ['k', 'K'], shown: 'K', does: 'keep this view for the talk', action: 'keep'},
  {keys: ['PageDown'], shown: 'PgDn', does: 'the next view of the talk', action: 'talkNext'},
  {keys: ['PageUp'], shown: 'PgUp', does: 'the view before', action: 'talkPrevious'},
  {keys: ['f', 'F'], shown: 'F', does: 'present, full screen', action: 'present'},
  {keys: ['t', 'T'], shown: 'T', does: 'train your own', action: 'own'},
  {keys: ['?'], shown: '?', does: 'these keys', action: 'help'},
  {keys: ['Escape'], shown: 'Esc', does: 'close these keys; leave presenting', action: 'escape'},
];
