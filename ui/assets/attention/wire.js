/** What the server, an exported file or a model in the page answers about attention: the blocks of gpt/wire.py, read. No DOM. */

/**
 * @typedef {object} Said what a layer would say next
 * @property {number} id
 * @property {string} text
 * @property {number} p probability, 0 to 1
 */

/**
 * @typedef {object} Lens
 * @property {number} first position of its first entry; the others follow
 * @property {number} top entries a layer
 * @property {Uint32Array} ids
 * @property {Float32Array} p
 * @property {Float32Array} next for each position the probability of every token; empty for a large vocabulary
 */

/**
 * A text's attention. Positions count from the window's first token; `start` is that token's place in the text.
 * @typedef {object} Trace
 * @property {string} id of the checkpoint
 * @property {string} model its name
 * @property {string} text as the model read it, all of it
 * @property {number} layers
 * @property {number} heads
 * @property {number} tokens positions
 * @property {number} start
 * @property {number[]} before tokens of the text before the window
 * @property {number} blockSize positions that the window can hold
 * @property {number} vocabSize
 * @property {string[]} pieces text of each position
 * @property {number[]} ids token of each position
 * @property {Uint8Array} rows row t holds layers * heads * (t + 1) bytes from `rowStart(trace, t)` on; empty when there are thumbnails
 * @property {number} side of a thumbnail in cells, 0 when there are rows
 * @property {Uint8Array} thumbnails
 * @property {Lens} lens
 * @property {Record<string, string>} names text of the tokens in the lens
 * @property {number | null} loss bits a token, over the window
 * @property {[number, number][]} silenced
 * @property {Role[][]} roles a row a layer
 * @property {Record<string, string>} scores what each score of a role is called
 * @property {boolean} effects whether the effect of each head can be asked for
 * @property {string[]} notes sentences for the person
 */

/**
 * @typedef {object} Role
 * @property {string} role
 * @property {string} words
 * @property {string} short
 * @property {string} says one sentence
 * @property {number} score 0 to 1
 * @property {Record<string, number>} scores
 */

/**
 * @param {import('../common/packet.js').Packet} packet
 * @returns {Trace}
 */
export function readTrace({header, blocks}) {
  const {layers, heads, tokens, block_size: blockSize, side} = header;
  const trace = {
    id: header.id, model: header.model ?? '', text: header.text ?? header.pieces.join(''), layers, heads, tokens, start: header.start,
    before: header.before ?? [], blockSize,
    vocabSize: header.vocab_size, pieces: header.pieces, ids: header.ids, rows: new Uint8Array(0), side,
    thumbnails: blocks.thumbnails ?? new Uint8Array(0), lens: readLens(header, blocks), names: header.names,
    loss: header.loss, silenced: header.silenced, roles: header.roles ?? [], scores: header.scores ?? {}, effects: header.effects ?? true, notes: header.notes ?? [],
  };
  if (side === 0) {
    trace.rows = new Uint8Array((layers * heads * blockSize * (blockSize + 1)) / 2); // room for the text to grow
    trace.rows.set(blocks.rows);
  }
  return trace;
}

/**
 * The trace of the text that has grown: a packet whose first row follows the last one known. What was known stays.
 * @param {Trace} trace
 * @param {import('../common/packet.js').Packet} packet
 * @returns {Trace}
 * @throws {Error} the rows do not follow
 */
export function extend(trace, {header, blocks}) {
  if (header.first !== trace.tokens || header.start !== trace.start || header.id !== trace.id || trace.side) {
    throw new Error('these rows do not follow those that are known');
  }
  trace.rows.set(blocks.rows, rowStart(trace, trace.tokens));
  const lens = readLens(header, blocks);
  const known = trace.lens.first + trace.lens.ids.length / ((trace.layers + 1) * trace.lens.top);
  return {
    ...trace,
    tokens: header.tokens, text: trace.text + (header.added ?? header.pieces).join(''), pieces: [...trace.pieces, ...header.pieces], ids: [...trace.ids, ...header.ids],
    loss: header.loss, names: {...trace.names, ...header.names}, notes: header.notes ?? trace.notes,
    lens: lens.first === known && lens.top === trace.lens.top
      ? {...trace.lens, ids: joined(Uint32Array, trace.lens.ids, lens.ids), p: joined(Float32Array, trace.lens.p, lens.p), next: joined(Float32Array, trace.lens.next, lens.next)}
      : lens,
  };
}

/**
 * The same trace as it was when the text had fewer tokens: steps back share the rows.
 * @param {Trace} trace
 * @param {number} tokens
 * @returns {Trace}
 */
export function cut(trace, tokens) {
  const gone = trace.pieces.slice(tokens).join('').length;
  return {...trace, tokens, pieces: trace.pieces.slice(0, tokens), ids: trace.ids.slice(0, tokens), text: trace.text.slice(0, trace.text.length - gone), loss: null};
}

/** Where row t begins in `rows`: layer by layer, head by head, t + 1 bytes each. */
export function rowStart({layers, heads}, t) {
  return (layers * heads * t * (t + 1)) / 2;
}

/**
 * @param {Trace} trace
 * @param {number} position
 * @returns {Said[][] | null} for the embedding and each layer the most probable next tokens; null where it was not sent
 */
export function lensAt(trace, position) {
  const {first, top, ids, p} = trace.lens;
  const size = (trace.layers + 1) * top;
  const from = (position - first) * size;
  if (position < first || from + size > ids.length) return null;
  return readSaid(ids.subarray(from, from + size), p.subarray(from, from + size), top, trace.names);
}

/**
 * How probable a token is after a position, at temperature 1.
 * @param {Trace} trace
 * @param {number} position
 * @param {number} id
 * @returns {number | null} null where only the likeliest were sent, and it is none of them
 */
export function nextProbability(trace, position, id) {
  const {first, next} = trace.lens;
  const at = (position - first) * trace.vocabSize + id;
  if (position >= first && at < next.length) return next[at];
  return lensAt(trace, position)?.at(-1)?.find((said) => said.id === id)?.p ?? null;
}

/**
 * @param {Uint32Array} ids
 * @param {Float32Array} p
 * @param {number} top
 * @param {Record<string, string>} names
 * @returns {Said[][]}
 */
export function readSaid(ids, p, top, names) {
  const layers = [];
  for (let at = 0; at < ids.length; at += top) {
    layers.push(Array.from({length: top}, (_, i) => ({id: ids[at + i], text: names[ids[at + i]] ?? '', p: p[at + i]})));
  }
  return layers;
}

function readLens(header, blocks) {
  return {
    first: header.lens_first,
    top: header.lens_top,
    ids: new Uint32Array(blocks.lens_ids.buffer, 0, blocks.lens_ids.length / 4),
    p: new Float32Array(blocks.lens_p.buffer, 0, blocks.lens_p.length / 4),
    next: new Float32Array((blocks.next_p ?? new Uint8Array(0)).buffer),
  };
}

function joined(Type, a, b) {
  const both = new Type(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
