// Signatures, version 4, made with the browser's own cryptography. Keys are in the memory of this page alone.

const text = new TextEncoder();

/** Whether the browser lets this page sign: on https, and on this machine. */
export const canSign = () => Boolean(globalThis.crypto?.subtle);

/** Headers for a request, with its signature. The path is encoded once; of S3 it is signed like that, of others twice. */
export async function signed({ method, path, query = {}, headers = {}, body = "" }, { keys, region, service, host, now }) {
  const date = now.toISOString().replace(/[-:]|\.\d{3}/g, "");
  const scope = `${date.slice(0, 8)}/${region}/${service}/aws4_request`;
  const digest = hex(await crypto.subtle.digest("SHA-256", bytesOf(body)));
  const sent = { ...headers, "x-amz-date": date };
  if (service === "s3") sent["x-amz-content-sha256"] = digest;
  if (keys.token) sent["x-amz-security-token"] = keys.token;
  const all = Object.entries({ ...sent, host }).map(([name, value]) => [name.toLowerCase(), value.trim()]);
  all.sort(([a], [b]) => (a < b ? -1 : 1));
  const names = all.map(([name]) => name).join(";");
  const canonical = [
    method,
    service === "s3" ? path : path.split("/").map(encode).join("/"),
    queryText(query),
    ...all.map(([name, value]) => `${name}:${value}`),
    "",
    names,
    digest,
  ].join("\n");
  const hashed = hex(await crypto.subtle.digest("SHA-256", text.encode(canonical)));
  const toSign = `AWS4-HMAC-SHA256\n${date}\n${scope}\n${hashed}`;
  const signature = hex(await hmac(await keyOf(keys.secret, scope), toSign));
  const credential = `Credential=${keys.id}/${scope}`;
  sent.authorization = `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${names}, Signature=${signature}`;
  return sent;
}

/** A query as it is sent and signed: in order, encoded. */
export function queryText(query) {
  const pairs = Object.entries(query).map(([name, value]) => `${encode(name)}=${encode(value)}`);
  return pairs.sort().join("&");
}

/** Everything but letters, digits and -._~ as octets. */
export function encode(value) {
  return encodeURIComponent(value).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

async function keyOf(secret, scope) {
  let key = text.encode(`AWS4${secret}`);
  for (const part of scope.split("/")) key = await hmac(key, part);
  return key;
}

async function hmac(key, message) {
  const imported = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return crypto.subtle.sign("HMAC", imported, text.encode(message));
}

const bytesOf = (body) => (typeof body === "string" ? text.encode(body) : body);

const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
