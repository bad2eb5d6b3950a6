// A stream: its rates, its shards with their lineage, its tail, and a record put into it.
import { useMemo, useState } from "preact/hooks";
import { call } from "../aws/client.js";
import { SHARD, feed, useFeed } from "../feed.js";
import { shareOfLimit } from "../flow/Card.jsx";
import { bytes, count, duration, percent, rate } from "../format.js";
import { Chart } from "../parts/Chart.jsx";
import { Command, quoted } from "../parts/Content.jsx";
import { NeedsKeys } from "../parts/Keys.jsx";
import { Problem, useAnswer } from "../parts/ask.jsx";
import { VirtualList } from "../parts/VirtualList.jsx";
import { Figures, Neighbours, Tabs, Title } from "./parts.jsx";
import { Put } from "./Put.jsx";
import { Tail } from "./Tail.jsx";

const SHARD_BYTES = 1024 * 1024;
const HOT_SHARE = 0.8;
const PAGES_MAX = 10;

export function Stream({ region, name, tab = "overview", params }) {
  const { things } = useFeed();
  const thing = things.get(`${region} stream ${name}`);
  const listed = useAnswer((signal) => listShards(region, name, signal), [region, name, thing?.shards]);
  const shards = listed.answer ?? fromFeed(region, name);
  const at = `#/stream/${region}/${encodeURIComponent(name)}`;
  return (
    <>
      <Title kind="stream" name={name} region={region} thing={thing} />
      <Tabs at={at} tab={tab} tabs={{ overview: "Overview", shards: `Shards (${count(thing?.shards)})`, tail: "Live tail", put: "Put a record" }} />
      {tab === "overview" && thing && <Overview thing={thing} />}
      {tab === "shards" && <Shards region={region} name={name} shards={shards} at={at} problem={listed.error} />}
      {tab === "tail" && <NeedsKeys><Tail key={JSON.stringify(params)} region={region} stream={name} shards={shards} from={params} /></NeedsKeys>}
      {tab === "put" && <NeedsKeys><Put region={region} stream={name} /></NeedsKeys>}
    </>
  );
}

function Overview({ thing }) {
  const per = (member) => feed.rate(thing.key, member);
  const counters = (...members) => members.map(([member, label]) => ({ member, label, isCounter: true }));
  return (
    <>
      <Figures of={[
        ["Put", `${rate(per("in"))} records/s`, `${bytes(per("in_bytes"))}/s`],
        ["Of its limit", percent(shareOfLimit(thing)), `${count(thing.shards)} open shards`],
        ["Read by GetRecords", `${rate(per("out"))} records/s`, thing.age ? `${duration(thing.age)} old when read` : "up to date"],
        ["Refused by limits", `${rate(per("throttled"))} records/s`, `${count(thing.throttled)} in all`],
      ]} />
      <div class="charts">
        <Chart title="Records a second" of={thing.key} lines={counters(["in", "put"], ["out", "read"], ["throttled", "refused"])} write={rate} />
        <Chart title="Bytes a second" of={thing.key} lines={counters(["in_bytes", "put"], ["out_bytes", "read"])} write={bytes} />
      </div>
      <Neighbours thing={thing} />
      <Command text={`aws kinesis describe-stream-summary --region ${thing.region} --stream-name ${quoted(thing.name)}`} />
    </>
  );
}

function Shards({ region, name, shards, at, problem }) {
  const [words, find] = useState("");
  const [sort, order] = useState("hash");
  const children = useMemo(() => childrenOf(shards), [shards]);
  const told = feed.shards.get(`${region} ${name}`) ?? new Map();
  const index = (id) => Number(id.slice(-12));
  const rateOf = (id, member) => feed.rate(`${region} shard ${name}/${index(id)}`, SHARD[member], 4000);
  const found = shards.filter(({ ShardId: id }) => id.includes(words.trim()));
  const rows = sort === "rate" ? [...found].sort((a, b) => rateOf(b.ShardId, "in_bytes") - rateOf(a.ShardId, "in_bytes")) : found;
  return (
    <section>
      <form class="controls" onSubmit={(event) => event.preventDefault()}>
        <label class="grow">Find <input type="search" data-search value={words} placeholder="part of a shard's id" onInput={(event) => find(event.target.value)} /></label>
        <label>Order <select value={sort} onChange={(event) => order(event.target.value)}><option value="hash">by id</option><option value="rate">busiest first</option></select></label>
      </form>
      <Problem error={problem?.code === "NoKeys" ? null : problem} />
      <VirtualList
        label="Shards"
        columns="shards"
        header={["Shard", "Hash keys from", "Put", "Of its limit", "Refused", "Lineage"]}
        rows={rows}
        keyOf={({ ShardId: id }) => id}
        height={520}
        row={(shard) => <Shard shard={shard} told={told.get(index(shard.ShardId))} rateOf={rateOf} children={children.get(shard.ShardId)} at={at} />}
      />
    </section>
  );
}

function Shard({ shard: { ShardId: id, HashKeyRange: range, ParentShardId: parent, AdjacentParentShardId: other }, told, rateOf, children, at }) {
  const size = rateOf(id, "in_bytes");
  const share = Math.max(size / SHARD_BYTES, rateOf(id, "in") / 1000);
  const short = (shard) => Number(shard.slice(-12));
  const from = [parent, other].filter(Boolean).map(short).join(" and ");
  const lineage = [from && `from ${from}`, children && `then ${children.map(short).join(" and ")}`, told?.[SHARD.open] === 0 && "closed"];
  return (
    <>
      <span role="cell" class="mono"><a href={`${at}/tail?shard=${id}`}>{id}</a></span>
      <span role="cell" class="mono dim" title={range && `${range.StartingHashKey} to ${range.EndingHashKey}`}>{range?.StartingHashKey ?? ""}</span>
      <span role="cell" class="number">{rate(rateOf(id, "in"))}/s · {bytes(size)}/s</span>
      <span role="cell"><meter min="0" max="1" high={HOT_SHARE} value={Math.min(1, share)} aria-label={`${percent(share)} of its limit`} /> {percent(share)}{share > HOT_SHARE && <b class="hot"> hot</b>}</span>
      <span role="cell" class="number">{told ? count(told[SHARD.throttled]) : ""}</span>
      <span role="cell" class="dim">{lineage.filter(Boolean).join(", ")}</span>
    </>
  );
}

function childrenOf(shards) {
  const children = new Map();
  for (const { ShardId: id, ParentShardId: parent, AdjacentParentShardId: other } of shards) {
    for (const of of [parent, other]) if (of) children.set(of, [...(children.get(of) ?? []), id]);
  }
  return children;
}

async function listShards(region, name, signal) {
  const shards = [];
  let input = { StreamName: name };
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const answer = await call("kinesis", region, "ListShards", input, signal);
    shards.push(...answer.Shards);
    if (!answer.NextToken) break;
    input = { NextToken: answer.NextToken };
  }
  return shards;
}

/** The shards that the feed tells of, without ranges and lineage: what is there without keys. */
function fromFeed(region, name) {
  const told = feed.shards.get(`${region} ${name}`) ?? new Map();
  return [...told.keys()].sort((a, b) => a - b).map((index) => ({ ShardId: `shardId-${String(index).padStart(12, "0")}` }));
}
