// How a thing is doing, in one word that is the same wherever it is shown.
import { feed } from "../feed.js";

const LATE_MS = 60_000;

/** The states, from the worst to the best, with the words for them. */
export const WORDS = {
  stuck: "stuck",
  blocked: "blocked",
  throttled: "throttled",
  late: "late",
  off: "off",
  flowing: "flowing",
  idle: "idle",
};

/** The state of a thing. */
export function stateOf(thing) {
  if (thing.trouble) return thing.kind === "mapping" ? "blocked" : "stuck";
  if (thing.enabled === false) return "off";
  if (feed.rate(thing.key, "throttled") > 0) return "throttled";
  if (isLate(thing)) return "late";
  return ["in", "out", "done", "calls"].some((member) => feed.rate(thing.key, member) > 0) ? "flowing" : "idle";
}

/** Whether something waits for longer than it should. */
function isLate({ behind, lag, interval_s: interval }) {
  return behind > 0 && lag > LATE_MS + 2000 * (interval ?? 0);
}

/** Whether an operator should look at a state. */
export const isBad = (state) => state === "stuck" || state === "blocked";

/** The things that something stops, those that have been for longest first. */
export function troubled() {
  const all = [...feed.things.values()].filter((thing) => thing.trouble);
  return all.sort((a, b) => a.trouble.since - b.trouble.since);
}

/** What a person calls a thing: a mapping by what it joins, as its name is an id. */
export function titleOf(thing) {
  const short = (place) => place?.slice(place.indexOf(" ") + 1) ?? "?";
  if (thing.kind === "mapping") return `${short(thing.from?.[0])} → ${short(thing.to?.[0])}`;
  if (thing.kind === "subscription") return `${short(thing.from?.[0])} → ${short(thing.to?.[0])}`;
  return thing.name;
}

/** The address of a thing's own view; none where it has none. */
export function addressOf({ region, kind, name }) {
  return `#/${kind}/${region}/${encodeURIComponent(name)}`;
}

/** What kinds are called. */
export const KINDS = {
  producers: "Producers",
  stream: "Stream",
  table: "Table",
  topic: "Topic",
  queue: "Queue",
  mapping: "Mapping",
  delivery: "Delivery stream",
  channel: "Channel",
  consumer: "Consumer",
  subscription: "Subscription",
  "stream-queue": "Queue of a stream",
  poll: "GetRecords",
  function: "Function",
  bucket: "Bucket",
  http: "HTTP endpoint",
  splunk: "Splunk",
  opensearch: "OpenSearch",
  database: "Database",
};
