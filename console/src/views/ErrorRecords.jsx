// The records that a delivery set aside, in the files that Firehose writes under its error prefix: each with the error and
// the record itself.
import { useState } from "preact/hooks";
import { s3, s3Xml } from "../aws/client.js";
import { list } from "../aws/xml.js";
import { bytes as size, count } from "../format.js";
import { Content } from "../parts/Content.jsx";
import { Problem, useAnswer } from "../parts/ask.jsx";
import { At } from "../parts/Time.jsx";
import { VirtualList } from "../parts/VirtualList.jsx";
import { fromBase64 } from "../records/decode.js";
import { readObject } from "../records/object.js";

const OBJECTS_MAX = 1000;
const LINES_MAX = 1000;
const KINDS = /(processing|format-conversion|http-endpoint|splunk|elasticsearch|opensearch|MetadataExtraction|ActivePartition|PartitionKey|redshift)[\w-]*failed|(^|\/)errors?\//i;

export function ErrorRecords({ region, thing }) {
  const { error_bucket: bucket, error_prefix: prefix } = thing;
  const [key, choose] = useState(null);
  const found = useAnswer((signal) => errorFiles(region, bucket, prefix, signal), [region, bucket, prefix, thing.batches]);
  const files = found.answer ?? [];
  const chosen = key ?? files[0]?.key;
  return (
    <section>
      <Problem error={found.error} />
      {found.answer && !files.length && <p class="calm"><i aria-hidden="true" />It set no record aside in <b>{bucket}</b>{prefix && <> under <code>{prefix}</code></>}.</p>}
      {files.length > 0 && (
        <div class="split">
          <VirtualList
            label="Files of records that were set aside"
            columns="files"
            header={["Written", "File", "Size"]}
            rows={files}
            keyOf={(file) => file.key}
            row={(file) => (
              <>
                <span role="cell">{file.modified.slice(0, 19).replace("T", " ")}</span>
                <span role="cell"><button type="button" class="link" aria-pressed={file.key === chosen} onClick={() => choose(file.key)}>{file.key}</button></span>
                <span role="cell" class="number">{size(file.size)}</span>
              </>
            )}
          />
          {chosen && <Lines region={region} bucket={bucket} name={chosen} />}
        </div>
      )}
    </section>
  );
}

async function errorFiles(region, bucket, prefix, signal) {
  const fixed = (prefix ?? "").split("!{")[0];
  const query = { "list-type": "2", "encoding-type": "url", "max-keys": String(OBJECTS_MAX), prefix: fixed };
  const answer = await s3Xml(region, bucket, query, signal);
  const files = list(answer.Contents).map(({ Key: key, Size: bytes, LastModified: modified }) => (
    { key: decodeURIComponent(key.replaceAll("+", " ")), size: Number(bytes), modified }
  ));
  const wanted = prefix && fixed ? files : files.filter((file) => KINDS.test(file.key));
  return wanted.sort((a, b) => (a.modified < b.modified ? 1 : -1));
}

function Lines({ region, bucket, name }) {
  const read = useAnswer(async (signal) => readLines(await readObject(await s3(region, "GET", bucket, name, { signal }))), [region, bucket, name]);
  const [number, choose] = useState(0);
  const lines = read.answer ?? [];
  const line = lines[Math.min(number, lines.length - 1)];
  return (
    <article class="detail" aria-label="Record that was set aside">
      <Problem error={read.error} />
      {lines.length > 1 && (
        <p class="buttons">
          <button type="button" class="small" disabled={number === 0} onClick={() => choose(number - 1)}>Before</button>
          <span>Record {number + 1} of {count(lines.length)}</span>
          <button type="button" class="small" disabled={number >= lines.length - 1} onClick={() => choose(number + 1)}>Next</button>
        </p>
      )}
      {line && <Line line={line} />}
    </article>
  );
}

function Line({ line: { errorCode, errorMessage, attemptsMade, arrivalTimestamp, attemptEndingTimestamp, lambdaARN, bytes, rest } }) {
  return (
    <>
      <dl class="facts-list">
        {errorCode && <><dt>Error</dt><dd><b class="mono">{errorCode}</b></dd></>}
        {errorMessage && <><dt>Why</dt><dd class="refusal">{errorMessage}</dd></>}
        {arrivalTimestamp && <><dt>Arrived</dt><dd><At ms={Number(arrivalTimestamp)} /></dd></>}
        {attemptEndingTimestamp && <><dt>Given up</dt><dd><At ms={Number(attemptEndingTimestamp)} />{attemptsMade !== undefined && `, after ${attemptsMade} ${attemptsMade === "1" ? "attempt" : "attempts"}`}</dd></>}
        {lambdaARN && <><dt>Function</dt><dd class="mono">{lambdaARN}</dd></>}
      </dl>
      <h3>{rest ? "Line" : "The record"}</h3>
      <Content bytes={bytes} />
    </>
  );
}

/** The lines of an error file: those in Firehose's form with their record, others as they are. */
function readLines(bytes) {
  const texts = new TextDecoder().decode(bytes).split("\n").filter(Boolean).slice(0, LINES_MAX);
  return texts.map((text) => {
    try {
      const { rawData, ...told } = JSON.parse(text);
      const words = Object.fromEntries(Object.entries(told).map(([name, value]) => [name, value === null ? undefined : String(value)]));
      if (typeof rawData === "string") return { ...words, bytes: fromBase64(rawData) };
    } catch {
      // A line of another form is shown as it is.
    }
    return { bytes: new TextEncoder().encode(text), rest: true };
  });
}
