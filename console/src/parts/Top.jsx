// The bar above every view: where one can go, whether the feed is live, whose keys are used, and day or night.
import { useState } from "preact/hooks";
import { useFeed } from "../feed.js";
import { troubled } from "../flow/states.js";
import { local, utc } from "../format.js";
import { KeysButton } from "./Keys.jsx";

const PLACES = { "": "Flow", stream: "Streams", delivery: "Deliveries", mapping: "Mappings", function: "Functions", table: "Tables", bucket: "Buckets", queue: "Queues", topic: "Topics" };
const FEED = { connecting: "connecting", live: "live", lost: "no connection" };

export function Top({ kind = "" }) {
  const { state, at, server } = useFeed();
  const troubles = troubled().length;
  document.title = troubles ? `(${troubles}) Headwater` : "Headwater";
  return (
    <header class="top">
      <a class="brand" href="#/"><img src="icon.svg" alt="" width="26" height="26" />Headwater</a>
      <nav aria-label="Views">
        {Object.entries(PLACES).map(([place, words]) => (
          <a key={place} href={`#/${place}`} aria-current={kind === place ? "page" : undefined}>{words}</a>
        ))}
      </nav>
      <div class="end">
        <span class={`feed ${state}`} title={server ? `Headwater ${server.version}, ${server.region}, account ${server.account}` : ""}>
          <i aria-hidden="true" />{FEED[state]}
          {at > 0 && <time title={local(at)}>{utc(at).slice(11)}</time>}
        </span>
        <KeysButton />
        <Theme />
      </div>
    </header>
  );
}

function Theme() {
  const [theme, set] = useState(document.documentElement.dataset.theme ?? "");
  const isDark = theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const turn = () => {
    const next = isDark ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    set(next);
  };
  return <button type="button" class="icon" onClick={turn} aria-label={isDark ? "Light colours" : "Dark colours"}>{isDark ? "☀" : "☾"}</button>;
}
