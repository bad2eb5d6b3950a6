// The tail of a stream: its newest records as they come, or those from a time or a number on, by GetRecords.
//
// It reads within bounds: some shards at a time, each once a second, and keeps so many records and no more.
import { call } from "../aws/client.js";
import { decode, fromBase64, recordsIn } from "./decode.js";

/** Shards that are read at a time. */
export const SHARDS_MAX = 8;
/** Records that are kept, the newest. */
export const KEPT_MAX = 2000;
const KEPT_BYTES_MAX = 16 * 1024 * 1024;
const AT_A_TIME = 200;
const PAUSE_MS = 1000;
const PREVIEW = 240;

/**
 * Reads until `signal` is aborted, and tells `onRecords` of what came, with how far behind the end it is.
 * `start` is an iterator's type with its number or time.
 */
export async function tail({ region, stream, shards, start, signal, onRecords }) {
  const each = shards.slice(0, SHARDS_MAX).map((shard) => follow({ region, stream, shard, start, signal, onRecords }));
  await Promise.all(each);
}

async function follow({ region, stream, shard, start, signal, onRecords }) {
  const asked = { StreamName: stream, ShardId: shard, ...start };
  let { ShardIterator: iterator } = await call("kinesis", region, "GetShardIterator", asked, signal);
  while (iterator && !signal.aborted) {
    const began = Date.now();
    try {
      const input = { ShardIterator: iterator, Limit: AT_A_TIME };
      const answer = await call("kinesis", region, "GetRecords", input, signal);
      iterator = answer.NextShardIterator;
      const records = await Promise.all(answer.Records.map((record) => taken(record, shard)));
      onRecords(records.flat(), answer.MillisBehindLatest);
    } catch (error) {
      if (error.code !== "ProvisionedThroughputExceededException") throw error;
    }
    await pause(PAUSE_MS - (Date.now() - began), signal);
  }
}

async function taken(record, shard) {
  const parts = await recordsIn(fromBase64(record.Data), record.PartitionKey);
  const packed = parts.length > 1 || parts[0]?.key !== record.PartitionKey ? parts.length : 0;
  return parts.map(({ key, bytes }, part) => ({
    id: `${shard} ${record.SequenceNumber} ${part}`,
    number: record.SequenceNumber,
    at: Math.round(record.ApproximateArrivalTimestamp * 1000),
    part: packed ? part : undefined,
    packed,
    shard,
    key,
    bytes,
    preview: preview(bytes),
  }));
}

/** The beginning of a record in one line. */
export function preview(bytes) {
  return decode(bytes.subarray(0, PREVIEW * 4)).text.replace(/\s+/g, " ").slice(0, PREVIEW);
}

/** Records and those that came, the newest last, within the bounds. */
export function kept(records, more) {
  const all = [...records, ...more].slice(-KEPT_MAX);
  let [size, from] = [0, all.length];
  while (from > 0 && size + all[from - 1].bytes.length <= KEPT_BYTES_MAX) size += all[(from -= 1)].bytes.length;
  return all.slice(Math.min(from, all.length - 1));
}

function pause(ms, signal) {
  return new Promise((done) => {
    const timer = setTimeout(done, Math.max(0, ms));
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      done();
    }, { once: true });
  });
}
