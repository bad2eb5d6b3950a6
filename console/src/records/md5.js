// MD5 (RFC 1321), which browsers do not offer. It tells KPL's records from others; nothing is kept safe by it.

const SHIFTS = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
const SINES = Array.from({ length: 64 }, (_, at) => Math.floor(Math.abs(Math.sin(at + 1)) * 2 ** 32) | 0);

/** The digest of bytes. */
export function md5(bytes) {
  const blocks = new Uint8Array(Math.ceil((bytes.length + 9) / 64) * 64);
  blocks.set(bytes);
  blocks[bytes.length] = 0x80;
  const view = new DataView(blocks.buffer);
  view.setUint32(blocks.length - 8, bytes.length << 3, true);
  view.setUint32(blocks.length - 4, Math.floor(bytes.length / 2 ** 29), true);
  let state = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476].map((word) => word | 0);
  for (let block = 0; block < blocks.length; block += 64) {
    const after = round(state, view, block);
    state = state.map((word, at) => (word + after[at]) | 0);
  }
  const digest = new DataView(new ArrayBuffer(16));
  state.forEach((word, at) => digest.setInt32(at * 4, word, true));
  return new Uint8Array(digest.buffer);
}

function round([a, b, c, d], view, block) {
  for (let step = 0; step < 64; step += 1) {
    const turn = step >> 4;
    const mixed = [(b & c) | (~b & d), (d & b) | (~d & c), b ^ c ^ d, c ^ (b | ~d)][turn];
    const word = [step, 5 * step + 1, 3 * step + 5, 7 * step][turn] % 16;
    const sum = (a + mixed + SINES[step] + view.getInt32(block + word * 4, true)) | 0;
    const shift = SHIFTS[turn][step % 4];
    [a, b, c, d] = [d, (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0, b, c];
  }
  return [a, b, c, d];
}
