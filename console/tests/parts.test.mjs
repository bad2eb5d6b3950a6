// The parts that need no browser: signatures, XML, JSON, KPL's records, the feed's rates.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { queryText, signed } from "../src/aws/sign.js";
import { list, readXml } from "../src/aws/xml.js";
import { feed } from "../src/feed.js";
import { duration, utc } from "../src/format.js";
import { unpack } from "../src/records/aggregated.js";
import { decode, fromBase64, toBase64 } from "../src/records/decode.js";
import { laidOut } from "../src/records/json.js";
import { md5 } from "../src/records/md5.js";

const bytes = (text) => new TextEncoder().encode(text);

test("a signature is that of AWS's example", async () => {
  // The example of AWS's documentation of signing: IAM's ListUsers.
  const keys = { id: "AKIDEXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
  const request = {
    method: "GET",
    path: "/",
    query: { Action: "ListUsers", Version: "2010-05-08" },
    headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
  };
  const now = new Date("2015-08-30T12:36:00Z");
  const sent = await signed(request, { keys, region: "us-east-1", service: "iam", host: "iam.amazonaws.com", now });
  assert.match(sent.authorization, /Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7$/);
});

test("a query is in order and encoded", () => {
  assert.equal(queryText({ prefix: "a b/é", "list-type": "2" }), "list-type=2&prefix=a%20b%2F%C3%A9");
});

test("XML becomes texts, lists and members, and nothing else", () => {
  const xml = readXml('<?xml version="1.0"?><R xmlns="x"><K>a&amp;b &lt;i&gt; &#233;</K><C><K>1</K></C><C><K>2</K></C><E/></R>');
  assert.equal(xml.K, "a&b <i> é");
  assert.deepEqual(list(xml.C).map(({ K }) => K), ["1", "2"]);
  assert.equal(xml.E, "");
  assert.deepEqual(list(xml.Missing), []);
  for (const broken of ["", "<", "<a", "<a><b></a>", "</a>", "&#xffffffff;<a>&#x110000;</a>"]) readXml(broken);
});

test("JSON is laid out with every digit", () => {
  const text = '{"a":[1,{"b":9007199254740993123.10}],"c":{},"d":"x,\\"{y"}';
  const out = laidOut(text).map(([, token]) => token).join("");
  assert.equal(out.replace(/\n */g, "").replace(/: /g, ":"), text);
  assert.match(out, /\n {6}"b": 9007199254740993123\.10\n/);
});

test("bytes are JSON, text or neither", () => {
  const kind = (of) => decode(of).kind;
  assert.equal(kind(bytes('{"a": 1}')), "json");
  assert.equal(kind(bytes("{a")), "text");
  assert.equal(kind(Uint8Array.of(0, 1)), "base64");
  assert.equal(kind(Uint8Array.of(0xff, 0xfe)), "base64");
  assert.equal(kind(bytes(`[${"1,".repeat(100_000)}1]`)), "text");
  assert.deepEqual(fromBase64(toBase64(Uint8Array.of(1, 2, 250))), Uint8Array.of(1, 2, 250));
});

test("MD5 is MD5", () => {
  for (const length of [0, 1, 55, 56, 63, 64, 65, 1000]) {
    const input = bytes("é".repeat(length));
    assert.equal(Buffer.from(md5(input)).toString("hex"), createHash("md5").update(input).digest("hex"));
  }
});

test("KPL's records are taken apart, and whatever is broken is none", async () => {
  const field = (number, value) => [(number << 3) | 2, value.length, ...value];
  const record = (text) => field(3, [8, 0, ...field(3, bytes(text))]);
  const message = Uint8Array.from([...field(1, bytes("key")), ...record("one"), ...record("two")]);
  const packed = Uint8Array.from([0xf3, 0x89, 0x9a, 0xc2, ...message, ...md5(message)]);
  const records = await unpack(packed);
  assert.deepEqual(records.map(({ key, bytes: of }) => [key, new TextDecoder().decode(of)]), [["key", "one"], ["key", "two"]]);
  for (let at = 0; at < packed.length; at += 1) {
    assert.equal(await unpack(packed.subarray(0, at)), null);
    const broken = packed.slice();
    broken[at] ^= 1;
    assert.equal(await unpack(broken), null);
  }
  const endless = Uint8Array.of(10, 0xff, 0xff, 0xff, 0xff, 0xff);
  assert.equal(await unpack(Uint8Array.from([0xf3, 0x89, 0x9a, 0xc2, ...endless, ...md5(endless)])), null);
});

test("times are those of both clocks", () => {
  assert.equal(utc(0), "1970-01-01 00:00:00 UTC");
  assert.equal(duration(125_000), "2 min 5 s");
});

test("after a pause rates and charts go on, and a server that began anew has none", () => {
  globalThis.document = { hidden: true };
  const key = "us-east-1 stream clicks";
  const whole = (at, started, count) => feed.take({ at, server: { started }, things: { [key]: { in: count } } });
  whole(1_000_000, 1, 0);
  for (let second = 1; second <= 10; second += 1) feed.take({ at: 1_000_000 + second * 1000, things: { [key]: { in: second * 100 } } });
  assert.equal(feed.rate(key, "in"), 100);
  // Nobody looked for a minute in which 200 a second came.
  whole(1_070_000, 1, 13_000);
  assert.equal(Math.round(feed.rate(key, "in")), 200);
  const [, grown] = feed.series(key, [{ member: "in", isCounter: true }]);
  assert.ok(grown.length > 60 && Math.max(...grown) < 210, `${grown}`);
  whole(1_071_000, 2, 5);
  assert.equal(feed.rate(key, "in"), 0);
  feed.take({ at: 1_072_000, server: { started: 2 }, things: {} });
  assert.equal(feed.rate(key, "in"), 0);
});

test("the feed listens while the page is shown", () => {
  const opened = [];
  globalThis.EventSource = class {
    static CLOSED = 2;
    constructor() {
      opened.push(this);
    }
    close() {
      this.readyState = 2;
    }
  };
  let changed;
  globalThis.document = { hidden: false, addEventListener: (_, listener) => (changed = listener) };
  const show = (isShown) => {
    globalThis.document.hidden = !isShown;
    changed();
  };
  feed.start();
  show(true);
  assert.equal(opened.length, 1);
  show(false);
  assert.equal(opened[0].readyState, 2);
  show(true);
  assert.equal(opened.length, 2);
  assert.equal(opened[1].readyState, undefined);
});
