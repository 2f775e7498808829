/** Words of the field, each in one or two plain sentences. Pure: no DOM. */

/** @type {Record<string, string>} */
export const GLOSSARY = {
  token: 'One piece of text, as the model reads it. Here it is a character; larger models mostly use pieces of words.',
  attention: 'How a position takes in what stood before it: it gives every earlier position a weight, all weights together make 1, and it takes in more from where the weight is larger.',
  head: 'One of several small parts of a layer that look back at the text, each in its own way.',
  layer: 'One step of the computation. The text passes through all layers in order, and each adds to what the ones before have found.',
  induction: 'Going on as it went before: find an earlier place where the same thing stood, and expect what followed it there.',
  logit: 'The score of a possible next token, any number at all, before it is made a probability.',
  softmax: 'Makes probabilities out of any scores: all become positive and together make 1, and a larger score stays larger.',
  temperature: 'What all scores are divided by before a token is drawn. Under 1 the probable becomes more probable, over 1 the improbable gets more of a chance.',
  seed: 'The number that all chance comes from. The same seed gives the same draws, and so the same text.',
  bit: 'A unit of information. Here it measures how far two predictions are apart: 0 means that they are the same.',
  'residual stream': 'The row of numbers that a position carries upward. Every head reads from it and adds to it, so all of them share what any one has found.',
  parameter: 'One of the numbers that the model consists of. Training changes them; using the model does not.',
  loss: 'How surprised the model is by the character that really comes next, on average. Less is better; 0 would mean that it always knew.',
};

/** @typedef {{text: string, term: string | null}} Piece */

/**
 * A paragraph as pieces: "[[word]]" and "[[words|word]]" are explained where their term comes for the first time.
 * @param {string} text
 * @param {Set<string>} seen terms that are explained already; those of this text are added
 * @returns {Piece[]}
 */
export function explain(text, seen) {
  return text.split(/(\[\[.+?\]\])/).filter(Boolean).map((part) => {
    const marked = /^\[\[(.+?)(?:\|(.+?))?\]\]$/.exec(part);
    if (!marked) return {text: part, term: null};
    const term = marked[2] ?? marked[1].toLowerCase();
    if (seen.has(term) || !(term in GLOSSARY)) return {text: marked[1], term: null};
    seen.add(term);
    return {text: marked[1], term};
  });
}
