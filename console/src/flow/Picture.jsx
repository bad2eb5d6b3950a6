// The picture: everything that records flow through, as cards in layers with lines between them.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { feed, useFeed } from "../feed.js";
import { Troubles } from "../parts/Troubles.jsx";
import { count, rate } from "../format.js";
import { Card } from "./Card.jsx";
import { graph } from "./graph.js";
import { layout } from "./layout.js";
import { KINDS, troubled } from "./states.js";

const HEADINGS = ["Producers", "Streams", "Readers", "Sinks", "Behind them", "Further on", "At the end"];

export function Picture() {
  useFeed();
  const drawn = graph();
  return (
    <>
      <h1 class="unseen">The flow of records</h1>
      <Troubles />
      <Totals />
      {drawn.layers.length ? <Flow drawn={drawn} /> : <Empty />}
    </>
  );
}

function Totals() {
  const all = [...feed.things.values()];
  const sum = (member) => all.reduce((total, { key, [member]: has }) => total + (has === undefined ? 0 : feed.rate(key, member)), 0);
  const troubles = troubled().length;
  const number = (kind) => all.filter((thing) => thing.kind === kind).length;
  return (
    <dl class="totals">
      <div><dt>Records in</dt><dd>{rate(sum("in"))}<small>/s</small></dd></div>
      <div><dt>Delivered</dt><dd>{rate(sum("done"))}<small>/s</small></dd></div>
      <div><dt>Throttled</dt><dd>{rate(sum("throttled"))}<small>/s</small></dd></div>
      <div><dt>Waiting</dt><dd>{count(all.reduce((total, { behind }) => total + (behind ?? 0), 0))}</dd></div>
      <div><dt>Streams</dt><dd>{count(number("stream"))}</dd></div>
      <div class={troubles ? "bad" : ""}><dt>Held up</dt><dd>{troubles}</dd></div>
    </dl>
  );
}

function Flow({ drawn }) {
  const [frame, width] = useWidth();
  const { rectangles, more, size, paths, step } = layout(drawn, width);
  return (
    <section class="flow" ref={frame} aria-label="Flow of records, from producers to sinks">
      <div class="canvas" style={{ width: `${size.width}px`, height: `${size.height}px` }}>
        <svg width={size.width} height={size.height} aria-hidden="true">
          {paths.map((edge) => <Edge key={`${edge.from}>${edge.to}${edge.aside ?? ""}`} edge={edge} />)}
        </svg>
        {drawn.layers.map(({ nodes, left }, number) => (
          <div class="layer" key={number} role="group" aria-label={HEADINGS[number]}>
            <h2 style={{ left: `${number * step}px` }}>{HEADINGS[number]}</h2>
            {nodes.filter(({ isGap }) => !isGap).map((node) => <Card key={node.key} node={node} at={rectangles.get(node.key)} />)}
            {left > 0 && <More {...more.find((of) => of.left === left && of.x === number * step)} />}
          </div>
        ))}
      </div>
    </section>
  );
}

function More({ x, y, left, kind }) {
  const style = { transform: `translate(${x}px, ${y}px)` };
  return <a class="more" style={style} href={`#/${kind}`}>and {count(left)} more: {KINDS[kind].toLowerCase()}s</a>;
}

function Edge({ edge: { d, flow, bad, aside } }) {
  const thickness = flow > 0 ? Math.min(6, 1.5 + Math.log10(1 + flow)) : 1.5;
  const kind = bad ? "bad" : flow > 0 ? "flowing" : "idle";
  return (
    <g class={`edge ${kind} ${aside ? "aside" : ""}`}>
      <path class="line" d={d} stroke-width={thickness} />
      {kind === "flowing" && <path class="drops" d={d} stroke-width={Math.max(2, thickness - 1)} />}
    </g>
  );
}

function Empty() {
  return (
    <section class="empty">
      <h2>Nothing flows yet</h2>
      <p>Point an AWS client at this server and make a stream; it appears here within a second.</p>
      <pre>AWS_ENDPOINT_URL={location.origin} aws kinesis create-stream --stream-name clicks --shard-count 2</pre>
    </section>
  );
}

/** An element's width, now and when it changes. */
function useWidth() {
  const frame = useRef(null);
  const [width, set] = useState(1200);
  useLayoutEffect(() => {
    const element = frame.current;
    const measure = () => set(element.clientWidth);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [frame, width];
}
