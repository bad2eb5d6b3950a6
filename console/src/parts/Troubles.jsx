// What is held up at the moment: the first thing that whoever is woken at night wants to see.
import { useFeed } from "../feed.js";
import { KINDS, WORDS, addressOf, stateOf, titleOf, troubled } from "../flow/states.js";
import { Ago } from "./Time.jsx";
import { utc } from "../format.js";

const SHOWN = 5;

export function Troubles() {
  const { state } = useFeed();
  const all = troubled();
  if (state === "connecting") return <p class="calm waiting" role="status">Asking the server…</p>;
  if (!all.length) return <p class="calm" role="status"><i aria-hidden="true" />Nothing is held up.</p>;
  return (
    <section class="troubles" aria-label="Held up">
      <h2>{all.length === 1 ? "One thing is held up" : `${all.length} things are held up`}</h2>
      <ul>
        {all.slice(0, SHOWN).map((thing) => <Trouble key={thing.key} thing={thing} />)}
      </ul>
      {all.length > SHOWN && <p>and {all.length - SHOWN} more, marked in the picture</p>}
    </section>
  );
}

function Trouble({ thing }) {
  const { since, text, code, shard, record } = thing.trouble;
  const where = [code, shard, record && `record …${record.slice(-12)}`].filter(Boolean).join(", ");
  return (
    <li>
      <a href={addressOf(thing)}>
        <span class="what"><small>{KINDS[thing.kind]}</small> <strong>{titleOf(thing)}</strong></span>
        <span class="when">{WORDS[stateOf(thing)]} for <Ago ms={since} /><small>since {utc(since)}</small></span>
        <span class="text">{text}{where && <small class="mono">{where}</small>}</span>
        <span class="go" aria-hidden="true">→</span>
      </a>
    </li>
  );
}
