// A function: its calls, its log, and a test call.
import { useState } from "preact/hooks";
import { lambda } from "../aws/client.js";
import { feed, useFeed } from "../feed.js";
import { bytes, count, duration, rate } from "../format.js";
import { Chart } from "../parts/Chart.jsx";
import { Command, Content, quoted } from "../parts/Content.jsx";
import { NeedsKeys } from "../parts/Keys.jsx";
import { Problem, useAnswer } from "../parts/ask.jsx";
import { fromBase64 } from "../records/decode.js";
import { Log } from "./Log.jsx";
import { Figures, Neighbours, Tabs, Title } from "./parts.jsx";

export function LambdaFunction({ region, name, tab = "overview" }) {
  const { things } = useFeed();
  const key = `${region} function ${name}`;
  const thing = things.get(key) ?? { key, region, kind: "function", name, implied: true };
  const at = `#/function/${region}/${encodeURIComponent(name)}`;
  return (
    <>
      <Title kind="function" name={name} region={region} thing={thing} />
      <Tabs at={at} tab={tab} tabs={{ overview: "Overview", log: "Log", call: "Test call" }} />
      {tab === "overview" && <Overview thing={thing} />}
      {tab === "log" && <NeedsKeys><Log region={region} group={`/aws/lambda/${name}`} /></NeedsKeys>}
      {tab === "call" && <NeedsKeys><Call region={region} name={name} /></NeedsKeys>}
    </>
  );
}

function Overview({ thing }) {
  const per = (member) => rate(feed.rate(thing.key, member));
  const counter = (member, label) => ({ member, label, isCounter: true });
  const mean = thing.calls ? thing.duration / thing.calls : undefined;
  return (
    <>
      <Figures of={[
        ["Calls", `${per("calls")}/s`, `${count(thing.calls ?? 0)} since the server started`],
        ["Failed", count(thing.failed ?? 0), `${count(thing.throttled ?? 0)} had no room`],
        ["Takes", duration(mean), "on average, without starts"],
        ["Cold starts", count(thing.cold_starts ?? 0)],
      ]} />
      <div class="charts">
        <Chart title="Calls a second" of={thing.key} lines={[counter("calls", "calls"), counter("failed", "failed")]} write={rate} />
      </div>
      <NeedsKeys><Configured region={thing.region} name={thing.name} /></NeedsKeys>
      <Neighbours thing={thing} />
      <Command text={`aws lambda get-function --region ${thing.region} --function-name ${quoted(thing.name)}`} />
    </>
  );
}

function Configured({ region, name }) {
  const found = useAnswer(async (signal) => (await lambda(region, "GET", `/functions/${name}/configuration`, { signal })).json(), [region, name]);
  const of = found.answer;
  if (!of) return <Problem error={found.error} />;
  return <p class="label">{of.Runtime ?? of.PackageType}, {of.Handler}, {of.MemorySize} MB, at most {of.Timeout} s, {bytes(of.CodeSize)} of code, changed {of.LastModified?.slice(0, 19).replace("T", " ")}</p>;
}

function Call({ region, name }) {
  const [state, set] = useState({});
  const invoke = async (event) => {
    event.preventDefault();
    const { payload } = Object.fromEntries(new FormData(event.target));
    set({ isAsking: true });
    try {
      const response = await lambda(region, "POST", `/functions/${name}/invocations`, { body: payload, headers: { "x-amz-log-type": "Tail" } });
      const log = response.headers.get("x-amz-log-result");
      const answer = new Uint8Array(await response.arrayBuffer());
      set({ answer, failed: response.headers.get("x-amz-function-error"), log: log && new TextDecoder().decode(fromBase64(log)) });
    } catch (error) {
      set({ error });
    }
  };
  return (
    <form class="sheet" onSubmit={invoke}>
      <label>Event, JSON <textarea name="payload" rows={8} spellcheck={false} defaultValue={'{"test": true}'} /></label>
      <p class="buttons"><button class="primary" disabled={state.isAsking}>{state.isAsking ? "Calling…" : "Call the function"}</button></p>
      <Problem error={state.error} />
      {state.answer && (
        <section role="status">
          <p class={state.failed ? "refused" : "done"}>{state.failed ? `It failed (${state.failed}).` : "It answered."}</p>
          <Content bytes={state.answer} />
          {state.log && <><h3>The end of its log</h3><pre tabIndex={0} aria-label="The end of its log">{state.log}</pre></>}
        </section>
      )}
    </form>
  );
}
