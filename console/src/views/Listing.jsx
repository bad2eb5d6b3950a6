// All things of a kind, in a list that may be long.
import { useState } from "preact/hooks";
import { lambda, s3Xml } from "../aws/client.js";
import { list } from "../aws/xml.js";
import { useFeed } from "../feed.js";
import { State, facts } from "../flow/Card.jsx";
import { KINDS, addressOf, stateOf, titleOf } from "../flow/states.js";
import { count } from "../format.js";
import { useAnswer } from "../parts/ask.jsx";
import { VirtualList } from "../parts/VirtualList.jsx";

const PAGES_MAX = 20;

export function Listing({ kind }) {
  const { things, server } = useFeed();
  const [words, find] = useState("");
  const named = useAnswer((signal) => (server ? namesOf(kind, server.region, signal) : Promise.resolve([])), [kind, server?.region]);
  const all = [...things.values()].filter((thing) => thing.kind === kind);
  const known = new Set(all.map(({ key }) => key));
  for (const name of [...(named.answer ?? []), ...impliedNames(kind, things)]) {
    const key = `${server?.region} ${kind} ${name}`;
    if (!known.has(key)) all.push({ key, region: server?.region, kind, name, implied: true });
    known.add(key);
  }
  const wanted = words.trim().toLowerCase();
  const rows = all.filter((thing) => titleOf(thing).toLowerCase().includes(wanted)).sort(worstFirst);
  return (
    <>
      <header class="title"><p><a href="#/">Flow</a> / all regions</p><h1>{KINDS[kind]}s</h1></header>
      <form class="controls" onSubmit={(event) => event.preventDefault()}>
        <label class="grow">Find <input type="search" data-search placeholder="part of a name (press / to come here)" value={words} onInput={(event) => find(event.target.value)} /></label>
      </form>
      <p class="label" role="status">{count(rows.length)} of {count(all.length)}</p>
      <VirtualList
        label={`${KINDS[kind]}s`}
        columns="things"
        header={["Name", "State", "Now", "Region"]}
        rows={rows}
        keyOf={({ key }) => key}
        rowHeight={40}
        height={600}
        row={(thing) => (
          <>
            <span role="cell"><a href={addressOf(thing)}>{titleOf(thing)}</a></span>
            <span role="cell"><State state={stateOf(thing)} isQuiet={thing.implied} /></span>
            <span role="cell" class="dim">{thing.trouble ? thing.trouble.text : facts(thing)}</span>
            <span role="cell" class="dim">{thing.region}</span>
          </>
        )}
      />
    </>
  );
}

function worstFirst(a, b) {
  return Boolean(b.trouble) - Boolean(a.trouble) || (titleOf(a) < titleOf(b) ? -1 : 1);
}

/** Names of a kind that things of the feed pass records to. */
function impliedNames(kind, things) {
  const places = [...things.values()].flatMap(({ to = [], function: called }) => [...to, called]).filter(Boolean);
  return places.filter((place) => place.startsWith(`${kind} `)).map((place) => place.slice(kind.length + 1));
}

/** The names that the feed may not tell of, as AWS's API lists them. */
async function namesOf(kind, region, signal) {
  if (kind === "bucket") {
    const answer = await s3Xml(region, "", {}, signal);
    return list(answer.Buckets?.Bucket).map(({ Name }) => Name);
  }
  if (kind !== "function") return [];
  const names = [];
  let marker;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const answer = await (await lambda(region, "GET", "/functions", { query: marker ? { Marker: marker } : {}, signal })).json();
    names.push(...answer.Functions.map(({ FunctionName }) => FunctionName));
    marker = answer.NextMarker;
    if (!marker) break;
  }
  return names;
}
