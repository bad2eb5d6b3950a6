// Calls of AWS's API on this server, with the keys of the person before the page: what the page reads and changes beside
// the feed goes this way alone.
import { useEffect, useState } from "preact/hooks";
import { feed } from "../feed.js";
import { encode, queryText, signed } from "./sign.js";
import { readXml } from "./xml.js";

const TARGETS = {
  kinesis: ["Kinesis_20131202", "1.1"],
  firehose: ["Firehose_20150804", "1.1"],
  logs: ["Logs_20140328", "1.1"],
  dynamodb: ["DynamoDB_20120810", "1.0"],
};

/** Keys that do where signatures are not checked. */
const ANY = { id: "console", secret: "console" };

let given = null;
const listeners = new Set();

/** The keys that calls are signed with; none: the page only reads the feed. */
export const keys = () => given ?? (feed.server && !feed.server.signed ? ANY : null);

/** Takes keys over, or forgets them. */
export function useTheseKeys(next) {
  given = next;
  for (const listener of listeners) listener();
}

/** The keys, for a part that is drawn again when there are others. */
export function useKeys() {
  const [, again] = useState(0);
  useEffect(() => {
    const listener = () => again((times) => times + 1);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, []);
  return keys();
}

/** An error that AWS's API answered with. */
export class Refused extends Error {
  constructor(status, code, message) {
    super(message || code);
    Object.assign(this, { status, code });
  }
}

/** An operation of a service with a target in JSON. */
export async function call(service, region, operation, input = {}, signal) {
  const [prefix, version] = TARGETS[service];
  const headers = { "content-type": `application/x-amz-json-${version}`, "x-amz-target": `${prefix}.${operation}` };
  const body = JSON.stringify(input);
  const response = await send(service, region, { method: "POST", path: "/", headers, body, signal });
  const answer = await response.text();
  return answer ? JSON.parse(answer) : {};
}

/** A request of Lambda's. */
export function lambda(region, method, path, { query, headers, body, signal } = {}) {
  return send("lambda", region, { method, path: `/2015-03-31${path}`, query, headers, body, signal });
}

/** A request for a bucket or an object. */
export function s3(region, method, bucket, key, { query, signal } = {}) {
  const parts = [bucket, ...(key ?? "").split("/")].map(encode);
  const path = bucket ? `/${parts.join("/")}` : "/";
  return send("s3", region, { method, path: key ? path : path.replace(/\/$/, "") || "/", query, signal });
}

/** The same, read as XML. */
export async function s3Xml(region, bucket, query, signal) {
  return readXml(await (await s3(region, "GET", bucket, "", { query, signal })).text());
}

async function send(service, region, { method, path, query = {}, headers = {}, body, signal }) {
  const signing = { keys: keys(), region, service, host: location.host, now: new Date(feed.at || Date.now()) };
  if (!signing.keys) throw new Refused(403, "NoKeys", "This needs keys: sign in first.");
  const sent = await signed({ method, path, query, headers, body }, signing);
  const asked = queryText(query);
  const options = { method, headers: sent, body, signal, credentials: "omit", cache: "no-store" };
  const response = await fetch(path + (asked && `?${asked}`), options);
  if (!response.ok) throw await refusal(response);
  return response;
}

async function refusal(response) {
  const said = await response.text();
  if (said.startsWith("<")) {
    const [error] = [readXml(said)].map((xml) => xml.Error ?? xml);
    return new Refused(response.status, error.Code ?? "", error.Message ?? "");
  }
  let told = {};
  try {
    told = JSON.parse(said);
  } catch {
    // An answer without words is told by its status.
  }
  const code = String(told.__type ?? response.headers.get("x-amzn-errortype") ?? response.status);
  return new Refused(response.status, code.split("#").pop().split(":")[0], told.message ?? told.Message ?? "");
}
