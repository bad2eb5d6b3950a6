// KPL's aggregated records through npm's aws-kinesis-agg: node aggregation.mjs aggregate|deaggregate <stream> [count]
// `aggregate` puts <count> records packed together; `deaggregate` prints all records of the stream, taken apart.

import assert from "node:assert/strict";
import agg from "aws-kinesis-agg";
import * as sdk from "@aws-sdk/client-kinesis";

const [scenario, StreamName, count] = process.argv.slice(2);
const kinesis = new sdk.KinesisClient({});
console.log(JSON.stringify(await { aggregate, deaggregate }[scenario]()));
kinesis.destroy();

async function aggregate() {
  const records = Array.from({ length: Number(count) }, (_, i) => ({
    partitionKey: `key-${i % 3}`,
    explicitHashKey: i % 2 ? String(i) : undefined,
    data: Buffer.from(`line ${i}\n`),
  }));
  const packed = [];
  await new Promise((done, failed) => {
    agg.aggregate(records, (record, next) => { packed.push(record); next(); }, done, failed);
  });
  for (const { partitionKey: PartitionKey, data: Data } of packed) {
    await kinesis.send(new sdk.PutRecordCommand({ StreamName, PartitionKey, Data }));
  }
  return { packed: packed.length };
}

async function deaggregate() {
  const records = [];
  const { Shards } = await kinesis.send(new sdk.ListShardsCommand({ StreamName }));
  for (const { ShardId } of Shards) records.push(...(await readShard(ShardId)));
  const found = records.flatMap(apart);
  return { packed: records.length, records: found.map((data) => Buffer.from(data, "base64").toString("hex")) };
}

function apart({ PartitionKey: partitionKey, SequenceNumber: sequenceNumber, Data }) {
  const record = { partitionKey, sequenceNumber, data: Buffer.from(Data).toString("base64"), kinesisSchemaVersion: "1.0" };
  let found;
  agg.deaggregateSync(record, true, (error, records) => {
    assert.ifError(error);
    found = records.map((one) => one.data);
  });
  return found;
}

async function readShard(ShardId) {
  const start = { StreamName, ShardId, ShardIteratorType: "TRIM_HORIZON" };
  let { ShardIterator } = await kinesis.send(new sdk.GetShardIteratorCommand(start));
  const found = [];
  for (;;) {
    const answer = await kinesis.send(new sdk.GetRecordsCommand({ ShardIterator }));
    found.push(...answer.Records);
    ShardIterator = answer.NextShardIterator;
    if (!answer.Records.length && answer.MillisBehindLatest === 0) return found;
  }
}
