//! Conversations in HTTP/1.1, byte for byte, with a service that tells what it was asked.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use headwater_env::{Clock, Env, ManualClock};
use headwater_types::Millis;
use http::StatusCode;
use http_body_util::BodyExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    sync::oneshot::{self, error::TryRecvError},
};

use super::*;
use crate::{
    Buffers, HoldError, Limits, Peer, Service, Serving,
    limits::BODY_STEP_BYTES,
    slots::{Shutdown, Slots},
};

/// The longest body that the service takes.
const BODY_BYTES: usize = 16 << 20;

/// Answers by the path: what it was sent, nothing of it, or what it was sent in two pieces of unknown length.
struct Echo;

#[async_trait]
impl Service for Echo {
    fn body_failed(&self, _: &HoldError) -> Response<Body> {
        let mut response = Response::new(body::empty());
        *response.status_mut() = StatusCode::BAD_REQUEST;
        response
    }

    async fn call(&self, request: Request<Body>, _: Peer) -> Response<Body> {
        let (head, request_body) = request.into_parts();
        if head.uri.path() == "/unread" {
            return Response::new(body::full("no"));
        }
        let buffered = match Buffers::default().hold(request_body, BODY_BYTES).await {
            Ok(buffered) => buffered,
            Err(error) => return self.body_failed(&error),
        };
        let mut response = Response::new(body::full(buffered.bytes.clone()));
        match head.uri.path() {
            "/pieces" => {
                let (one, two) = buffered.bytes.split_at(buffered.bytes.len() / 2);
                let pieces = [
                    Ok(buffered.bytes.slice_ref(one)),
                    Ok(Bytes::new()),
                    Ok(buffered.bytes.slice_ref(two)),
                ];
                let chunks = Box::pin(stream::iter(pieces));
                *response.body_mut() = body::streamed(chunks, None);
            }
            "/short" => {
                let chunks = Box::pin(stream::iter([Ok(buffered.bytes)]));
                *response.body_mut() = body::streamed(chunks, Some(1000));
            }
            "/never" => std::future::pending().await,
            _ => {}
        }
        response
    }
}

/// Streams answers whose requests have not come yet, and keeps bodies that have.
#[derive(Default)]
struct Streams(parking_lot::Mutex<Option<Body>>);

#[async_trait]
impl Service for Streams {
    fn body_failed(&self, _: &HoldError) -> Response<Body> {
        Response::new(body::empty())
    }

    async fn call(&self, request: Request<Body>, _: Peer) -> Response<Body> {
        let (head, mut request_body) = request.into_parts();
        match head.uri.path() {
            "/echo" => Response::new(request_body),
            "/late" => {
                let first = stream::iter([Ok(Bytes::from("first"))]);
                let all = first.chain(body::chunks(request_body));
                Response::new(body::streamed(all, None))
            }
            "/keep" => {
                while let Some(Ok(_)) = request_body.frame().await {}
                *self.0.lock() = Some(request_body);
                Response::new(body::full("kept"))
            }
            _ => {
                let kept = self.0.lock().take();
                let read = kept.unwrap().frame().await.unwrap();
                Response::new(body::full(read.unwrap_err().to_string()))
            }
        }
    }
}

struct Talk {
    client: DuplexStream,
    clock: Arc<ManualClock>,
    slots: Arc<Slots>,
    ended: oneshot::Receiver<bool>,
}

/// A conversation in the clear with the service that echoes.
async fn talk() -> Talk {
    talk_with(Arc::new(Echo), false).await
}

/// A conversation; it ends with whether the connection goes on in HTTP/2.
async fn talk_with(service: Arc<dyn Service>, secure: bool) -> Talk {
    let clock = Arc::new(ManualClock::at(Millis(1_000_000)));
    let env = Env {
        clock: clock.clone(),
        ..Env::real()
    };
    let serving = Serving {
        service,
        buffers: Buffers::default(),
        limits: Limits::default(),
    };
    let shared = Shared {
        serving,
        env: env.clone(),
    };
    let slots = Arc::new(Slots::new(1, env.clone()));
    let lease = slots.take().await;
    let (client, server) = tokio::io::duplex(1 << 20);
    let (tell, ended) = oneshot::channel();
    env.spawn(async move {
        let client = Client::new(([127, 0, 0, 1], 1).into(), lease.slot.clone(), secure);
        let goes_on = serve(Box::new(server), &client, &shared).await.is_some();
        let _ = tell.send(goes_on);
    });
    Talk {
        client,
        clock,
        slots,
        ended,
    }
}

