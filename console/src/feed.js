// The feed of the server: what there is, what it counted, and how that was some minutes ago, for rates and charts.
import { useEffect, useState } from "preact/hooks";

const HISTORY_MS = 180_000;
const SHARD_HISTORY_MS = 12_000;
const RATE_MS = 5_000;
const TRY_AGAIN_MS = 3_000;
/** Longer than the time between two events. */
const PAUSE_MS = 2_500;

/** The members of a shard's array. */
export const SHARD = { open: 0, in: 1, in_bytes: 2, out: 3, out_bytes: 4, throttled: 5, throttled_reads: 6, age: 7 };

class Feed {
  /** connecting, live or lost. */
  state = "connecting";
  /** The time of the last event, by the server's clock. */
  at = 0;
  /** The facts about the server. */
  server = null;
  /** The things but shards, by key. */
  things = new Map();
  /** By stream, as `region name`: its shards by index. */
  shards = new Map();
  #history = new Map();
  #listeners = new Set();
  #source = null;
  /** The time of the event before, where nobody listened between it and the one that is taken. */
  #silentFrom = undefined;

  /** Listens for as long as the page is shown: the server draws for nobody who does not look. */
  start() {
    document.addEventListener("visibilitychange", () => this.#listen());
    this.#listen();
  }

  #listen() {
    if (document.hidden) {
      this.#source?.close();
      this.#source = null;
    } else if (!this.#source) {
      this.#open();
    }
  }

  #open() {
    const source = new EventSource("events");
    this.#source = source;
    source.onmessage = (event) => this.take(JSON.parse(event.data));
    source.onerror = () => {
      this.state = "lost";
      this.#tell();
      if (source.readyState === EventSource.CLOSED) setTimeout(() => this.#again(source), TRY_AGAIN_MS);
    };
  }

  /** Listens anew in the place of a source that was refused, unless the page was hidden since. */
  #again(source) {
    if (this.#source !== source) return;
    this.#source = null;
    this.#listen();
  }

  /** Takes an event over: a whole picture, or what changed. */
  take({ at, server, things, gone = [] }) {
    if (server) this.#renew(server, things);
    this.#silentFrom = server && this.at && at - this.at > PAUSE_MS ? this.at : undefined;
    this.state = "live";
    this.at = at;
    for (const [key, value] of Object.entries(things)) this.#set(key, value);
    for (const key of gone) this.#remove(key);
    this.#tell();
  }

  on(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** How much a member grew in a second, of late; of a shard, the member's place. */
  rate(key, member, span = RATE_MS) {
    const entries = this.#history.get(key);
    if (!entries) return 0;
    const [now] = entries.at(-1).slice(1);
    const since = this.at - span;
    const after = entries.findIndex(([at]) => at > since);
    const old = Math.max(0, (after < 0 ? entries.length : after) - 1);
    const grown = (now[member] ?? 0) - valueAt(entries, old, since, member);
    const passed = Math.min(span, this.at - entries[0][0]);
    return passed > 0 ? Math.max(0, grown) / (passed / 1000) : 0;
  }

  /** The points of a chart: seconds, and for each of the members its value, or its rate where it is a counter. */
  series(key, members) {
    const entries = this.#history.get(key) ?? [];
    const from = Math.max(this.at - HISTORY_MS + 30_000, entries[0]?.[0] ?? 0);
    const times = [];
    for (let at = from; at <= this.at; at += 1000) times.push(at);
    const lines = members.map(({ member, isCounter }) => line(entries, times, member, isCounter));
    return [times.map((at) => at / 1000), ...lines];
  }

  #set(key, value) {
    const [region, kind, name] = split(key);
    const isShard = kind === "shard";
    if (isShard) {
      const cut = name.lastIndexOf("/");
      const of = `${region} ${name.slice(0, cut)}`;
      if (!this.shards.has(of)) this.shards.set(of, new Map());
      this.shards.get(of).set(Number(name.slice(cut + 1)), value);
    } else {
      this.things.set(key, Object.assign(value, { key, region, kind, name }));
    }
    this.#remember(key, value, isShard ? SHARD_HISTORY_MS : HISTORY_MS);
  }

  #remember(key, value, span) {
    const entries = this.#history.get(key) ?? [];
    entries.push([this.at, value, this.#silentFrom]);
    // One entry is kept from before the span: what was then still holds at its beginning.
    while (entries.length > 2 && entries[1][0] < this.at - span) entries.shift();
    this.#history.set(key, entries);
  }

  #remove(key) {
    const [region, kind, name] = split(key);
    this.#history.delete(key);
    if (kind !== "shard") return this.things.delete(key);
    const cut = name.lastIndexOf("/");
    this.shards.get(`${region} ${name.slice(0, cut)}`)?.delete(Number(name.slice(cut + 1)));
  }

  /** A whole picture takes the place of all. After a pause counts go on where they were, unless the server began anew. */
  #renew(server, things) {
    if (this.server?.started !== server.started) this.#history = new Map();
    for (const key of this.#history.keys()) if (!(key in things)) this.#history.delete(key);
    this.server = server;
    this.things = new Map();
    this.shards = new Map();
  }

  #tell() {
    if (!document.hidden || this.state !== "live") for (const listener of this.#listeners) listener();
  }
}

/** Region, kind and name of a key; names hold no blanks, but a name may be anything behind the second. */
function split(key) {
  const first = key.indexOf(" ");
  const second = key.indexOf(" ", first + 1);
  return [key.slice(0, first), key.slice(first + 1, second), key.slice(second + 1)];
}

/** A member at a time behind an entry, before the next one. Where nobody listened before that, it grew evenly. */
function valueAt(entries, index, at, member) {
  const was = entries[index]?.[1][member] ?? 0;
  const [until, next, silentFrom] = entries[index + 1] ?? [];
  if (silentFrom === undefined || at <= silentFrom) return was;
  return was + (((next[member] ?? 0) - was) * (at - silentFrom)) / (until - silentFrom);
}

function line(entries, times, member, isCounter) {
  let next = 0;
  const values = times.map((at) => {
    while (next + 1 < entries.length && entries[next + 1][0] <= at + 500) next += 1;
    return valueAt(entries, next, at, member);
  });
  if (!isCounter) return values;
  // How much came before the first value is not known: it is drawn as the second.
  const grown = (at) => Math.max(0, values[at] - values[at - 1]);
  return values.map((_, at) => (values.length < 2 ? 0 : grown(Math.max(1, at))));
}

/** The one feed of the page. */
export const feed = new Feed();

/** The feed, for a part that is drawn again with every event. */
export function useFeed() {
  const [, again] = useState(0);
  useEffect(() => feed.on(() => again((times) => times + 1)), []);
  return feed;
}
