// A rolling chart of the last minutes, drawn from the feed.
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { feed, useFeed } from "../feed.js";

const HEIGHT = 150;

/** `lines`: for each its member in the feed, its label, whether it is a counter, and how its values are written. */
export function Chart({ title, of, lines, write }) {
  const { at } = useFeed();
  const [box, chart] = [useRef(null), useRef(null)];
  const { theme } = document.documentElement.dataset;
  useEffect(() => {
    const element = box.current;
    const drawn = new uPlot(optionsOf(lines, write, element), feed.series(of, lines), element);
    chart.current = drawn;
    const observer = new ResizeObserver(() => drawn.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      drawn.destroy();
    };
  }, [of, theme]);
  const data = feed.series(of, lines);
  useEffect(() => chart.current?.setData(data), [at, of, theme]);
  const said = lines.map(({ label }, line) => `${label} ${write(data[line + 1].at(-1) ?? 0)}`).join(", ");
  return (
    <figure class="chart" role="img" aria-label={`${title}, now: ${said}`}>
      <figcaption>{title}<span>{said}</span></figcaption>
      <div ref={box} aria-hidden="true" />
    </figure>
  );
}

function optionsOf(lines, write, element) {
  const style = getComputedStyle(element);
  const color = (name) => style.getPropertyValue(`--${name}`).trim();
  const grid = { stroke: color("line"), width: 1 };
  const axis = { stroke: color("muted"), grid, ticks: { show: false }, font: "11px system-ui, sans-serif" };
  const colors = [color("accent"), color("good"), color("bad")];
  return {
    width: element.clientWidth || 400,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    scales: { y: { range: (_, low, high) => [0, Math.max(1, high * 1.1)] } },
    axes: [{ ...axis, values: (_, times) => times.map((at) => new Date(at * 1000).toISOString().slice(11, 19)), space: 90, size: 30 }, { ...axis, size: 64, values: (_, values) => values.map(write) }],
    series: [{}, ...lines.map(({ label }, at) => ({ label, stroke: colors[at], width: 1.6, fill: at ? undefined : `${colors[at]}22`, points: { show: false } }))],
  };
}
