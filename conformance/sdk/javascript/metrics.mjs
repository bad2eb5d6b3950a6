// CloudWatch through the JavaScript SDK v3: node metrics.mjs <namespace>
// The endpoint comes from AWS_ENDPOINT_URL.

import assert from "node:assert/strict";
import * as cloudwatch from "@aws-sdk/client-cloudwatch";

const Namespace = process.argv[2];
const client = new cloudwatch.CloudWatchClient({ maxAttempts: 1 });
const spoken = new Set();
client.middlewareStack.add((next) => (call) => {
  const { headers } = call.request;
  spoken.add(headers["content-type"]);
  return next(call);
}, { step: "finalizeRequest" });

const Dimensions = [{ Name: "Id", Value: "one" }];
const Timestamp = new Date(Math.floor(Date.now() / 60_000) * 60_000);
const datum = (more) => ({ MetricName: "m", Dimensions, Timestamp, Unit: "Count", ...more });
await client.send(new cloudwatch.PutMetricDataCommand({
  Namespace,
  MetricData: [
    datum({ Value: 1.5 }),
    datum({ Values: [2, 3], Counts: [1, 2] }),
    datum({ StatisticValues: { SampleCount: 2, Sum: 4, Minimum: 1, Maximum: 3 } }),
  ],
}));
const StartTime = Timestamp;
const EndTime = new Date(Timestamp.getTime() + 60_000);
const { Datapoints } = await client.send(new cloudwatch.GetMetricStatisticsCommand({
  Namespace, MetricName: "m", Dimensions, StartTime, EndTime, Period: 60, Statistics: ["Sum", "SampleCount", "Maximum"],
}));
assert.deepEqual(Datapoints, [{ Timestamp, Sum: 13.5, SampleCount: 6, Maximum: 3, Unit: "Count" }]);
const Metric = { Namespace, MetricName: "m", Dimensions };
const { MetricDataResults } = await client.send(new cloudwatch.GetMetricDataCommand({
  MetricDataQueries: [
    { Id: "m1", MetricStat: { Metric, Period: 60, Stat: "Sum" } },
    { Id: "e1", Expression: "m1 * 2" },
  ],
  StartTime, EndTime,
}));
assert.deepEqual(MetricDataResults.map(({ Id, Timestamps, Values }) => [Id, Timestamps, Values]), [
  ["m1", [Timestamp], [13.5]], ["e1", [Timestamp], [27]],
]);
const { Metrics } = await client.send(new cloudwatch.ListMetricsCommand({ Namespace }));
assert.deepEqual(Metrics, [Metric]);
await assert.rejects(client.send(new cloudwatch.PutMetricDataCommand({
  Namespace, MetricData: [datum({ Value: 1, Values: [1] })],
})), (error) =>
  error instanceof cloudwatch.InvalidParameterCombinationException && error.Code === "InvalidParameterCombination");
console.log(JSON.stringify({ sum: Datapoints[0].Sum, spoken: [...spoken] }));
process.exit(0);
