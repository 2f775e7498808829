/** The keys of the laboratory, in one table that the help is made of. Pure: no DOM. */

/** @type {import('../common/keypanel.js').Key[]} */
export const KEYS = [
  {keys: ['r', 'R'], shown: 'R', does: 'roll: draw one character and write it', action: 'roll'},
  {keys: ['t', 'T'], shown: 'T', does: 'roll ten', action: 'ten'},
  {keys: [' '], shown: 'Space', does: 'roll on, and pause', action: 'rollOn'},
  {keys: ['b', 'B', 'Backspace'], shown: 'B', does: 'take the last character back', action: 'back'},
  {keys: ['+', '='], shown: '+', does: 'warmer by 0.05', action: 'warmer'},
  {keys: ['-'], shown: '−', does: 'cooler by 0.05', action: 'cooler'},
  {keys: ['0'], shown: '0', does: 'all settings off: what the model believes', action: 'plain'},
  {keys: ['h', 'H'], shown: 'H', does: 'a thousand rolls, laid over the bars', action: 'thousand'},
  {keys: ['s', 'S'], shown: 'S', does: 'another seed', action: 'seed'},
  {keys: ['e', 'E'], shown: 'E', does: 'edit the text', action: 'edit'},
  {keys: ['n', 'N'], shown: 'N', does: 'all numbers in a table', action: 'table'},
  {keys: ['a', 'A'], shown: 'A', does: 'add these settings to those side by side', action: 'add'},
  {keys: ['f', 'F'], shown: 'F', does: 'present, full screen', action: 'present'},
  {keys: ['Escape'], shown: 'Esc', does: 'pause; close what is open; leave presenting', action: 'escape'},
  {keys: ['?'], shown: '?', does: 'these keys', action: 'help'},
];
