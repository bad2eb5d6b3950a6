// A mapping: what it calls with what, how far behind it is, and where it is blocked.
import { lambda } from "../aws/client.js";
import { feed, useFeed } from "../feed.js";
import { count, duration, rate } from "../format.js";
import { Chart } from "../parts/Chart.jsx";
import { Command } from "../parts/Content.jsx";
import { NeedsKeys } from "../parts/Keys.jsx";
import { useAnswer } from "../parts/ask.jsx";
import { Log } from "./Log.jsx";
import { Figures, Neighbours, Tabs, Title } from "./parts.jsx";

const SHOWN = {
  BatchSize: "Batch size",
  MaximumBatchingWindowInSeconds: "Batching window, s",
  ParallelizationFactor: "Batches of a shard at once",
  BisectBatchOnFunctionError: "Halves a batch that fails",
  MaximumRetryAttempts: "Retries (-1: without end)",
  MaximumRecordAgeInSeconds: "Age at which records are given up, s (-1: never)",
  TumblingWindowInSeconds: "Tumbling window, s",
  State: "State",
  LastProcessingResult: "Last result",
};

export function Mapping({ region, name, tab = "overview" }) {
  const { things } = useFeed();
  const thing = things.get(`${region} mapping ${name}`);
  const at = `#/mapping/${region}/${encodeURIComponent(name)}`;
  const called = thing?.to?.[0]?.replace(/^function /, "");
  return (
    <>
      <Title kind="mapping" name={name} region={region} thing={thing} />
      <Tabs at={at} tab={tab} tabs={{ overview: "Overview", settings: "Settings", log: "The function's log" }} />
      {thing && tab === "overview" && <Overview thing={thing} />}
      {tab === "settings" && <NeedsKeys><Settings region={region} name={name} /></NeedsKeys>}
      {tab === "log" && called && <NeedsKeys><Log region={region} group={`/aws/lambda/${called}`} /></NeedsKeys>}
    </>
  );
}

function Overview({ thing }) {
  const per = (member) => rate(feed.rate(thing.key, member));
  const counter = (member, label) => ({ member, label, isCounter: true });
  return (
    <>
      <Held thing={thing} />
      <Figures of={[
        ["Done", `${per("done")} records/s`, `${count(thing.done)} since the server started`],
        ["Calls", `${per("calls")}/s`, `${count(thing.failed)} of ${count(thing.calls)} failed`],
        ["Age of what is done", duration(thing.lag)],
        ["Blocked", `${count(thing.blocked)}`, thing.blocked === 1 ? "shard or part of one" : "shards or parts of such"],
        ["Lost to it", count(thing.given_up + thing.expired), `${count(thing.given_up)} given up, ${count(thing.expired)} expired`],
      ]} />
      <div class="charts">
        <Chart title="Records done a second" of={thing.key} lines={[counter("done", "done")]} write={rate} />
        <Chart title="Calls a second" of={thing.key} lines={[counter("calls", "calls"), counter("failed", "failed")]} write={rate} />
      </div>
      <Neighbours thing={thing} />
      <Command text={`aws lambda get-event-source-mapping --region ${thing.region} --uuid ${thing.name}`} />
    </>
  );
}

/** The ways to the record that a blocked mapping stands before, and to what its function says. */
function Held({ thing: { region, name, from, trouble } }) {
  if (!trouble) return null;
  const stream = from?.[0]?.match(/^(?:stream|consumer) ([^/]+)/)?.[1];
  const number = new URLSearchParams({ type: "AT_SEQUENCE_NUMBER", shard: trouble.shard ?? "", number: trouble.record ?? "" });
  return (
    <p class="lead">
      {stream && trouble.record && <a class="button primary" href={`#/stream/${region}/${encodeURIComponent(stream)}/tail?${number}`}>Show the record</a>}
      <a class="button" href={`#/mapping/${region}/${encodeURIComponent(name)}/log`}>What the function says</a>
    </p>
  );
}

function Settings({ region, name }) {
  const found = useAnswer(async (signal) => (await lambda(region, "GET", `/event-source-mappings/${name}`, { signal })).json(), [region, name]);
  if (!found.answer) return null;
  return (
    <dl class="facts-list wide">
      {Object.entries(SHOWN).filter(([member]) => found.answer[member] !== undefined).map(([member, words]) => (
        <><dt key={member}>{words}</dt><dd>{String(found.answer[member])}</dd></>
      ))}
    </dl>
  );
}
