// The things of the feed as a graph in layers: producers, what holds records, who reads it, where it goes.
import { feed } from "../feed.js";
import { isBad, stateOf } from "./states.js";

/** Nodes of a layer that are drawn; the rest is told of by number. */
const LAYER_MAX = 24;

/** A stream is read by GetRecords where that was done within this time. */
const READ_OF_LATE_MS = 60_000;

const FIRST_LAYER = { producers: 0, stream: 1, table: 1, topic: 1, queue: 1, mapping: 2, delivery: 2, channel: 2 };
Object.assign(FIRST_LAYER, { consumer: 2, subscription: 2, "stream-queue": 2, poll: 2 });
const SINK_LAYER = 3;

/** The layers of a graph, each with its nodes in order and the number of those left out, and its edges. */
export function graph() {
  const nodes = new Map();
  for (const thing of feed.things.values()) nodes.set(thing.key, nodeOf(thing));
  const edges = [];
  for (const node of [...nodes.values()]) joinUp(node, nodes, edges);
  const layers = inLayers(nodes, edges).map(cutDown);
  const shown = new Set(layers.flatMap(({ nodes: of }) => of.map(({ key }) => key)));
  const drawn = edges.filter(({ from, to }) => shown.has(from) && shown.has(to));
  makeWay(layers, drawn);
  order(layers, drawn);
  return { layers, edges: drawn };
}

function nodeOf(thing) {
  return { key: thing.key, thing, state: stateOf(thing), flow: flowOf(thing) };
}

/** Records a second that go through a thing. */
export function flowOf({ key }) {
  return Math.max(...["in", "out", "done", "calls"].map((member) => feed.rate(key, member)));
}

/** Adds the edges of a node, and the nodes at their ends that the feed does not tell of. */
function joinUp({ thing, state }, nodes, edges) {
  const at = (place) => {
    const key = `${thing.region} ${place}`;
    if (!nodes.has(key)) nodes.set(key, implied(key, thing.region, place));
    return key;
  };
  const bad = isBad(state);
  const flow = (members) => Math.max(...members.map((member) => feed.rate(thing.key, member)));
  if (thing.in !== undefined) edges.push({ from: producers(thing.region, nodes), to: thing.key, flow: flow(["in"]) });
  for (const place of thing.from ?? []) {
    if (place) edges.push({ from: at(place), to: thing.key, flow: flow(["done", "out"]), bad });
  }
  for (const place of thing.to ?? []) edges.push({ from: thing.key, to: at(place), flow: flow(["done", "calls"]), bad });
  if (thing.function) edges.push({ from: thing.key, to: at(thing.function), flow: flow(["done"]), aside: true });
  if (thing.kind === "stream" && feed.rate(thing.key, "out", READ_OF_LATE_MS) > 0) {
    edges.push({ from: thing.key, to: poll(thing, nodes), flow: flow(["out"]) });
  }
}

function implied(key, region, place) {
  const cut = place.indexOf(" ");
  const thing = { key, region, kind: place.slice(0, cut), name: place.slice(cut + 1), implied: true };
  return { key, thing, state: "idle", flow: 0 };
}

function producers(region, nodes) {
  const key = `${region} producers `;
  if (!nodes.has(key)) {
    const sum = (member) => [...feed.things.values()].filter((of) => of.in !== undefined && of.region === region)
      .reduce((all, { key: of }) => all + feed.rate(of, member), 0);
    const thing = { key, region, kind: "producers", name: "Producers", rates: { in: sum("in"), in_bytes: sum("in_bytes") } };
    nodes.set(key, { key, thing, state: thing.rates.in > 0 ? "flowing" : "idle", flow: thing.rates.in });
  }
  return key;
}

/** Those who read a stream by GetRecords: nobody says who they are, but what they get is counted. */
function poll(stream, nodes) {
  const key = `${stream.region} poll ${stream.name}`;
  const flow = feed.rate(stream.key, "out");
  const thing = { key, region: stream.region, kind: "poll", name: stream.name, of: stream, lag: stream.age };
  nodes.set(key, { key, thing, state: flow > 0 ? "flowing" : "idle", flow });
  return key;
}

/** The layer of each node: behind all that it has records from. */
function inLayers(nodes, edges) {
  const layer = new Map([...nodes].map(([key, { thing }]) => [key, FIRST_LAYER[thing.kind] ?? SINK_LAYER]));
  // A circle would go on for ever; no path is longer than this.
  for (let turn = 0; turn < 6; turn += 1) {
    for (const { from, to, aside } of edges) {
      if (!aside) layer.set(to, Math.min(6, Math.max(layer.get(to), layer.get(from) + 1)));
    }
  }
  const layers = [];
  for (const [key, number] of layer) (layers[number] ??= []).push(nodes.get(key));
  return Array.from(layers, (of) => of ?? []).filter((of) => of.length);
}

/** Leaves a gap in each layer that an edge passes, so that it does not run below cards. */
function makeWay(layers, edges) {
  const layerOf = new Map(layers.flatMap(({ nodes }, number) => nodes.map(({ key }) => [key, number])));
  for (const edge of edges) {
    edge.via = [];
    for (let number = layerOf.get(edge.from) + 1; number < layerOf.get(edge.to); number += 1) {
      const gap = { key: `${edge.from}>${edge.to}>${number}`, isGap: true };
      layers[number].nodes.push(gap);
      edge.via.push(gap.key);
    }
  }
}

/** Puts nodes beside those that they are joined to, so that few edges cross; otherwise by name. */
function order(layers, edges) {
  const place = new Map();
  const number = (layer) => layer.forEach(({ key }, at) => place.set(key, at / layer.length));
  for (const { nodes: layer } of layers) {
    layer.sort((a, b) => (a.key < b.key ? -1 : 1));
    number(layer);
  }
  const beside = new Map();
  for (const { from, to, via } of edges) {
    [from, ...via].forEach((key, at) => {
      const next = [...via, to][at];
      beside.set(next, [...(beside.get(next) ?? []), key]);
    });
  }
  for (const { nodes: layer } of layers.slice(1)) {
    const mean = ({ key }) => {
      const places = (beside.get(key) ?? []).map((of) => place.get(of) ?? 0);
      return places.length ? places.reduce((a, b) => a + b) / places.length : 1;
    };
    const means = new Map(layer.map((node) => [node.key, mean(node)]));
    layer.sort((a, b) => means.get(a.key) - means.get(b.key));
    number(layer);
  }
}

/** The nodes of a layer that are drawn: those in trouble first, then those with most records. */
function cutDown(nodes) {
  if (nodes.length <= LAYER_MAX) return { nodes, left: 0 };
  const worth = ({ state, flow }) => (isBad(state) ? Infinity : flow);
  const kept = new Set([...nodes].sort((a, b) => worth(b) - worth(a)).slice(0, LAYER_MAX));
  return { nodes: nodes.filter((node) => kept.has(node)), left: nodes.length - LAYER_MAX };
}
