// A table: its counts, and its items page by page.
import { useState } from "preact/hooks";
import { call } from "../aws/client.js";
import { feed, useFeed } from "../feed.js";
import { bytes, count, rate } from "../format.js";
import { Chart } from "../parts/Chart.jsx";
import { Command, Content, quoted } from "../parts/Content.jsx";
import { NeedsKeys } from "../parts/Keys.jsx";
import { Problem, useAnswer } from "../parts/ask.jsx";
import { VirtualList } from "../parts/VirtualList.jsx";
import { Figures, Neighbours, Tabs, Title } from "./parts.jsx";

const PAGE = 50;

export function Table({ region, name, tab = "overview" }) {
  const { things } = useFeed();
  const thing = things.get(`${region} table ${name}`);
  const at = `#/table/${region}/${encodeURIComponent(name)}`;
  return (
    <>
      <Title kind="table" name={name} region={region} thing={thing} />
      <Tabs at={at} tab={tab} tabs={{ overview: "Overview", items: "Items" }} />
      {thing && tab === "overview" && <Overview thing={thing} />}
      {tab === "items" && <NeedsKeys><Items region={region} name={name} /></NeedsKeys>}
    </>
  );
}

function Overview({ thing }) {
  const per = (member) => feed.rate(thing.key, member);
  const counter = (member, label) => ({ member, label, isCounter: true });
  return (
    <>
      <Figures of={[
        ["Written", `${rate(per("in"))} items/s`, `${bytes(per("in_bytes"))}/s`],
        ["Read", `${rate(per("out"))} items/s`, `${bytes(per("out_bytes"))}/s`],
        ["Refused by capacity", count(thing.throttled + thing.throttled_reads), `${count(thing.throttled)} writes, ${count(thing.throttled_reads)} reads`],
        ["Partitions", count(thing.shards)],
      ]} />
      <div class="charts"><Chart title="Items a second" of={thing.key} lines={[counter("in", "written"), counter("out", "read")]} write={rate} /></div>
      <Neighbours thing={thing} />
      <Command text={`aws dynamodb describe-table --region ${thing.region} --table-name ${quoted(thing.name)}`} />
    </>
  );
}

function Items({ region, name }) {
  const [starts, go] = useState([undefined]);
  const [chosen, choose] = useState(0);
  const start = starts.at(-1);
  const found = useAnswer(async (signal) => {
    const { Table: { KeySchema: schema } } = await call("dynamodb", region, "DescribeTable", { TableName: name }, signal);
    const page = await call("dynamodb", region, "Scan", { TableName: name, Limit: PAGE, ExclusiveStartKey: start }, signal);
    return { keys: schema.map(({ AttributeName: of }) => of), items: page.Items, next: page.LastEvaluatedKey };
  }, [region, name, start]);
  const { keys = [], items = [], next } = found.answer ?? {};
  const item = items[chosen];
  return (
    <section>
      <p class="label">Read by Scan, {PAGE} items at a time, which uses the table's capacity as any reader does.</p>
      <Problem error={found.error} />
      {found.answer && !items.length && <p class="calm waiting">There are no items here.</p>}
      {items.length > 0 && (
        <div class="split">
          <VirtualList
            label="Items"
            columns="items"
            header={[keys.join(", "), "Item"]}
            rows={items.map((of, at) => ({ of, at }))}
            keyOf={({ at }) => at}
            row={({ of, at }) => (
              <>
                <span role="cell"><button type="button" class="link" aria-pressed={at === chosen} onClick={() => choose(at)}>{keys.map((key) => Object.values(of[key])[0]).join(" / ")}</button></span>
                <span role="cell" class="data">{JSON.stringify(of)}</span>
              </>
            )}
          />
          {item && <article class="detail" aria-label="Item"><Content key={chosen} bytes={new TextEncoder().encode(JSON.stringify(item))} /></article>}
        </div>
      )}
      <p class="buttons">
        <button type="button" disabled={starts.length === 1} onClick={() => go(starts.slice(0, -1))}>The page before</button>
        <button type="button" disabled={!next} onClick={() => { choose(0); go([...starts, next]); }}>The next page</button>
      </p>
    </section>
  );
}
