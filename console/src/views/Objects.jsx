// A bucket's objects, folder by folder, and the contents of one.
import { s3, s3Xml } from "../aws/client.js";
import { list } from "../aws/xml.js";
import { bytes as size } from "../format.js";
import { Content } from "../parts/Content.jsx";
import { Problem, useAnswer } from "../parts/ask.jsx";
import { VirtualList } from "../parts/VirtualList.jsx";
import { readObject } from "../records/object.js";

const KEYS_MAX = "1000";

/** `at` is the address of this view; the folder and the object that are open stand behind it. */
export function Objects({ region, bucket, start = "", at, params = {} }) {
  const folder = params.folder ?? (start.includes("/") ? start.slice(0, start.lastIndexOf("/") + 1) : "");
  const found = useAnswer((signal) => listFolder(region, bucket, folder, params.after, signal), [region, bucket, folder, params.after]);
  const link = (more) => `${at}?${new URLSearchParams(Object.entries({ folder, ...more }).filter(([, value]) => value !== undefined))}`;
  const { entries = [], next } = found.answer ?? {};
  return (
    <section>
      <p class="crumbs">
        <a href={link({ folder: "" })}>{bucket}</a>
        {folder.split("/").slice(0, -1).map((name, number, all) => <> / <a key={number} href={link({ folder: `${all.slice(0, number + 1).join("/")}/` })}>{name}</a></>)}
      </p>
      <Problem error={found.error} />
      {found.answer && !entries.length && <p class="calm waiting">Nothing is in here.</p>}
      <div class="split">
        {entries.length > 0 && (
          <VirtualList
            label="Objects"
            columns="files"
            header={["Written", "Name", "Size"]}
            rows={entries}
            keyOf={({ key }) => key}
            row={({ key, name, bytes, modified }) => (
              <>
                <span role="cell">{modified?.slice(0, 19).replace("T", " ")}</span>
                <span role="cell"><a href={bytes === undefined ? link({ folder: key }) : link({ object: key, after: params.after })}>{name}</a></span>
                <span role="cell" class="number">{bytes === undefined ? "" : size(bytes)}</span>
              </>
            )}
          />
        )}
        {params.object && <Shown region={region} bucket={bucket} name={params.object} />}
      </div>
      {next && <p><a class="button" href={link({ after: next })}>The next thousand</a></p>}
    </section>
  );
}

async function listFolder(region, bucket, folder, after, signal) {
  const query = { "list-type": "2", "encoding-type": "url", delimiter: "/", "max-keys": KEYS_MAX, prefix: folder };
  if (after) query["start-after"] = after;
  const answer = await s3Xml(region, bucket, query, signal);
  const plain = (text) => decodeURIComponent(text.replaceAll("+", " "));
  const folders = list(answer.CommonPrefixes).map(({ Prefix }) => ({ key: plain(Prefix) }));
  const objects = list(answer.Contents).map(({ Key, Size, LastModified }) => ({ key: plain(Key), bytes: Number(Size), modified: LastModified }));
  const entries = [...folders, ...objects].map((entry) => ({ ...entry, name: entry.key.slice(folder.length) || entry.key }));
  return { entries, next: answer.IsTruncated === "true" ? entries.map(({ key }) => key).sort().at(-1) : null };
}

function Shown({ region, bucket, name }) {
  const read = useAnswer(async (signal) => readObject(await s3(region, "GET", bucket, name, { signal })), [region, bucket, name]);
  return (
    <article class="detail" aria-label="Object">
      <h3 class="mono">{name}</h3>
      <Problem error={read.error} />
      {read.answer && <Content bytes={read.answer} />}
    </article>
  );
}
