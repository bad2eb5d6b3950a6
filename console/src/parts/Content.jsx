// The contents of a record as text. Whatever stands in it becomes text nodes, never elements.
import { useMemo, useState } from "preact/hooks";
import { decode, toBase64 } from "../records/decode.js";
import { laidOut } from "../records/json.js";
import { bytes as size } from "../format.js";

const WORDS = { json: "JSON", text: "text", base64: "no text: base64" };

export function Content({ bytes }) {
  const decoded = useMemo(() => decode(bytes), [bytes]);
  return (
    <div class="content">
      <p class="label">{WORDS[decoded.kind]}, {size(bytes.length)}{decoded.cut && ", its beginning"} <Copy text={() => decoded.text} /> {decoded.kind !== "base64" && <Copy text={() => toBase64(bytes)}>Copy base64</Copy>}</p>
      <pre tabIndex={0} aria-label="Contents">{decoded.kind === "json"
        ? laidOut(decoded.text).map(([kind, token], at) => (kind === "space" ? token : <span class={`json-${kind}`} key={at}>{token}</span>))
        : decoded.text}
      </pre>
    </div>
  );
}

/** A button that copies a text. */
export function Copy({ text, children = "Copy" }) {
  const [isDone, done] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text());
    done(true);
    setTimeout(() => done(false), 1500);
  };
  return <button type="button" class="small" onClick={copy}>{isDone ? "Copied" : children}</button>;
}

/** A line for a shell, which a person may copy. */
export function Command({ text }) {
  return <p class="command"><code tabIndex={0}>{text}</code> <Copy text={() => text} /></p>;
}

/** A word of a shell's command, in quotes where it needs them. */
export function quoted(word) {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
