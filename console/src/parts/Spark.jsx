// A line as high as a word: what went through a thing in the last minute.
import { feed } from "../feed.js";

const [WIDTH, HEIGHT, SECONDS] = [58, 18, 60];

/** The counter that says most about a thing. */
const main = (thing) => ["in", "done", "calls", "out"].find((member) => thing[member] !== undefined);

export function Spark({ thing }) {
  const member = main(thing);
  if (!member) return null;
  const values = feed.series(thing.key, [{ member, isCounter: true }])[1].slice(-SECONDS);
  const most = Math.max(...values);
  if (values.length < 3 || most === 0) return null;
  const x = (at) => (WIDTH * (at + SECONDS - values.length)) / (SECONDS - 1);
  const y = (value) => HEIGHT - 1 - (value / most) * (HEIGHT - 3);
  const points = values.map((value, at) => `${x(at).toFixed(1)} ${y(value).toFixed(1)}`);
  return <svg class="spark" width={WIDTH} height={HEIGHT} aria-hidden="true"><path d={`M${points.join("L")}`} /></svg>;
}
