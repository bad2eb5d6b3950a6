// The console: a picture of what flows through the server, and each thing by itself.
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { feed } from "./feed.js";
import { Picture } from "./flow/Picture.jsx";
import { KINDS } from "./flow/states.js";
import { Top } from "./parts/Top.jsx";
import { Delivery } from "./views/Delivery.jsx";
import { LambdaFunction } from "./views/Function.jsx";
import { Listing } from "./views/Listing.jsx";
import { Mapping } from "./views/Mapping.jsx";
import { Bucket, Other } from "./views/Others.jsx";
import { Stream } from "./views/Stream.jsx";
import { Table } from "./views/Table.jsx";

const VIEWS = { stream: Stream, delivery: Delivery, channel: Delivery, mapping: Mapping, function: LambdaFunction, table: Table, bucket: Bucket };

/** The parts of an address: `#/kind/region/name/tab?params`. */
function parse(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [kind, region, name, tab] = path.split("/").map(decodeURIComponent);
  return { kind, region, name, tab: tab || undefined, params: Object.fromEntries(new URLSearchParams(query)) };
}

function Console() {
  const [place, go] = useState(parse(location.hash));
  useEffect(() => {
    const moved = () => {
      go(parse(location.hash));
      scrollTo(0, 0);
    };
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); document.querySelector("main").focus(); }}>To the contents</a>
      <Top kind={place.kind} />
      <main tabIndex={-1} id="main"><Shown place={place} /></main>
    </>
  );
}

function Shown({ place }) {
  const { kind, region, name } = place;
  if (!kind) return <Picture />;
  if (!KINDS[kind]) return <p class="calm waiting">There is no such view.</p>;
  if (!name) return <Listing key={kind} kind={kind} />;
  const View = VIEWS[kind] ?? Other;
  return <View key={`${kind} ${region} ${name}`} {...place} />;
}

/** A slash goes to the field that searches what is shown. */
addEventListener("keydown", (event) => {
  const isTyping = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
  if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey) return;
  const field = document.querySelector("[data-search]");
  if (!field) return;
  event.preventDefault();
  field.focus();
});

feed.start();
render(<Console />, document.getElementById("console"));
