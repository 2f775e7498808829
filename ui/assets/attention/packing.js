/** Packets written: what wire.js unpacks, for a file that carries its traces with it. No DOM. */

/** @param {import('./source.js').Packet} packet @returns {Promise<Uint8Array>} deflated, in the format of gpt/wire.py */
export async function pack({header, blocks}) {
  const sizes = Object.fromEntries(Object.entries(blocks).map(([name, block]) => [name, block.length]));
  let text = JSON.stringify({...header, blocks: sizes});
  const encoder = new TextEncoder();
  text += ' '.repeat((4 - (encoder.encode(text).length % 4)) % 4); // numbers that follow stay aligned
  const words = encoder.encode(text);
  const head = new Uint8Array(12);
  head.set(encoder.encode('GLTW'));
  new DataView(head.buffer).setUint32(4, 1, true);
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
