// Kinesis through the JavaScript SDK v3: node kinesis.mjs streams|fanout <name> http1|http2
// The endpoint comes from AWS_ENDPOINT_URL. Prints a summary, or exits with the first mismatch.

import assert from "node:assert/strict";
import * as sdk from "@aws-sdk/client-kinesis";
import { NodeHttp2Handler, NodeHttpHandler } from "@smithy/node-http-handler";

const [scenario, name, protocol] = process.argv.slice(2);
const StreamName = name;
const scenarios = { streams, fanout };

// The SDK's own choice for Kinesis is HTTP/2.
const kinesis = new sdk.KinesisClient(protocol === "http1" ? { requestHandler: new NodeHttpHandler() } : {});
const Handler = protocol === "http1" ? NodeHttpHandler : NodeHttp2Handler;
assert.equal(kinesis.config.requestHandler.constructor.name, Handler.name);
const send = (command) => kinesis.send(command);
console.log(JSON.stringify({ client: "javascript", protocol, scenario, ...(await scenarios[scenario]()) }));
kinesis.destroy();

async function streams() {
  await create(2);
  await refusals();
  await settings();
  const expected = new Map();
  const single = { PartitionKey: "single", Data: Uint8Array.from({ length: 256 }, (_, i) => i) };
  await send(new sdk.PutRecordCommand({ StreamName, ...single }));
  remember(expected, [single]);
  await put(expected, 0);
  const middle = String(1n << 126n);
  await send(new sdk.SplitShardCommand({ StreamName, ShardToSplit: shard(0), NewStartingHashKey: middle }));
  await active();
  await put(expected, 1);
  await send(new sdk.MergeShardsCommand({ StreamName, ShardToMerge: shard(3), AdjacentShardToMerge: shard(1) }));
  await active();
  await put(expected, 2);
  const { Shards } = await send(new sdk.ListShardsCommand({ StreamName }));
  assert.deepEqual(lineage(Shards), [[], [], [shard(0)], [shard(0)], [shard(1), shard(3)]]);
  assert.deepEqual(await readAll(), expected);
  await remove();
  return { records: [...expected.values()].flat().length, shards: Shards.length };
}

async function fanout() {
  await create(1);
  const { StreamARN } = (await summary()).StreamDescriptionSummary;
  const registered = await send(new sdk.RegisterStreamConsumerCommand({ StreamARN, ConsumerName: "reader" }));
  const { ConsumerARN } = registered.Consumer;
  await until(async () => {
    const answer = await send(new sdk.DescribeStreamConsumerCommand({ ConsumerARN }));
    return answer.ConsumerDescription.ConsumerStatus === "ACTIVE";
  });
  const expected = new Map();
  await put(expected, 0);
  const StartingPosition = { Type: "TRIM_HORIZON" };
  const subscription = { ConsumerARN, ShardId: shard(0), StartingPosition };
  const { EventStream } = await send(new sdk.SubscribeToShardCommand(subscription));
  await assert.rejects(send(new sdk.SubscribeToShardCommand(subscription)), sdk.ResourceInUseException);
  const found = new Map();
  let pushed = 0, last, children = [];
  for await (const { SubscribeToShardEvent: event, ...other } of EventStream) {
    assert.deepEqual(other, {});
    remember(found, event.Records);
    if (event.Records.length) last = event;
    pushed += event.Records.length;
    children = event.ChildShards ?? [];
    if (pushed === 100 && event.Records.length) await put(expected, 1);
    if (pushed === 200 && event.Records.length) await split();
  }
  assert.deepEqual(found, expected);
  assert.ok(BigInt(last.ContinuationSequenceNumber) >= BigInt(last.Records.at(-1).SequenceNumber));
  assert.deepEqual(children.map((child) => [child.ShardId, child.ParentShards]),
    [[shard(1), [shard(0)]], [shard(2), [shard(0)]]]);
  await send(new sdk.DeregisterStreamConsumerCommand({ ConsumerARN }));
  await until(async () => (await send(new sdk.ListStreamConsumersCommand({ StreamARN }))).Consumers.length === 0);
  await remove();
  return { pushed };
}

async function create(ShardCount) {
  await send(new sdk.CreateStreamCommand({ StreamName, ShardCount }));
  await active();
}

async function active() {
  await sdk.waitUntilStreamExists({ client: kinesis, maxWaitTime: 20, minDelay: 1 }, { StreamName });
}

