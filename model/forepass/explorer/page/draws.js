"use strict";
// Draws as the page's file holds them: deflated, shuffled by byte, in base64; see packing.py.

async function unpacked(text, places) {
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const ranks = new Uint8Array(await new Response(stream).arrayBuffer());
  const count = ranks.length / 4;
  const bytes = new Uint8Array(ranks.length);
  for (let rank = 0; rank < 4; rank++) {
    for (let i = 0; i < count; i++) bytes[4 * i + rank] = ranks[rank * count + i];
  }
  const all = new Float32Array(bytes.buffer);
  const found = {};
  for (const [name, [start, ...shape]] of Object.entries(places)) {
    const size = shape.reduce((product, length) => product * length, 1);
    found[name] = { shape, values: all.subarray(start, start + size) };
  }
  return found;
}

// The part of an array at its first places; what has fewer dims than places is taken whole.
function partOf(array, ...at) {
  let size = array.values.length;
  let start = 0;
  at.forEach((place, dim) => {
    size /= array.shape[dim];
    start += place * size;
  });
  return array.values.subarray(start, start + size);
}
