// Buckets, and the things of which the feed tells all that there is to see.
import { feed, useFeed } from "../feed.js";
import { bytes, count, duration, rate } from "../format.js";
import { Chart } from "../parts/Chart.jsx";
import { NeedsKeys } from "../parts/Keys.jsx";
import { Objects } from "./Objects.jsx";
import { Figures, Neighbours, Title } from "./parts.jsx";

export function Bucket({ region, name, params }) {
  useFeed();
  return (
    <>
      <Title kind="bucket" name={name} region={region} />
      <NeedsKeys><Objects key={params.folder} region={region} bucket={name} at={`#/bucket/${region}/${name}`} params={params} /></NeedsKeys>
      <Neighbours thing={{ region, kind: "bucket", name }} />
    </>
  );
}

/** The members that are told of, with their words. */
const WORDS = {
  behind: ["Waiting", count],
  in_flight: ["In flight", count],
  delayed: ["Delayed", count],
  dead_letters: ["Dead letters", count],
  lag: ["Behind", duration],
  in: ["In, since the start", count],
  out: ["Out, since the start", count],
  out_bytes: ["Bytes out", bytes],
  done: ["Delivered", count],
  failed: ["Failed tries", count],
  filtered: ["Filtered out", count],
  given_up: ["Given up", count],
  subscriptions: ["Subscriptions", count],
  protocol: ["Protocol", String],
};

export function Other({ kind, region, name }) {
  const { things } = useFeed();
  const thing = things.get(`${region} ${kind} ${name}`);
  const counters = ["in", "out", "done"].filter((member) => thing?.[member] !== undefined);
  const told = Object.entries(WORDS).filter(([member]) => thing?.[member] !== undefined && thing[member] !== null);
  return (
    <>
      <Title kind={kind} name={name} region={region} thing={thing} />
      {thing && (
        <>
          <Figures of={told.map(([member, [words, write]]) => [words, write(thing[member])])} />
          <div class="charts">
            {counters.length > 0 && <Chart title="Records a second" of={thing.key} lines={counters.map((member) => ({ member, label: member, isCounter: true }))} write={rate} />}
            {thing.behind !== undefined && <Chart title="Waiting" of={thing.key} lines={[{ member: "behind", label: "waiting" }]} write={rate} />}
          </div>
          <Neighbours thing={thing} />
          {feed.state === "live" && kind === "queue" && thing.behind === undefined && <p class="label">Nobody received from it since the server started: how much is in it is not known without loading it.</p>}
        </>
      )}
    </>
  );
}
