// A line as high as a word: what went through a thing in the last minute.
import { feed } from "../feed.js";

const [WIDTH, HEIGHT, SECONDS, SMOOTHED] = [58, 18, 60, 5];

/** The counter that says most about a thing. */
const main = (thing) => ["in", "done", "calls", "out"].find((member) => thing[member] !== undefined);

/** The mean of each value and those just before it. */
function smooth(values) {
  const mean = (of) => of.reduce((a, b) => a + b, 0) / of.length;
  return values.map((_, at) => mean(values.slice(Math.max(0, at - SMOOTHED + 1), at + 1)));
}

export function Spark({ thing }) {
  const member = main(thing);
  if (!member) return null;
  const values = smooth(feed.series(thing.key, [{ member, isCounter: true }])[1]).slice(-SECONDS);
  const most = Math.max(...values);
  if (values.length < 3 || most === 0) return null;
  const x = (at) => (WIDTH * (at + SECONDS - values.length)) / (SECONDS - 1);
  const y = (value) => HEIGHT - 1 - (value / most) * (HEIGHT - 3);
  const points = values.map((value, at) => `${x(at).toFixed(1)} ${y(value).toFixed(1)}`);
  return <svg class="spark" width={WIDTH} height={HEIGHT} aria-hidden="true"><path d={`M${points.join("L")}`} /></svg>;
}
