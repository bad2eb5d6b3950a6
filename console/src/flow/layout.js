// Where the nodes and edges of a graph stand: layers side by side, each in the middle of the height.

const CARD = { width: 206, widest: 260, height: 72, troubled: 126, gap: 12, pass: 4 };
const HEAD = 30;
const CHANNEL_MIN = 44;
const CHANNEL_MAX = 180;
/** The share of the room between cards that lines get; cards grow by the rest. */
const CHANNEL_SHARE = 0.6;

/** Rectangles by key, paths of edges, and the size of all. `width` is how much room there is. */
export function layout({ layers, edges }, width) {
  const [cards, channel] = widths(layers.length, width);
  const heights = layers.map(({ nodes, left }) => heightOf(nodes) + (left ? CARD.gap + 32 : 0));
  const height = Math.max(...heights, 0);
  const [rectangles, more] = [new Map(), []];
  layers.forEach(({ nodes, left }, number) => {
    const x = number * (cards + channel);
    let y = HEAD + (height - heights[number]) / 2;
    for (const node of nodes) {
      const of = { x, y, width: cards, height: cardHeight(node) };
      rectangles.set(node.key, of);
      y += of.height + CARD.gap;
    }
    if (left) more.push({ x, y, left, kind: nodes.find(({ thing }) => thing).thing.kind });
  });
  const size = { width: layers.length * (cards + channel) - channel, height: HEAD + height };
  return { rectangles, more, size, paths: edges.map((edge) => ({ ...edge, d: path(edge, rectangles) })), step: cards + channel };
}

/** How wide cards and the channels between them are in so much room. */
function widths(layers, width) {
  const free = Math.max(0, width - layers * CARD.width);
  const channel = (free * CHANNEL_SHARE) / Math.max(1, layers - 1);
  const bounded = Math.min(CHANNEL_MAX, Math.max(CHANNEL_MIN, channel));
  const left = width - (layers - 1) * bounded;
  return [Math.min(CARD.widest, Math.max(CARD.width, left / layers)), bounded];
}

function heightOf(nodes) {
  return nodes.reduce((sum, node) => sum + cardHeight(node) + CARD.gap, -CARD.gap);
}

function cardHeight({ thing, isGap }) {
  if (isGap) return CARD.pass;
  return thing.trouble ? CARD.troubled : CARD.height;
}

/** From a card through the gaps that were left for it to another. */
function path({ from, via, to }, rectangles) {
  const stops = [from, ...via, to].map((key) => rectangles.get(key));
  const middle = ({ y, height }) => y + height / 2;
  return stops.slice(1).reduce((d, b, at) => {
    const a = stops[at];
    const [x1, y1, x2, y2] = [a.x + a.width, middle(a), b.x, middle(b)];
    const reach = Math.max(30, Math.abs(x2 - x1) / 2);
    const across = at + 2 < stops.length ? `H${b.x + b.width}` : "";
    return `${d}C${x1 + reach} ${y1} ${x2 - reach} ${y2} ${x2} ${y2}${across}`;
  }, `M${stops[0].x + stops[0].width} ${middle(stops[0])}`);
}
