/** Packets: a JSON header and blocks of bytes, in the format of gpt/wire.py. Packed here for a file that carries its own. No DOM. */

const MAGIC = 'GLTW';
const VERSION = 1;

/** @typedef {{header: any, blocks: Record<string, Uint8Array>}} Packet */

/**
 * @param {ArrayBuffer | Uint8Array} bytes
 * @returns {Promise<Packet>}
 * @throws {Error} not a packet of ours
 */
export async function unpack(bytes) {
  const inflated = new Blob([/** @type {BlobPart} */ (bytes)]).stream().pipeThrough(new DecompressionStream('deflate'));
  const plain = new Uint8Array(await new Response(inflated).arrayBuffer());
  const view = new DataView(plain.buffer);
  if (plain.length < 12 || String.fromCharCode(...plain.subarray(0, 4)) !== MAGIC || view.getUint32(4, true) !== VERSION) {
    throw new Error(`not a packet of version ${VERSION}`);
  }
  let at = 12 + view.getUint32(8, true);
  const header = JSON.parse(new TextDecoder().decode(plain.subarray(12, at)));
  /** @type {Record<string, Uint8Array>} */
  const blocks = {};
  for (const [name, size] of Object.entries(header.blocks)) {
    blocks[name] = plain.slice(at, at + /** @type {number} */ (size)); // a copy: a view of numbers must be aligned
    at += /** @type {number} */ (size);
  }
  return {header, blocks};
}

/** @param {Packet} packet @returns {Promise<Uint8Array>} deflated, in the format of gpt/wire.py */
export async function pack({header, blocks}) {
  const sizes = Object.fromEntries(Object.entries(blocks).map(([name, block]) => [name, block.length]));
  let text = JSON.stringify({...header, blocks: sizes});
  const encoder = new TextEncoder();
  text += ' '.repeat((4 - (encoder.encode(text).length % 4)) % 4); // numbers that follow stay aligned
  const words = encoder.encode(text);
  const head = new Uint8Array(12);
  head.set(encoder.encode(MAGIC));
  new DataView(head.buffer).setUint32(4, VERSION, true);
  new DataView(head.buffer).setUint32(8, words.length, true);
  const parts = /** @type {BlobPart[]} */ ([head, words, ...Object.values(blocks)]);
  const deflated = new Blob(parts).stream().pipeThrough(new CompressionStream('deflate'));
  return new Uint8Array(await new Response(deflated).arrayBuffer());
}

/** @param {Uint8Array} bytes */
export function toBase64(bytes) {
  let text = '';
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
}

/** @param {string} text */
export function fromBase64(text) {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}
