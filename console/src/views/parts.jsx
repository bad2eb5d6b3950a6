// The parts that views of single things have in common.
import { feed } from "../feed.js";
import { KINDS, addressOf, stateOf, titleOf } from "../flow/states.js";
import { State, facts } from "../flow/Card.jsx";
import { At } from "../parts/Time.jsx";
import { count } from "../format.js";

/** The head of a view: what it is, where, and how it is doing. */
export function Title({ kind, name, region, thing }) {
  return (
    <header class="title">
      <p><a href="#/">Flow</a> / <a href={`#/${kind}`}>{KINDS[kind]}s</a> / {region}</p>
      <h1>{thing ? titleOf(thing) : name} {thing && <State state={stateOf(thing)} />}</h1>
      {!thing && feed.state === "live" && !["bucket", "function"].includes(kind) && <p class="calm waiting">There is no such thing now, or not yet.</p>}
      {thing?.trouble && <Trouble thing={thing} />}
      {thing?.note && <p class="calm waiting">The last thing it said: {thing.note}</p>}
    </header>
  );
}

function Trouble({ thing: { kind, trouble } }) {
  return (
    <section class="trouble" aria-label="Why it is held up">
      <h2>{kind === "mapping" ? "Blocked" : "Stuck"} since <At ms={trouble.since} /></h2>
      <p class="text">{trouble.text}</p>
      <p class="more">
        {trouble.code && <><b class="mono">{trouble.code}</b>, </>}
        {trouble.times > 0 && <>{count(trouble.times)} times in a row, last <At ms={trouble.last} />. It tries again by itself.</>}
        {trouble.shard && <>In <b class="mono">{trouble.shard}</b>{trouble.record && <>, at record <b class="mono">{trouble.record}</b></>}. It is tried again until it passes, expires or is given up.</>}
      </p>
    </section>
  );
}

/** Tabs as links, so that each has an address. */
export function Tabs({ at, tab, tabs }) {
  return (
    <nav class="tabs" aria-label="Parts of this view">
      {Object.entries(tabs).map(([name, words]) => (
        <a key={name} href={name === "overview" ? at : `${at}/${name}`} aria-current={name === tab ? "page" : undefined}>{words}</a>
      ))}
    </nav>
  );
}

/** Figures with their names: the large one, and what stands below it. */
export function Figures({ of }) {
  return (
    <dl class="figures">
      {of.filter(Boolean).map(([name, figure, more]) => <div key={name}><dt>{name}</dt><dd>{figure}</dd>{more && <dd class="more">{more}</dd>}</div>)}
    </dl>
  );
}

/** What records come from and go to. */
export function Neighbours({ thing }) {
  const place = (key) => feed.things.get(key) ?? impliedBy(key);
  const keyOf = (named) => `${thing.region} ${named}`;
  const from = (thing.from ?? []).filter(Boolean).map((named) => place(keyOf(named)));
  const to = [...(thing.to ?? []), thing.function].filter(Boolean).map((named) => place(keyOf(named)));
  const here = `${thing.kind} ${thing.name}`;
  for (const other of feed.things.values()) {
    if (other.region !== thing.region) continue;
    if (other.from?.includes(here)) to.push(other);
    if (other.to?.includes(here) || other.function === here) from.push(other);
  }
  if (!from.length && !to.length) return null;
  return (
    <div class="neighbours">
      <Side title="Comes from" of={from} />
      <Side title="Goes to" of={to} />
    </div>
  );
}

function impliedBy(key) {
  const [region, kind, ...name] = key.split(" ");
  return { key, region, kind, name: name.join(" "), implied: true };
}

function Side({ title, of }) {
  if (!of.length) return null;
  return (
    <section>
      <h2>{title}</h2>
      <ul class="cards">
        {of.map((thing) => (
          <li key={thing.key}><a class={`card ${stateOf(thing)}`} href={addressOf(thing)}>
            <span class="kind">{KINDS[thing.kind] ?? thing.kind}<State state={stateOf(thing)} isQuiet={thing.implied} /></span>
            <strong>{titleOf(thing)}</strong>
            <span class="facts">{thing.trouble ? thing.trouble.text : facts(thing)}</span>
          </a></li>
        ))}
      </ul>
    </section>
  );
}
