// Records that KPL packed into one: four bytes, a message of Protocol Buffers, and the MD5 of that. The format is that of
// the aggregation crate, which writes and reads it in the server.
import { md5 } from "./md5.js";

const MAGIC = [0xf3, 0x89, 0x9a, 0xc2];
const DIGEST_BYTES = 16;

/** The records in an aggregate, or null where it is none. */
export async function unpack(bytes) {
  if (bytes.length <= MAGIC.length + DIGEST_BYTES || MAGIC.some((byte, at) => bytes[at] !== byte)) return null;
  const message = bytes.subarray(MAGIC.length, bytes.length - DIGEST_BYTES);
  const digest = bytes.subarray(bytes.length - DIGEST_BYTES);
  if (md5(message).some((byte, at) => byte !== digest[at])) return null;
  try {
    const fields = read(message);
    const keys = fields.filter(([number]) => number === 1).map(([, value]) => new TextDecoder().decode(value));
    const records = fields.filter(([number]) => number === 3).map(([, value]) => new Map(read(value)));
    return records.map((record) => ({ key: keys[record.get(1)] ?? "", bytes: record.get(3) ?? new Uint8Array() }));
  } catch {
    return null;
  }
}

/** The fields of a message: numbers and byte strings, the only ones that there are. */
function read(bytes) {
  const [fields, at] = [[], { place: 0 }];
  while (at.place < bytes.length) {
    const tag = varint(bytes, at);
    const [number, kind] = [tag >>> 3, tag & 7];
    if (kind !== 0 && kind !== 2) throw new Error("a field of another kind");
    const value = varint(bytes, at);
    if (kind === 0) {
      fields.push([number, value]);
      continue;
    }
    if (at.place + value > bytes.length) throw new Error("a field beyond the end");
    fields.push([number, bytes.subarray(at.place, at.place + value)]);
    at.place += value;
  }
  return fields;
}

function varint(bytes, at) {
  let value = 0;
  for (let place = 0; place < 35; place += 7) {
    if (at.place >= bytes.length) break;
    const byte = bytes[at.place];
    at.place += 1;
    value += (byte & 0x7f) * 2 ** place;
    if (byte < 0x80) return value;
  }
  throw new Error("a number without an end");
}