impl Talk {
    async fn say(&mut self, text: impl AsRef<[u8]>) {
        self.client.write_all(text.as_ref()).await.unwrap();
    }

    /// Reads until what was said ends so; the ids that differ from answer to answer are left out.
    async fn hear(&mut self, end: &str) -> String {
        let mut heard = Vec::new();
        while !heard.ends_with(end.as_bytes()) {
            heard.push(
                self.client
                    .read_u8()
                    .await
                    .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&heard))),
            );
        }
        without_ids(heard)
    }

    /// Reads to the end of the connection.
    async fn hear_all(mut self) -> String {
        let mut heard = Vec::new();
        self.client.read_to_end(&mut heard).await.unwrap();
        assert!(!self.ended.await.unwrap());
        without_ids(heard)
    }
}

fn without_ids(heard: Vec<u8>) -> String {
    let heard = String::from_utf8(heard).unwrap();
    heard
        .split_inclusive("\r\n")
        .filter(|line| !line.starts_with("x-am"))
        .collect()
}

/// The same at another time.
fn answer_at(talk: &Talk, fields: &str, body: &str) -> String {
    let seconds = talk.clock.now().0 / 1000 - 1000;
    let time = format!(
        "00:{:02}:{:02}",
        16 + (40 + seconds) / 60,
        (40 + seconds) % 60
    );
    answer(fields, body).replace("00:16:40", &time)
}

/// An answer's head as it is said, and its body.
fn answer(fields: &str, body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ndate: Thu, 01 Jan 1970 00:16:40 GMT\r\n{fields}\r\n\r\n{body}")
}

