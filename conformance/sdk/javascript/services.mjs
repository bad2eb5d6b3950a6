// S3, Lambda and Firehose through the JavaScript SDK v3: node services.mjs objects|functions|deliveries <name>
// `functions` takes a zip with an index.mjs besides. The endpoint comes from AWS_ENDPOINT_URL.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import * as firehose from "@aws-sdk/client-firehose";
import * as lambda from "@aws-sdk/client-lambda";
import * as s3 from "@aws-sdk/client-s3";

const [scenario, name, zip] = process.argv.slice(2);
const scenarios = { objects, functions, deliveries };
const Role = "arn:aws:iam::000000000000:role/any";
const store = new s3.S3Client({});
console.log(JSON.stringify(await scenarios[scenario]()));
process.exit(0);

async function objects() {
  const Bucket = name, Key = "a folder/ä+%.bin";
  await store.send(new s3.CreateBucketCommand({ Bucket }));
  const whole = Buffer.alloc(1 << 20, Uint8Array.of(0, 1, 255, 13, 10));
  await store.send(new s3.PutObjectCommand({ Bucket, Key, Body: whole, Metadata: { one: "1" } }));
  const got = await store.send(new s3.GetObjectCommand({ Bucket, Key, ChecksumMode: "ENABLED" }));
  assert.deepEqual(Buffer.from(await got.Body.transformToByteArray()), whole);
  assert.deepEqual(got.Metadata, { one: "1" });
  assert.ok(got.ChecksumCRC32);
  const part = await store.send(new s3.GetObjectCommand({ Bucket, Key, Range: "bytes=1-3" }));
  assert.deepEqual(await part.Body.transformToByteArray(), Uint8Array.of(1, 255, 13));
  // A body that is sent as it comes, with its checksum behind it.
  const streamed = { Body: Readable.from([whole.subarray(0, 70_000), whole.subarray(70_000)]), ContentLength: whole.length };
  await store.send(new s3.PutObjectCommand({ Bucket, Key: "streamed", ...streamed }));
  const { Contents } = await store.send(new s3.ListObjectsV2Command({ Bucket }));
  assert.deepEqual(Contents.map((entry) => [entry.Key, entry.Size]), [[Key, whole.length], ["streamed", whole.length]]);
  await assert.rejects(store.send(new s3.GetObjectCommand({ Bucket, Key: "none" })), s3.NoSuchKey);
  await store.send(new s3.DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key }, { Key: "streamed" }] } }));
  await store.send(new s3.DeleteBucketCommand({ Bucket }));
  await assert.rejects(store.send(new s3.HeadBucketCommand({ Bucket })), s3.NotFound);
  return { bytes: 2 * whole.length };
}

async function functions() {
  const client = new lambda.LambdaClient({}), FunctionName = name;
  const Code = { ZipFile: await readFile(zip) };
  const configuration = { Runtime: "nodejs20.x", Handler: "index.handler", Role };
  await client.send(new lambda.CreateFunctionCommand({ FunctionName, Code, ...configuration }));
  await lambda.waitUntilFunctionActiveV2({ client, maxWaitTime: 30 }, { FunctionName });
  const Payload = JSON.stringify({ text: "ä" });
  const answer = await client.send(new lambda.InvokeCommand({ FunctionName, Payload, LogType: "Tail" }));
  assert.equal(answer.FunctionError, undefined);
  assert.deepEqual(JSON.parse(answer.Payload.transformToString()), { echo: { text: "ä" } });
  assert.match(Buffer.from(answer.LogResult, "base64").toString(), /seen/);
  const { Configuration } = await client.send(new lambda.GetFunctionCommand({ FunctionName }));
  assert.equal(Configuration.Handler, configuration.Handler);
  await client.send(new lambda.DeleteFunctionCommand({ FunctionName }));
  const gone = client.send(new lambda.GetFunctionCommand({ FunctionName }));
  await assert.rejects(gone, lambda.ResourceNotFoundException);
  return { invoked: 1 };
}

async function deliveries() {
  const client = new firehose.FirehoseClient({}), DeliveryStreamName = name, Bucket = name;
  await store.send(new s3.CreateBucketCommand({ Bucket }));
  const ExtendedS3DestinationConfiguration = {
    RoleARN: Role,
    BucketARN: `arn:aws:s3:::${Bucket}`,
    BufferingHints: { IntervalInSeconds: 0, SizeInMBs: 1 },
  };
  await client.send(new firehose.CreateDeliveryStreamCommand({ DeliveryStreamName, ExtendedS3DestinationConfiguration }));
  await until(async () => {
    const answer = await client.send(new firehose.DescribeDeliveryStreamCommand({ DeliveryStreamName }));
    return answer.DeliveryStreamDescription.DeliveryStreamStatus === "ACTIVE";
  });
  const lines = Array.from({ length: 100 }, (_, i) => `line ${i}\n`);
  const Records = lines.map((line) => ({ Data: Buffer.from(line) }));
  const put = await client.send(new firehose.PutRecordBatchCommand({ DeliveryStreamName, Records }));
  assert.equal(put.FailedPutCount, 0);
  await until(async () => (await read(Bucket)) === lines.join(""));
  await client.send(new firehose.DeleteDeliveryStreamCommand({ DeliveryStreamName }));
  const gone = client.send(new firehose.PutRecordCommand({ DeliveryStreamName: `${name}-none`, Record: Records[0] }));
  await assert.rejects(gone, firehose.ResourceNotFoundException);
  return { delivered: lines.length };
}

async function read(Bucket) {
  const { Contents = [] } = await store.send(new s3.ListObjectsV2Command({ Bucket }));
  const bodies = Contents.map(async ({ Key }) =>
    (await store.send(new s3.GetObjectCommand({ Bucket, Key }))).Body.transformToString());
  return (await Promise.all(bodies)).join("");
}

async function until(condition) {
  for (let i = 0; i < 300; i++) {
    if (await condition()) return;
    await new Promise((done) => setTimeout(done, 100));
  }
  assert.fail(`never: ${condition}`);
}
