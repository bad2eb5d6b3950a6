// What a record's bytes are: JSON, text, records that KPL packed into one, or anything else. Whatever it is, it becomes
// text, which the page shows as text.
import { unpack } from "./aggregated.js";

/** Bytes of a record that are looked at; what is behind them is not shown. */
export const SHOWN_BYTES_MAX = 64 * 1024;

/** The bytes of base64. */
export function fromBase64(text) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at += 1) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

/** The base64 of bytes. */
export function toBase64(bytes) {
  let binary = "";
  for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(binary);
}

/** The records in a record: itself, or those that KPL packed into it. */
export async function recordsIn(bytes, key) {
  return (await unpack(bytes)) ?? [{ key, bytes }];
}

/** The kind of bytes and their text: `json`, `text` or `base64`. */
export function decode(bytes) {
  const shown = bytes.subarray(0, SHOWN_BYTES_MAX);
  const cut = bytes.length > shown.length;
  const text = asText(shown, cut);
  if (text === null) return { kind: "base64", text: toBase64(shown), cut };
  return { kind: !cut && isJson(text) ? "json" : "text", text, cut };
}

/** The text of bytes in UTF-8 without control characters but ends of lines and tabs; null where they are no such. */
function asText(bytes, cut) {
  try {
    const text = new TextDecoder("utf-8", { fatal: !cut }).decode(bytes);
    return /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/.test(text) ? null : text;
  } catch {
    return null;
  }
}

function isJson(text) {
  const start = text.trimStart()[0];
  if (start !== "{" && start !== "[") return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
