// Times: how long ago for the eye, in UTC and where the reader is for the log.
import { feed } from "../feed.js";
import { duration, local, utc } from "../format.js";

/** How long ago something was, by the server's clock. */
export function Ago({ ms }) {
  return <time dateTime={new Date(ms).toISOString()} title={`${utc(ms)}, ${local(ms)}`}>{duration(Math.max(0, feed.at - ms))}</time>;
}

/** A time as both clocks show it, and how long ago that was. */
export function At({ ms }) {
  return (
    <time class="at" dateTime={new Date(ms).toISOString()}>
      {utc(ms)} <small>{local(ms)} here, {duration(Math.max(0, feed.at - ms))} ago</small>
    </time>
  );
}
