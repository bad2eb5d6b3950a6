// Numbers, sizes and times as people read them. Whole numbers that may be large come as text and stay text.

/** A count: 1,234 or 12.3 k. */
export function count(value) {
  if (value === undefined || value === null) return "–";
  if (value < 10_000) return Math.round(value).toLocaleString("en");
  return scaled(value, 1000, ["", " k", " M", " G", " T"]);
}

/** A rate of things in a second, with a decimal where it is small. */
export function rate(value) {
  if (value > 0 && value < 10) return value.toFixed(1).replace(/\.0$/, "");
  return count(value);
}

/** Bytes: 12.3 kB. */
export function bytes(value) {
  if (value === undefined || value === null) return "–";
  return scaled(value, 1000, [" B", " kB", " MB", " GB", " TB"]);
}

function scaled(value, step, units) {
  let unit = 0;
  while (value >= step && unit < units.length - 1) {
    value /= step;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return value.toFixed(digits) + units[unit];
}

/** A duration in its two largest units: 2 min 5 s. */
export function duration(ms) {
  if (ms === undefined || ms === null) return "–";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const [d, h, m, s] = [seconds / 86400, (seconds / 3600) % 24, (seconds / 60) % 60, seconds % 60].map(Math.floor);
  if (d) return `${d} d ${h} h`;
  return h ? `${h} h ${m} min` : `${m} min ${s} s`;
}

/** A share of a limit. */
export function percent(share) {
  if (share > 0 && share < 0.01) return "< 1 %";
  return `${Math.round(share * 100)} %`;
}

const two = (value) => String(value).padStart(2, "0");

/** A time in UTC: 2026-12-01 00:50:26 UTC. */
export function utc(ms) {
  const text = new Date(ms).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, 19)} UTC`;
}

/** The time of day in UTC, with milliseconds. */
export function utcTime(ms) {
  return new Date(ms).toISOString().slice(11, 23);
}

/** The same time where the reader is: 01:50:26 (UTC+1). */
export function local(ms) {
  const at = new Date(ms);
  const minutes = -at.getTimezoneOffset();
  const sign = minutes < 0 ? "−" : "+";
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  const zone = minutes ? `UTC${sign}${hours}${rest ? `:${two(rest)}` : ""}` : "UTC";
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())} (${zone})`;
}