async function remove() {
  await send(new sdk.DeleteStreamCommand({ StreamName }));
  await sdk.waitUntilStreamNotExists({ client: kinesis, maxWaitTime: 20, minDelay: 1 }, { StreamName });
}

function summary() {
  return send(new sdk.DescribeStreamSummaryCommand({ StreamName }));
}

function split() {
  const NewStartingHashKey = String(1n << 127n);
  return send(new sdk.SplitShardCommand({ StreamName, ShardToSplit: shard(0), NewStartingHashKey }));
}

async function refusals() {
  const unknown = new sdk.DescribeStreamSummaryCommand({ StreamName: `${name}-unknown` });
  await assert.rejects(send(unknown), (error) =>
    error instanceof sdk.ResourceNotFoundException && error.message.includes(`${name}-unknown`));
  const again = new sdk.CreateStreamCommand({ StreamName, ShardCount: 1 });
  await assert.rejects(send(again), sdk.ResourceInUseException);
  const record = { PartitionKey: "k", Data: new Uint8Array(1), ExplicitHashKey: String(1n << 128n) };
  await assert.rejects(send(new sdk.PutRecordCommand({ StreamName, ...record })), sdk.InvalidArgumentException);
}

async function settings() {
  const found = [];
  for await (const page of sdk.paginateListStreams({ client: kinesis, pageSize: 1 }, {})) found.push(...page.StreamNames);
  assert.ok(found.includes(name));
  await send(new sdk.IncreaseStreamRetentionPeriodCommand({ StreamName, RetentionPeriodHours: 48 }));
  const { StreamDescriptionSummary: description } = await summary();
  assert.equal(description.RetentionPeriodHours, 48);
  assert.equal(description.OpenShardCount, 2);
  assert.ok(Math.abs(Date.now() - description.StreamCreationTimestamp) < 60_000);
  await send(new sdk.AddTagsToStreamCommand({ StreamName, Tags: { one: "1", two: "zwei ä" } }));
  await send(new sdk.RemoveTagsFromStreamCommand({ StreamName, TagKeys: ["one"] }));
  const { Tags } = await send(new sdk.ListTagsForStreamCommand({ StreamName }));
  assert.deepEqual(Tags, [{ Key: "two", Value: "zwei ä" }]);
}

// A hundred records of ten keys, of 0 to 990 bytes that no text encoding has.
async function put(expected, round) {
  const Records = Array.from({ length: 100 }, (_, i) => ({
    PartitionKey: `key-${i % 10}`,
    Data: Uint8Array.from([round, i, ...Array.from({ length: i * 10 }, (_, j) => (i * j) % 256)]),
  }));
  const answer = await send(new sdk.PutRecordsCommand({ StreamName, Records }));
  assert.equal(answer.FailedRecordCount, 0);
  remember(expected, Records);
}

function remember(byKey, records) {
  for (const { PartitionKey, Data } of records) {
    byKey.set(PartitionKey, [...(byKey.get(PartitionKey) ?? []), Buffer.from(Data).toString("hex")]);
  }
}

async function readAll() {
  const found = new Map(), read = new Set(), ready = [shard(0), shard(1)];
  while (ready.length) {
    const ShardId = ready.shift();
    const children = await readShard(ShardId, found);
    read.add(ShardId);
    for (const child of children) {
      if (child.ParentShards.every((parent) => read.has(parent))) ready.push(child.ShardId);
    }
  }
  return found;
}

async function readShard(ShardId, found) {
  const start = { StreamName, ShardId, ShardIteratorType: "TRIM_HORIZON" };
  let { ShardIterator } = await send(new sdk.GetShardIteratorCommand(start));
  for (;;) {
    const answer = await send(new sdk.GetRecordsCommand({ ShardIterator, Limit: 60 }));
    remember(found, answer.Records);
    ShardIterator = answer.NextShardIterator;
    if (!ShardIterator) return answer.ChildShards;
    if (!answer.Records.length && answer.MillisBehindLatest === 0) return [];
  }
}

function lineage(shards) {
  return shards.map((s) => [s.ParentShardId, s.AdjacentParentShardId].filter(Boolean).sort());
}

async function until(condition) {
  for (let i = 0; i < 100; i++) {
    if (await condition()) return;
    await new Promise((done) => setTimeout(done, 100));
  }
  assert.fail(`never: ${condition}`);
}

function shard(n) {
  return `shardId-${String(n).padStart(12, "0")}`;
}
