// A log group's newest lines, read again every other second.
import { useEffect, useMemo, useState } from "preact/hooks";
import { call } from "../aws/client.js";
import { feed } from "../feed.js";
import { count, utcTime } from "../format.js";
import { Problem } from "../parts/ask.jsx";
import { Command, quoted } from "../parts/Content.jsx";
import { VirtualList } from "../parts/VirtualList.jsx";

const PAUSE_MS = 2000;
const LINES_MAX = 1000;
const BACK_MS = 15 * 60_000;

export function Log({ region, group }) {
  const [lines, set] = useState([]);
  const [error, tell] = useState(null);
  const [words, find] = useState("");
  useEffect(() => {
    const stop = new AbortController();
    set([]);
    follow({ region, group, signal: stop.signal, set }).catch((problem) => stop.signal.aborted || tell(problem));
    return () => stop.abort();
  }, [region, group]);
  const wanted = words.trim().toLowerCase();
  const found = useMemo(() => lines.filter(({ message }) => message.toLowerCase().includes(wanted)).reverse(), [lines, wanted]);
  return (
    <section>
      <form class="controls" onSubmit={(event) => event.preventDefault()}>
        <label class="grow">Filter <input type="search" data-search value={words} placeholder="words in a line" onInput={(event) => find(event.target.value)} /></label>
      </form>
      {error?.code === "ResourceNotFoundException" ? <p class="calm waiting">It has said nothing yet.</p> : <Problem error={error} />}
      <p class="label">{count(found.length)} lines of the last minutes, the newest first</p>
      <VirtualList
        label="Log"
        columns="log"
        header={["Time, UTC", "Line"]}
        rows={found}
        keyOf={({ eventId }) => eventId}
        rowHeight={30}
        row={({ timestamp, message }) => (
          <><span role="cell" class="number">{utcTime(timestamp)}</span><span role="cell" class="data" title={message}>{message.trimEnd()}</span></>
        )}
      />
      <Command text={`aws logs tail ${quoted(group)} --follow --region ${region}`} />
    </section>
  );
}

async function follow({ region, group, signal, set }) {
  let from = feed.at - BACK_MS;
  const seen = new Set();
  while (!signal.aborted) {
    const input = { logGroupName: group, startTime: from, limit: LINES_MAX };
    const { events } = await call("logs", region, "FilterLogEvents", input, signal);
    const fresh = events.filter(({ eventId }) => !seen.has(eventId));
    for (const { eventId, timestamp } of fresh) {
      seen.add(eventId);
      from = Math.max(from, timestamp);
    }
    if (fresh.length) set((before) => [...before, ...fresh].slice(-LINES_MAX));
    await new Promise((done) => setTimeout(done, PAUSE_MS));
  }
}
