// The live tail of a stream, with filter and time travel.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Command, Content, quoted } from "../parts/Content.jsx";
import { Problem } from "../parts/ask.jsx";
import { At } from "../parts/Time.jsx";
import { VirtualList } from "../parts/VirtualList.jsx";
import { count, duration, utcTime } from "../format.js";
import { decode } from "../records/decode.js";
import { KEPT_MAX, SHARDS_MAX, kept, tail } from "../records/tail.js";

const STARTS = { LATEST: "from now on", TRIM_HORIZON: "from the oldest", AT_TIMESTAMP: "from a time", AT_SEQUENCE_NUMBER: "from a number" };

/** `from`: where to begin, as `{ type, time, number, shard }`, when something else in the page says so. */
export function Tail({ region, stream, shards, from = {} }) {
  const [asked, ask] = useState({ type: "LATEST", shard: "", ...from });
  const [records, set] = useState([]);
  const [state, tell] = useState({});
  const [isPaused, pause] = useState(false);
  const [words, find] = useState("");
  const [chosen, choose] = useState(null);
  const wanted = useWanted(asked, shards);
  useEffect(() => {
    if (isPaused || !wanted) return undefined;
    const stop = new AbortController();
    set([]);
    tell({});
    const onRecords = (more, behind) => {
      if (stop.signal.aborted) return;
      if (more.length) set((before) => kept(before, more));
      tell({ behind });
    };
    tail({ region, stream, ...wanted, signal: stop.signal, onRecords }).catch((error) => stop.signal.aborted || tell({ error }));
    return () => stop.abort();
  }, [region, stream, wanted, isPaused]);
  const found = useMemo(() => matching(records, words), [records, words]);
  const open = found.find(({ id }) => id === chosen) ?? (from.type && from.type !== "LATEST" ? found.at(0) : null);
  return (
    <section class="tail">
      <Controls {...{ asked, ask, shards, isPaused, pause, words, find }} />
      <Problem error={state.error} />
      <p class="label">
        {count(found.length)} of {count(records.length)} records{records.length === KEPT_MAX && ", the newest"}
        {state.behind > 999 && `, ${duration(state.behind)} behind the end`}
        {!asked.shard && shards.length > SHARDS_MAX && `; read are the first ${SHARDS_MAX} of ${count(shards.length)} shards: choose one for the others`}
        {". Each shard is read once a second by GetRecords, which counts as any reader does."}
      </p>
      <div class="split">
        <VirtualList
          label="Records"
          columns="records"
          header={["Arrived, UTC", "Shard", "Partition key", "Data"]}
          rows={asked.type === "LATEST" ? [...found].reverse() : found}
          keyOf={({ id }) => id}
          row={(record) => <Row record={record} isOpen={record === open} open={() => choose(record.id)} />}
        />
        {open ? <Detail region={region} stream={stream} record={open} /> : <p class="calm waiting">{records.length ? "Choose a record to see all of it." : "Waiting for records…"}</p>}
      </div>
    </section>
  );
}

/** The shards and the start that are asked for; none while a time or a number is not there yet. */
function useWanted({ type, shard, time, number }, shards) {
  // Closed shards get no more records.
  const able = type === "LATEST" ? shards.filter((of) => !of.SequenceNumberRange?.EndingSequenceNumber) : shards;
  const names = shard || able.map(({ ShardId }) => ShardId).slice(0, SHARDS_MAX).join();
  return useMemo(() => {
    const start = { ShardIteratorType: type };
    if (type === "AT_TIMESTAMP") start.Timestamp = Number(time) / 1000;
    if (type === "AT_SEQUENCE_NUMBER") start.StartingSequenceNumber = number;
    const isReady = (type !== "AT_TIMESTAMP" || time > 0) && (type !== "AT_SEQUENCE_NUMBER" || (number && shard));
    return names && isReady ? { shards: names.split(","), start } : null;
  }, [names, type, time, number]);
}

function Controls({ asked, ask, shards, isPaused, pause, words, find }) {
  const search = useRef(null);
  const change = (name) => (event) => ask({ ...asked, [name]: event.target.value });
  const time = asked.time ? new Date(Number(asked.time)).toISOString().slice(0, 19) : "";
  return (
    <form class="controls" onSubmit={(event) => event.preventDefault()}>
      <label>Shard
        <select value={asked.shard} onChange={change("shard")}>
          <option value="">all{shards.length > SHARDS_MAX ? ` (first ${SHARDS_MAX})` : ""}</option>
          {shards.slice(0, 500).map(({ ShardId: id }) => <option key={id} value={id}>{id}</option>)}
          {asked.shard && !shards.slice(0, 500).some(({ ShardId: id }) => id === asked.shard) && <option value={asked.shard}>{asked.shard}</option>}
        </select>
      </label>
      <label>Read
        <select value={asked.type} onChange={change("type")}>
          {Object.entries(STARTS).map(([type, name]) => <option key={type} value={type}>{name}</option>)}
        </select>
      </label>
      {asked.type === "AT_TIMESTAMP" && (
        <label>Time, UTC <input type="datetime-local" step="1" value={time} onChange={(event) => ask({ ...asked, time: Date.parse(`${event.target.value}Z`) })} /></label>
      )}
      {asked.type === "AT_SEQUENCE_NUMBER" && <label>Sequence number, and a shard <input inputMode="numeric" value={asked.number ?? ""} onChange={change("number")} /></label>}
      <label class="grow">Filter <input type="search" ref={search} data-search placeholder="words in key or data" value={words} onInput={(event) => find(event.target.value)} /></label>
      <button type="button" aria-pressed={isPaused} onClick={() => pause(!isPaused)}>{isPaused ? "Go on" : "Pause"}</button>
    </form>
  );
}

function matching(records, words) {
  const wanted = words.trim().toLowerCase();
  if (!wanted) return records;
  return records.filter((record) => {
    record.text ??= `${record.key} ${decode(record.bytes).text}`.toLowerCase();
    return record.text.includes(wanted);
  });
}

function Row({ record, isOpen, open }) {
  return (
    <>
      <span role="cell"><button type="button" class="link" aria-pressed={isOpen} onClick={open}>{utcTime(record.at)}</button></span>
      <span role="cell" class="number">{Number(record.shard.slice(-12))}</span>
      <span role="cell">{record.key}</span>
      <span role="cell" class="data" onClick={open}>{record.preview}</span>
    </>
  );
}

function Detail({ region, stream, record }) {
  const options = `--stream-name ${quoted(stream)} --shard-id ${record.shard} --shard-iterator-type AT_SEQUENCE_NUMBER`;
  const command = `aws kinesis get-shard-iterator --region ${region} ${options} --starting-sequence-number ${record.number}`;
  return (
    <article class="detail" aria-label="Record">
      <dl class="facts-list">
        <dt>Arrived</dt><dd><At ms={record.at} /></dd>
        <dt>Sequence number</dt><dd class="mono">{record.number}{record.packed > 0 && `, part ${record.part + 1} of ${record.packed} (packed by KPL)`}</dd>
        <dt>Shard</dt><dd class="mono">{record.shard}</dd>
        <dt>Partition key</dt><dd class="mono">{record.key}</dd>
      </dl>
      <Content bytes={record.bytes} />
      <Command text={command} />
    </article>
  );
}