#[tokio::test]
async fn requests_are_answered_one_by_one_however_they_come() {
    let mut talk = talk().await;
    let requests = "POST /a HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabcPOST /b HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n\
                    2\r\nde\r\n1\r\nf\r\n0\r\n\r\n";
    talk.say(requests).await;
    assert_eq!(talk.hear("abc").await, answer("content-length: 3", "abc"));
    assert_eq!(talk.hear("def").await, answer("content-length: 3", "def"));
    for byte in requests.bytes() {
        talk.say([byte]).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(talk.hear("abc").await, answer("content-length: 3", "abc"));
    assert_eq!(talk.hear("def").await, answer("content-length: 3", "def"));
    talk.say("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        .await;
    assert_eq!(
        talk.hear_all().await,
        answer("content-length: 0\r\nconnection: close", "")
    );
}

#[tokio::test]
async fn long_bodies_come_and_go_as_they_are() {
    let mut talk = talk().await;
    let body: String = (0..9 * BODY_STEP_BYTES / 10)
        .map(|i| format!("{i:09} "))
        .collect();
    talk.say(format!(
        "PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n",
        body.len()
    ))
    .await;
    let (mut reader, mut writer) = tokio::io::split(talk.client);
    let (sent, heard) = tokio::join!(
        async {
            writer.write_all(body.as_bytes()).await.unwrap();
            writer
                .write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
                .await
        },
        async {
            let mut heard = Vec::new();
            reader.read_to_end(&mut heard).await.unwrap();
            without_ids(heard)
        }
    );
    sent.unwrap();
    let last = answer("content-length: 0\r\nconnection: close", "");
    assert!(
        heard
            == format!(
                "{}{last}",
                answer(&format!("content-length: {}", body.len()), &body)
            )
    );
}

#[tokio::test]
async fn each_body_has_all_its_time() {
    let mut talk = talk().await;
    for _ in 0..3 {
        talk.say("POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n")
            .await;
        // Now it waits for the body.
        talk.hear("\r\n\r\n").await;
        tokio::task::yield_now().await;
        talk.say("abc").await;
        assert_eq!(
            talk.hear("abc").await,
            answer_at(&talk, "content-length: 3", "abc")
        );
        talk.clock
            .advance(Limits::default().body_idle + Duration::from_secs(1));
    }
}

#[tokio::test]
async fn an_answer_of_unknown_length_comes_in_chunks() {
    let mut talk = talk().await;
    talk.say("POST /pieces HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nabcde")
        .await;
    let heard = talk.hear("0\r\n\r\n").await;
    assert_eq!(
        heard,
        answer(
            "transfer-encoding: chunked",
            "2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n"
        )
    );
    talk.say("POST /pieces HTTP/1.0\r\ncontent-length: 5\r\nconnection: keep-alive\r\n\r\nabcde")
        .await;
    let heard = talk.hear_all().await;
    assert_eq!(
        heard,
        answer("connection: close", "abcde").replace("HTTP/1.1", "HTTP/1.0")
    );
}

#[tokio::test]
async fn an_answer_that_is_shorter_than_it_said_ends_the_connection() {
    let mut talk = talk().await;
    talk.say("POST /short HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nabcde")
        .await;
    assert_eq!(
        talk.hear_all().await,
        answer("content-length: 1000", "abcde")
    );
}

#[tokio::test]
async fn older_clients_say_when_they_stay() {
    let mut talk = talk().await;
    talk.say("GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n")
        .await;
    let heard = talk.hear("\r\n\r\n").await;
    let expected =
        answer("content-length: 0\r\nconnection: keep-alive", "").replace("HTTP/1.1", "HTTP/1.0");
    assert_eq!(heard, expected);
    talk.say("GET / HTTP/1.0\r\n\r\n").await;
    assert_eq!(
        talk.hear_all().await,
        expected.replace("keep-alive", "close")
    );
}

#[tokio::test]
async fn a_head_has_no_body() {
    let mut talk = talk().await;
    talk.say("HEAD / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabcGET / HTTP/1.1\r\nhost: a\r\n\r\n")
        .await;
    let expected = answer("content-length: 0", "");
    assert_eq!(
        talk.hear("content-length: 0\r\n\r\n").await,
        format!(
            "{}{expected}",
            expected.replace("content-length: 0\r\n", "")
        )
    );
}

#[tokio::test]
async fn a_client_that_waits_with_a_body_is_told_to_go_on_when_it_is_wanted() {
    let mut talk = talk().await;
    talk.say("POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n")
        .await;
    assert_eq!(talk.hear("\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
    talk.say("abc").await;
    assert_eq!(talk.hear("abc").await, answer("content-length: 3", "abc"));
    talk.say(
        "POST /unread HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n",
    )
    .await;
    assert_eq!(
        talk.hear("no").await,
        answer("content-length: 2\r\nconnection: close", "no")
    );
    let mut talk = self::talk().await;
    talk.say(format!(
        "POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        BODY_BYTES + 1
    ))
    .await;
    let refused = talk.hear("\r\n\r\n").await;
    assert!(refused.starts_with("HTTP/1.1 400"), "{refused}");
}

#[tokio::test]
async fn a_client_is_not_told_to_go_on_in_the_middle_of_its_answer() {
    let mut talk = talk_with(Arc::new(Streams::default()), false).await;
    let waiting = "HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n";
    talk.say(format!("POST /echo {waiting}")).await;
    assert_eq!(talk.hear("\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
    talk.say("abc").await;
    assert_eq!(
        talk.hear("abc").await,
        answer("content-length: 3", "abc").replace("3\r\n\r\n", "3\r\nconnection: close\r\n\r\n")
    );
    let mut talk = talk_with(Arc::new(Streams::default()), false).await;
    talk.say(format!("POST /late {waiting}")).await;
    let begun = answer(
        "transfer-encoding: chunked\r\nconnection: close",
        "5\r\nfirst\r\n",
    );
    assert_eq!(talk.hear("first\r\n").await, begun);
    talk.say("abc").await;
    assert_eq!(talk.hear_all().await, "3\r\nabc\r\n0\r\n\r\n");
}

#[tokio::test]
async fn a_body_that_is_kept_beyond_its_request_reads_nothing_of_the_next() {
    let mut talk = talk_with(Arc::new(Streams::default()), false).await;
    // In pieces, so that neither body is there at once.
    for (path, end, heard) in [
        ("/keep", "kept", answer("content-length: 4", "kept")),
        (
            "/read",
            "over",
            answer(
                "content-length: 19\r\nconnection: close",
                "its request is over",
            ),
        ),
    ] {
        talk.say(format!(
            "POST {path} HTTP/1.1\r\nhost: a\r\ncontent-length: 6\r\n\r\nabc"
        ))
        .await;
        tokio::task::yield_now().await;
        talk.say("def").await;
        assert_eq!(talk.hear(end).await, heard);
    }
    talk.client.shutdown().await.unwrap();
    assert_eq!(
        talk.hear_all().await,
        "",
        "nothing of what was left is a request"
    );
}

#[tokio::test]
async fn a_body_that_is_kept_does_not_keep_its_connection() {
    let service = Arc::new(Streams::default());
    let mut talk = talk_with(service.clone(), false).await;
    talk.say("POST /keep HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 6\r\n\r\nabc")
        .await;
    tokio::task::yield_now().await;
    talk.say("def").await;
    let heard = answer("content-length: 4\r\nconnection: close", "kept");
    assert_eq!(talk.hear_all().await, heard);
    assert!(service.0.lock().is_some());
}

#[tokio::test]
async fn http2_is_not_agreed_on_within_tls() {
    let upgrade =
        "GET / HTTP/1.1\r\nhost: a\r\nupgrade: h2c\r\nconnection: upgrade, http2-settings\r\n";
    let settings = "http2-settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n";
    for (secure, settings, heard) in [
        (false, settings.to_owned(), "HTTP/1.1 101"),
        (true, settings.to_owned(), "HTTP/1.1 200"),
        (false, settings.repeat(2), "HTTP/1.1 200"),
        (false, String::new(), "HTTP/1.1 200"),
    ] {
        let mut talk = talk_with(Arc::new(Echo), secure).await;
        talk.say(format!("{upgrade}{settings}\r\n")).await;
        let answer = talk.hear("\r\n\r\n").await;
        assert!(answer.starts_with(heard), "{answer}");
    }
}

#[tokio::test]
async fn nothing_of_a_body_that_nobody_reads_is_taken_for_a_request() {
    let mut talk = talk().await;
    let hidden = "GET /hidden HTTP/1.1\r\nhost: a\r\n\r\n";
    talk.say(format!(
        "POST /unread HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n{hidden}"
    ))
    .await;
    assert_eq!(
        talk.hear("no").await,
        answer("content-length: 2\r\nconnection: close", "no")
    );
    // The rest may still be sent, and is not in the way of the answer.
    talk.say("x".repeat(967)).await;
    talk.client.shutdown().await.unwrap();
    assert_eq!(talk.hear_all().await, "");
}

#[tokio::test]
async fn bytes_that_are_no_request_are_refused_and_end_the_connection() {
    for (said, status) in [
        ("hello\r\n\r\n", "400 Bad Request"),
        ("PRI * HTTP/2.0\r\n\r\nxx\r\n\r\n", "400 Bad Request"),
    ] {
        let mut talk = talk().await;
        talk.say(said).await;
        talk.client.shutdown().await.unwrap();
        let expected =
            answer("content-length: 0\r\nconnection: close", "").replace("200 OK", status);
        assert_eq!(talk.hear_all().await, expected);
    }
    let mut talk = talk().await;
    talk.say("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n")
        .await;
    talk.client.shutdown().await.unwrap();
    let heard = talk.hear_all().await;
    assert!(
        heard.starts_with("HTTP/1.1 400") && heard.contains("connection: close"),
        "{heard}"
    );
}

#[tokio::test]
async fn http2_goes_on_elsewhere() {
    let mut talk = talk().await;
    for byte in PREFACE {
        talk.say([*byte]).await;
    }
    assert!(talk.ended.await.unwrap());
}

#[tokio::test]
async fn a_client_that_says_nothing_is_left_after_a_while() {
    for said in ["", "GET / HT"] {
        let mut talk = talk().await;
        talk.say(said).await;
        while talk.ended.try_recv() == Err(TryRecvError::Empty) {
            talk.clock.advance(Duration::from_secs(1));
            tokio::task::yield_now().await;
        }
        assert!(talk.clock.elapsed() >= Limits::default().idle);
        assert_eq!(
            talk.client.read(&mut [0; 8]).await.unwrap(),
            0,
            "without a word"
        );
    }
}

#[tokio::test]
async fn a_client_that_hangs_up_is_not_answered_and_a_connection_that_is_asked_to_end_does() {
    let mut gone = talk().await;
    gone.say("GET /never HTTP/1.1\r\nhost: a\r\n\r\n").await;
    gone.client.shutdown().await.unwrap();
    assert_eq!(gone.hear_all().await, "");
    for (shutdown, said) in [
        (Shutdown::Graceful, ""),
        (Shutdown::Abort, "GET /never HTTP/1.1\r\nhost: a\r\n\r\n"),
    ] {
        let mut talk = talk().await;
        talk.say("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        talk.hear("\r\n\r\n").await;
        talk.say(said).await;
        talk.slots.ask_all(shutdown);
        assert_eq!(talk.hear_all().await, "");
    }
}
