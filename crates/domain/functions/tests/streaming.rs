//! Answers in pieces: from our Node bootstrap and from runtimes of a package's own, with slow callers and callers who go.

#![allow(clippy::unwrap_used, reason = "this is test code")]

mod common;

use common::{World, json, name};
use headwater_functions::{Answer, Error, Invocation, StreamedAnswer};
use serde_json::json;

async fn stream(world: &World, function: &str, payload: &str) -> Result<Answer, Error> {
    let request = world.request(payload);
    world
        .functions
        .invoke_streaming(&name(function), request)
        .await
}

async fn streamed(world: &World, function: &str, payload: &str) -> StreamedAnswer {
    match stream(world, function, payload).await.unwrap() {
        Answer::Streamed(answer) => answer,
        Answer::Whole(whole) => panic!("{whole:?}"),
    }
}

async fn read(mut answer: StreamedAnswer) -> (Vec<u8>, Invocation) {
    let mut all = Vec::new();
    while let Some(piece) = answer.next().await {
        all.extend_from_slice(&piece);
    }
    (all, answer.end().await.unwrap())
}

const NODE: &str = "
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
export const handler = awslambda.streamifyResponse(async (event, stream, context) => {
  if (event.type) stream.setContentType(event.type);
  if (event.early) throw new TypeError('before');
  stream.write(`one ${context.awsRequestId.length} `);
  if (event.large) await pipeline(Readable.from(pieces(event.large)), stream);
  if (event.late) {
    const error = new Error('after');
    error.name = event.late;
    throw error;
  }
  if (event.json) stream.write({ a: 1 });
  if (event.forgets) return;
  if (event.ended) {
    // Fails between the end that it sends and the answer to that.
    const end = stream._final.bind(stream);
    const sent = new Promise((resolve) => (stream._final = (done) => resolve(end(done))));
    stream.end();
    await sent;
    throw new Error('ended');
  }
  stream.end();
  await stream.finished?.();
});
function* pieces(count) { for (let n = 0; n < count; n++) yield Buffer.alloc(65536, 46); }
export const prelude = awslambda.streamifyResponse(async (event, stream) => {
  stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201, headers: { 'x-a': 'b' } });
  stream.write('body');
  stream.end();
});
export const plain = async (event) => event;
";

