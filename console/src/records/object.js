// An object's bytes, unpacked where they are gzip's, as far as a page should hold them.

/** Bytes of an object that are read. */
export const OBJECT_BYTES_MAX = 4 * 1024 * 1024;

/** The first bytes of an answer's body. */
export async function readObject(response) {
  const packed = await firstOf(response.body);
  if (packed[0] !== 0x1f || packed[1] !== 0x8b) return packed;
  const source = new Blob([packed]).stream();
  return firstOf(source.pipeThrough(new DecompressionStream("gzip")));
}

async function firstOf(stream) {
  const [reader, pieces] = [stream.getReader(), []];
  let size = 0;
  try {
    while (size < OBJECT_BYTES_MAX) {
      const { done, value } = await reader.read();
      if (done) break;
      pieces.push(value);
      size += value.length;
    }
  } catch (error) {
    // What was cut off ends within a member of gzip; what came before it is shown.
    if (!size) throw error;
  }
  reader.cancel().catch(() => {});
  return new Uint8Array(await new Blob(pieces).arrayBuffer()).subarray(0, OBJECT_BYTES_MAX);
}
