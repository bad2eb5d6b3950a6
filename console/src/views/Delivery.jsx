// A delivery stream, or a channel: its buffer, where it is, what it could not deliver and why.
import { feed, useFeed } from "../feed.js";
import { bytes, count, duration, rate } from "../format.js";
import { Chart } from "../parts/Chart.jsx";
import { Command, quoted } from "../parts/Content.jsx";
import { NeedsKeys } from "../parts/Keys.jsx";
import { At } from "../parts/Time.jsx";
import { ErrorRecords } from "./ErrorRecords.jsx";
import { Objects } from "./Objects.jsx";
import { Figures, Neighbours, Tabs, Title } from "./parts.jsx";
import { Put } from "./Put.jsx";

export function Delivery({ kind, region, name, tab = "overview", params }) {
  const { things } = useFeed();
  const thing = things.get(`${region} ${kind} ${name}`);
  const at = `#/${kind}/${region}/${encodeURIComponent(name)}`;
  const tabs = { overview: "Overview", errors: "Records it set aside", objects: "Objects" };
  if (thing?.in !== undefined && kind === "delivery") tabs.put = "Put a record";
  return (
    <>
      <Title kind={kind} name={name} region={region} thing={thing} />
      <Tabs at={at} tab={tab} tabs={tabs} />
      {thing && tab === "overview" && <Overview thing={thing} kind={kind} />}
      {thing && tab === "errors" && <NeedsKeys><ErrorRecords region={region} thing={thing} /></NeedsKeys>}
      {thing && tab === "objects" && <NeedsKeys><Objects key={params.folder} region={region} bucket={thing.bucket} start={fixedPart(thing.prefix)} at={`${at}/objects`} params={params} /></NeedsKeys>}
      {thing && tab === "put" && <NeedsKeys><Put region={region} delivery={name} /></NeedsKeys>}
    </>
  );
}

/** The part of a prefix before its first expression. */
export const fixedPart = (prefix) => (prefix ?? "").split("!{")[0];

function Overview({ thing, kind }) {
  return (
    <>
      <Oldest thing={thing} />
      <Figures of={[
        ["Waiting", count(thing.behind), thing.lag > 0 ? `the oldest for ${duration(thing.lag)}` : "all is delivered"],
        ["Delivered", count(thing.done), `${bytes(thing.done_bytes)} in ${count(thing.batches)} batches, in all its life`],
        thing.in !== undefined && ["Put", `${rate(feed.rate(thing.key, "in"))} records/s`, thing.throttled ? `${count(thing.throttled)} refused by quotas` : `${bytes(feed.rate(thing.key, "in_bytes"))}/s`],
        ["Batch", thing.delivering ? "being delivered" : "gathering", `closed after ${thing.interval_s} s or ${thing.size_mib} MiB`],
        ["Errors", count(thing.failed), "since the server started"],
      ]} />
      <div class="charts">
        <Chart title="Records waiting" of={thing.key} lines={[{ member: "behind", label: "waiting" }]} write={rate} />
        <Chart title="Records delivered a second" of={thing.key} lines={[{ member: "done", label: "delivered", isCounter: true }, { member: "in", label: "put", isCounter: true }]} write={rate} />
      </div>
      <Neighbours thing={thing} />
      {kind === "delivery" && <Command text={`aws firehose describe-delivery-stream --region ${thing.region} --delivery-stream-name ${quoted(thing.name)}`} />}
    </>
  );
}

/** The way to the record that a stuck delivery stands before, where it reads a stream. */
function Oldest({ thing }) {
  const stream = thing.from?.[0]?.match(/^stream (.*)/)?.[1];
  if (!thing.trouble || !stream || !thing.lag) return null;
  const arrived = Math.max(0, feed.at - thing.lag - 1000);
  const at = `#/stream/${thing.region}/${encodeURIComponent(stream)}/tail?type=AT_TIMESTAMP&time=${arrived}`;
  return <p class="lead"><a class="button primary" href={at}>Show the records that wait</a><span>The oldest arrived <At ms={arrived + 1000} /></span></p>;
}