#[tokio::test]
async fn a_node_handler_streams() {
    let world = World::new().await;
    world.node("f", NODE).await;
    let answer = streamed(&world, "f", r#"{"type": "text/plain", "json": true}"#).await;
    assert_eq!(answer.content_type.as_deref(), Some("text/plain"));
    let (all, end) = read(answer).await;
    assert_eq!(
        (all.as_slice(), end.failed),
        (&br#"one 36 {"a":1}"#[..], false)
    );
    assert!(end.payload.is_empty());
    // One that forgets to end its stream has ended it when nothing is left to do.
    let (all, end) = read(streamed(&world, "f", r#"{"forgets": true}"#).await).await;
    assert_eq!((all.as_slice(), end.failed), (&b"one 36 "[..], false));
    let tail = String::from_utf8(end.log_tail).unwrap();
    assert!(
        tail.starts_with("START ") && tail.contains("REPORT "),
        "{tail}"
    );
    // Who takes no pieces gets the whole.
    let whole = world.invoke("f", "{}").await;
    assert_eq!(
        (whole.payload.as_ref(), whole.failed),
        (&b"one 36 "[..], false)
    );
}

#[tokio::test]
async fn a_handler_that_does_not_stream_answers_at_once() {
    let world = World::new().await;
    world
        .create("f", "nodejs22.x", "index.plain", &[("index.mjs", NODE)])
        .await;
    match stream(&world, "f", r#"{"a": 1}"#).await.unwrap() {
        Answer::Whole(whole) => assert_eq!(json(&whole), json!({ "a": 1 })),
        Answer::Streamed(_) => panic!("it does not stream"),
    }
}

#[tokio::test]
async fn an_error_is_told_before_the_stream_or_behind_it() {
    let world = World::new().await;
    world.node("f", NODE).await;
    match stream(&world, "f", r#"{"early": true}"#).await.unwrap() {
        Answer::Whole(failed) => {
            assert!(failed.failed);
            assert_eq!(json(&failed)["errorType"], "TypeError");
        }
        Answer::Streamed(_) => panic!("it failed before"),
    }
    // Names that no header can hold, and messages that no trailer can, end the stream too.
    let long = "e".repeat(100_000);
    for (late, told) in [
        ("Late", "Late"),
        ("Fehler €\\r\\nX: y", "Fehler €\r\nX: y"),
        (long.as_str(), "e"),
    ] {
        let event = format!(r#"{{"late": "{late}"}}"#);
        let (all, end) = read(streamed(&world, "f", &event).await).await;
        assert_eq!(
            (all.as_slice(), end.failed),
            (&b"one 36 "[..], true),
            "{late}"
        );
        let kind = json(&end)["errorType"].as_str().unwrap().to_owned();
        assert!(kind.starts_with(told), "{kind}");
        let whole = world.invoke("f", &event).await;
        assert!(whole.failed, "{late}");
    }
    assert_eq!(
        json(&world.invoke("f", r#"{"late": "Late"}"#).await)["errorMessage"],
        "after"
    );
}

#[tokio::test]
async fn an_error_behind_the_end_comes_too_late() {
    let world = World::new().await;
    world.node("f", NODE).await;
    let (all, end) = read(streamed(&world, "f", r#"{"ended": true}"#).await).await;
    assert_eq!((all.as_slice(), end.failed), (&b"one 36 "[..], false));
    // The process takes the next: nothing was sent behind the end.
    let (all, end) = read(streamed(&world, "f", "{}").await).await;
    assert_eq!((all.as_slice(), end.failed), (&b"one 36 "[..], false));
    let tail = String::from_utf8(end.log_tail).unwrap();
    assert!(!tail.contains("Init Duration"), "{tail}");
}

#[tokio::test]
async fn a_slow_caller_holds_the_function_up_and_one_who_goes_does_not_end_it() {
    let world = World::new().await;
    world.node("f", NODE).await;
    // 32 MB: far more than may wait between the two.
    let (all, end) = read(streamed(&world, "f", r#"{"large": 512}"#).await).await;
    assert_eq!((all.len(), end.failed), (7 + 512 * 65_536, false));
    let mut gone = streamed(&world, "f", r#"{"large": 512}"#).await;
    gone.next().await.unwrap();
    drop(gone);
    // The process runs to its end and takes the next.
    let (all, _) = read(streamed(&world, "f", "{}").await).await;
    assert_eq!(all, b"one 36 ");
}

#[tokio::test]
async fn status_and_headers_go_before_the_body() {
    let world = World::new().await;
    world
        .create("f", "nodejs22.x", "index.prelude", &[("index.mjs", NODE)])
        .await;
    let answer = streamed(&world, "f", "{}").await;
    let kind = "application/vnd.awslambda.http-integration-response";
    assert_eq!(answer.content_type.as_deref(), Some(kind));
    let (all, _) = read(answer).await;
    let head = br#"{"statusCode":201,"headers":{"x-a":"b"}}"#;
    assert_eq!(all, [&head[..], &[0; 8], b"body"].concat());
}

/// A runtime of a package's own, in Python: what it sends is in the event.
const OWN: &str = r#"#!/usr/bin/env python3
import base64, json, os, socket
host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
API = "/2018-06-01/runtime/invocation/"
def connect():
    return socket.create_connection((host, int(port)))
def read(sock):
    data = b""
    while b"\r\n\r\n" not in data: data += sock.recv(65536)
    head, body = data.split(b"\r\n\r\n", 1)
    headers = dict(line.lower().split(": ", 1) for line in head.decode().split("\r\n")[1:])
    while len(body) < int(headers["content-length"]): body += sock.recv(65536)
    return int(head.split()[1]), headers, body
sock = connect()
while True:
    sock.sendall(f"GET {API}next HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    _, headers, event = read(sock)
    event = json.loads(event)
    path = API + headers["lambda-runtime-aws-request-id"] + "/response"
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
    head += "Lambda-Runtime-Function-Response-Mode: streaming\r\nTrailer: Lambda-Runtime-Function-Error-Type\r\n\r\n"
    sock.sendall(head.encode() + b"4\r\npart\r\n")
    if event.get("twice"):
        other = connect()
        other.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nother".encode())
        print("second", read(other)[0], flush=True)
    if event.get("hangs_up"):
        sock.close()
        sock = connect()
        continue
    trailers = b""
    if "kind" in event:
        trailers = b"Lambda-Runtime-Function-Error-Type: " + event["kind"].encode("latin-1") + b"\r\n"
        body = base64.b64encode(json.dumps({"errorType": event["kind"]}).encode())
        trailers += b"Lambda-Runtime-Function-Error-Body: " + body + b"\r\n"
    trailers += b"X-More: " + b"x" * event.get("more", 0) + b"\r\n"
    sock.sendall(b"0\r\n" + trailers + b"\r\n")
    try:
        read(sock)
    except (ConnectionError, IndexError, ValueError):
        sock = connect()
"#;

#[tokio::test]
async fn a_runtime_of_its_own_streams_and_tells_errors_in_trailers() {
    let world = World::new().await;
    world
        .create("f", "provided.al2023", "x", &[("bootstrap", OWN)])
        .await;
    let (all, end) = read(streamed(&world, "f", "{}").await).await;
    assert_eq!((all.as_slice(), end.failed), (&b"part"[..], false));
    let (_, end) = read(streamed(&world, "f", r#"{"kind": "Own.Error"}"#).await).await;
    assert_eq!(
        (end.failed, json(&end)),
        (true, json!({ "errorType": "Own.Error" }))
    );
    let (_, end) = read(streamed(&world, "f", r#"{"kind": "Fehler\u00e4"}"#).await).await;
    assert_eq!(
        (end.failed, json(&end)),
        (true, json!({ "errorType": "Fehlerä" }))
    );
    let whole = world.invoke("f", r#"{"kind": "Own.Error"}"#).await;
    assert_eq!(
        (whole.failed, json(&whole)),
        (true, json!({ "errorType": "Own.Error" }))
    );
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_an_error_at_once() {
    let world = World::new().await;
    world
        .create("f", "provided.al2023", "x", &[("bootstrap", OWN)])
        .await;
    for event in [r#"{"hangs_up": true}"#, r#"{"more": 100000}"#] {
        let (all, end) = read(streamed(&world, "f", event).await).await;
        assert_eq!(
            (all.as_slice(), end.failed),
            (&b"part"[..], true),
            "{event}"
        );
        assert_eq!(json(&end)["errorType"], "Runtime.TruncatedResponse");
    }
}

#[tokio::test]
async fn there_is_one_answer_to_an_invocation() {
    let world = World::new().await;
    world
        .create("f", "provided.al2023", "x", &[("bootstrap", OWN)])
        .await;
    let (all, end) = read(streamed(&world, "f", r#"{"twice": true}"#).await).await;
    assert_eq!((all.as_slice(), end.failed), (&b"part"[..], false));
    let tail = String::from_utf8(end.log_tail).unwrap();
    assert!(tail.contains("second 403\n"), "{tail}");
    let whole = world.invoke("f", r#"{"twice": true}"#).await;
    assert_eq!(whole.payload, "part");
}
