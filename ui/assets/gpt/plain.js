/** The kernels in plain JavaScript: slower, and what the fast ones are held against. kernels.js says what each does. */

/**
 * Four rows at a time, whose sums do not wait for one another. Each product is written out for its kind of numbers, with
 * whole numbers as places: anything more general takes two or three times as long.
 * @param {ArrayBuffer} buffer
 * @returns {import('./kernels.js').Kernels}
 */
export function plain(buffer) {
  const floats = new Float32Array(buffer);
  const bytes = new Int8Array(buffer);

  function timesVector(w, x, y, rows, columns) {
    w >>= 2;
    x >>= 2;
    y >>= 2;
    for (let r = 0; r < rows; r += 4) {
      const w1 = w + columns;
      const w2 = w1 + columns;
      const w3 = w2 + columns;
      let a = 0;
      let b = 0;
      let c = 0;
      let d = 0;
      for (let i = 0; i < columns; i++) {
        const value = floats[x + i];
        a += floats[w + i] * value;
        b += floats[w1 + i] * value;
        c += floats[w2 + i] * value;
        d += floats[w3 + i] * value;
      }
      floats[y + r] = a;
      floats[y + r + 1] = b;
      floats[y + r + 2] = c;
      floats[y + r + 3] = d;
      w = w3 + columns;
    }
  }

  function bytesTimesVector(w, scales, x, y, rows, columns) {
    scales >>= 2;
    x >>= 2;
    y >>= 2;
    for (let r = 0; r < rows; r += 4) {
      const w1 = w + columns;
      const w2 = w1 + columns;
      const w3 = w2 + columns;
      let a = 0;
      let b = 0;
      let c = 0;
      let d = 0;
      for (let i = 0; i < columns; i++) {
        const value = floats[x + i];
        a += bytes[w + i] * value;
        b += bytes[w1 + i] * value;
        c += bytes[w2 + i] * value;
        d += bytes[w3 + i] * value;
      }
      floats[y + r] = a * floats[scales + r];
      floats[y + r + 1] = b * floats[scales + r + 1];
      floats[y + r + 2] = c * floats[scales + r + 2];
      floats[y + r + 3] = d * floats[scales + r + 3];
      w = w3 + columns;
    }
  }

  function expand(w, scales, out, rows, columns) {
    scales >>= 2;
    out >>= 2;
    for (let r = 0; r < rows; r++) {
      const scale = floats[scales + r];
      for (let c = 0; c < columns; c++) floats[out + c] = bytes[w + c] * scale;
      w += columns;
      out += columns;
    }
  }

  function timesVectors(w, x, y, rows, columns, tokens, stride) {
    for (let t = 0; t < tokens; t++) timesVector(w, x + 4 * columns * t, y + stride * t, rows, columns);
  }

  function mix(weights, values, y, count, width) {
    weights >>= 2;
    values >>= 2;
    y >>= 2;
    for (let d = 0; d < width; d++) {
      let sum = 0;
      let at = values + d;
      for (let s = 0; s < count; s++) {
        sum += floats[weights + s] * floats[at];
        at += width;
      }
      floats[y + d] = sum;
    }
  }

  return {way: 'plain', timesVector, bytesTimesVector, expand, timesVectors, mix};
}
