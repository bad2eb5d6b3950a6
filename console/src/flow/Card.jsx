// A thing in the picture: what it is, how it is doing, how much goes through it, and why not where it does not.
import { feed } from "../feed.js";
import { bytes, count, duration, percent, rate } from "../format.js";
import { Spark } from "../parts/Spark.jsx";
import { Ago } from "../parts/Time.jsx";
import { KINDS, WORDS, addressOf, titleOf } from "./states.js";

const SHARD_BYTES = 1024 * 1024;
const SHARD_RECORDS = 1000;
const OWN_VIEW = new Set(["stream", "table", "topic", "queue", "mapping", "delivery", "channel", "function", "bucket"]);
for (const kind of ["consumer", "subscription", "stream-queue"]) OWN_VIEW.add(kind);

export function Card({ node: { thing, state }, at }) {
  const place = { transform: `translate(${at.x}px, ${at.y}px)`, width: `${at.width}px`, height: `${at.height}px` };
  const Tag = OWN_VIEW.has(thing.kind) || thing.kind === "poll" ? "a" : "div";
  const address = Tag === "a" ? addressOf(thing.of ?? thing) : undefined;
  return (
    <Tag class={`card ${state}`} style={place} href={address}>
      <span class="kind">{KINDS[thing.kind] ?? thing.kind}<State state={state} isQuiet={thing.implied} /></span>
      <span class="name"><strong title={titleOf(thing)}>{titleOf(thing)}</strong>{!thing.trouble && <Spark thing={thing} />}</span>
      {thing.trouble
        ? <span class="why"><b>for <Ago ms={thing.trouble.since} />:</b> {thing.trouble.text}</span>
        : <span class="facts">{facts(thing)}</span>}
      {thing.trouble && <span class="facts">{facts(thing)}</span>}
    </Tag>
  );
}

/** A state: a mark whose form differs, and a word. */
export function State({ state, isQuiet }) {
  if (isQuiet && state === "idle") return null;
  return <span class={`state ${state}`}><i aria-hidden="true" />{WORDS[state]}</span>;
}

/** The line of figures that says most about a kind. */
export function facts(thing) {
  const per = (member) => feed.rate(thing.key, member);
  const waiting = thing.behind > 0 && `${count(thing.behind)} waiting`;
  const lag = thing.lag > 999 && `${duration(thing.lag)} behind`;
  const told = {
    producers: () => [`${rate(thing.rates?.in ?? 0)} records/s`, `${bytes(thing.rates?.in_bytes ?? 0)}/s`],
    stream: () => [`${rate(per("in"))}/s`, `${bytes(per("in_bytes"))}/s`, `${percent(shareOfLimit(thing))} of limit`],
    table: () => [`${rate(per("in"))} written/s`, `${rate(per("out"))} read/s`],
    topic: () => [`${rate(per("in"))} messages/s`],
    queue: () => [thing.behind === undefined ? "" : `${count(thing.behind)} waiting`, thing.in_flight && `${count(thing.in_flight)} in flight`],
    poll: () => [`${rate(feed.rate(thing.of.key, "out"))} read/s`, lag],
    function: () => thing.calls !== undefined && [`${rate(per("calls"))} calls/s`, thing.failed > 0 && `${count(thing.failed)} failed`],
    consumer: () => [`${rate(per("out"))} sent/s`, lag, `${thing.subscriptions} subscriptions`],
    mapping: () => [`${rate(per("done"))}/s`, lag, thing.failed > 0 && `${count(thing.failed)} failed calls`],
    subscription: () => [`${rate(per("done"))}/s`, waiting, thing.failed > 0 && `${count(thing.failed)} failed`],
  };
  const list = (told[thing.kind] ?? (() => !thing.implied && [`${rate(per("done"))}/s`, waiting, lag]))();
  return (list || []).filter(Boolean).join(" · ");
}

/** How much of what its shards may take is put into a stream. */
export function shareOfLimit({ key, shards }) {
  const [records, size] = [feed.rate(key, "in"), feed.rate(key, "in_bytes")];
  return Math.max(records / SHARD_RECORDS, size / SHARD_BYTES) / Math.max(1, shards);
}
