// A record that a person puts, into a stream or a delivery stream.
import { useState } from "preact/hooks";
import { call } from "../aws/client.js";
import { toBase64 } from "../records/decode.js";
import { Problem } from "../parts/ask.jsx";

export function Put({ region, stream, delivery }) {
  const [state, set] = useState({});
  const put = async (event) => {
    event.preventDefault();
    const { key, data } = Object.fromEntries(new FormData(event.target));
    const bytes = toBase64(new TextEncoder().encode(data));
    set({ isAsking: true });
    try {
      const answer = stream
        ? await call("kinesis", region, "PutRecord", { StreamName: stream, PartitionKey: key, Data: bytes })
        : await call("firehose", region, "PutRecord", { DeliveryStreamName: delivery, Record: { Data: bytes } });
      set({ answer });
    } catch (error) {
      set({ error });
    }
  };
  return (
    <form class="sheet" onSubmit={put}>
      {stream && <label>Partition key <input name="key" required defaultValue="test" maxLength={256} spellcheck={false} /></label>}
      <label>Data <textarea name="data" rows={8} required spellcheck={false} defaultValue={'{"test": true}'} /></label>
      <p class="buttons"><button class="primary" disabled={state.isAsking}>Put the record</button></p>
      <Problem error={state.error} />
      {state.answer && (
        <p class="done" role="status">{stream
          ? <>It is in <b class="mono">{state.answer.ShardId}</b> under <b class="mono">{state.answer.SequenceNumber}</b>.</>
          : <>It was taken as <b class="mono">{state.answer.RecordId}</b>.</>}
        </p>
      )}
    </form>
  );
}
