//! The listener and the door of AWS JSON, over real sockets. Requests outside the protocol are answered as recorded on
//! AWS by kinesalite's tests.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use headwater_env::Env;
use headwater_http::{Buffers, Limits, Serving, serve};
use headwater_shapes_kinesis as kinesis;
use headwater_shapes_kinesis::{
    CreateStreamInput, DeleteStreamInput, DescribeLimitsInput, DescribeLimitsOutput,
    ListStreamsInput, ListStreamsOutput, PutRecordsInput, PutRecordsOutput, ops,
};
use headwater_wire::{
    ApiError, Context, Handle, Options, Pipeline, Place, READS, Routes, WRITES, cbor,
};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Notify, Semaphore, oneshot},
};

/// A service whose answers tell what it was asked.
struct State {
    entered: Semaphore,
    go_on: Notify,
}

impl Handle<ops::ListStreams> for State {
    async fn handle(
        &self,
        input: ListStreamsInput,
        _: &Context,
    ) -> Result<ListStreamsOutput, ApiError> {
        let stream_names = input.exclusive_start_stream_name.into_iter().collect();
        Ok(ListStreamsOutput {
            stream_names,
            has_more_streams: false,
            ..Default::default()
        })
    }
}

impl Handle<ops::PutRecords> for State {
    async fn handle(
        &self,
        input: PutRecordsInput,
        _: &Context,
    ) -> Result<PutRecordsOutput, ApiError> {
        Ok(PutRecordsOutput {
            failed_record_count: Some(input.records.len() as i32),
            ..Default::default()
        })
    }
}

impl Handle<ops::CreateStream> for State {
    async fn handle(
        &self,
        input: CreateStreamInput,
        _: &Context,
    ) -> Result<headwater_shapes::Nothing, ApiError> {
        match input.stream_name.as_str() {
            "panic" => panic!("a handler that fails"),
            "exists" => Err(ApiError::of(
                &kinesis::errors::RESOURCE_IN_USE_EXCEPTION,
                "It exists.",
            )),
            _ => Ok(headwater_shapes::Nothing {}),
        }
    }
}

impl Handle<ops::DeleteStream> for State {
    async fn handle(
        &self,
        _: DeleteStreamInput,
        _: &Context,
    ) -> Result<headwater_shapes::Nothing, ApiError> {
        self.entered.add_permits(1);
        self.go_on.notified().await;
        Ok(headwater_shapes::Nothing {})
    }
}

impl Handle<ops::DescribeLimits> for State {
    async fn handle(
        &self,
        _: DescribeLimitsInput,
        context: &Context,
    ) -> Result<DescribeLimitsOutput, ApiError> {
        Err(ApiError::internal(format!(
            "host {} in {}",
            context.host, context.region.0
        )))
    }
}

struct Server {
    at: SocketAddr,
    state: Arc<State>,
    stop: oneshot::Sender<()>,
    stopped: oneshot::Receiver<()>,
}

async fn start(limits: Limits) -> Server {
    start_with(limits, Buffers::default()).await
}

/// A server that has this room for bodies.
async fn start_with(limits: Limits, buffers: Buffers) -> Server {
    let state = Arc::new(State {
        entered: Semaphore::new(0),
        go_on: Notify::new(),
    });
    let table = Routes::new(&kinesis::SERVICE, state.clone())
        .route::<ops::ListStreams>(READS)
        .direct::<ops::PutRecords>(WRITES.data().takes_records())
        .route::<ops::CreateStream>(WRITES)
        .route::<ops::DeleteStream>(WRITES)
        .route::<ops::DescribeLimits>(READS)
        .build();
    let options = Options {
        buffers: buffers.clone(),
        ..Options::new(Place::new("000000000000", "us-east-1"))
    };
    let serving = Serving {
        service: Arc::new(Pipeline::new(vec![table], options, Env::real())),
        buffers,
        limits,
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let (stop, stopping) = oneshot::channel();
    let (ended, stopped) = oneshot::channel();
    let env = Env::real();
    env.clone().spawn(async move {
        serve([listener.into()], serving, env, async {
            drop(stopping.await)
        })
        .await;
        let _ = ended.send(());
    });
    Server {
        at,
        state,
        stop,
        stopped,
    }
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn cbor(&self) -> Value {
        cbor::from_slice(&self.body).unwrap()
    }

    fn content_type(&self) -> Option<&str> {
        self.headers
            .get("content-type")
            .map(|v| v.to_str().unwrap())
    }
}

const JSON: &str = "application/x-amz-json-1.1";
const CBOR: &str = "application/x-amz-cbor-1.1";

impl Server {
    async fn send(&self, http2: bool, request: Request<Full<Bytes>>) -> Answer {
        let io = TokioIo::new(TcpStream::connect(self.at).await.unwrap());
        let env = Env::real();
        let response = if http2 {
            let (mut sender, connection) =
                http2::handshake(TokioExecutor::new(), io).await.unwrap();
            env.spawn(async { drop(connection.await) });
            sender.send_request(request).await.unwrap()
        } else {
            let (mut sender, connection) = http1::handshake(io).await.unwrap();
            env.spawn(async { drop(connection.await) });
            sender.send_request(request).await.unwrap()
        };
        let (head, body) = response.into_parts();
        Answer {
            status: head.status,
            headers: head.headers,
            body: body.collect().await.unwrap().to_bytes(),
        }
    }

    async fn ask(
        &self,
        method: Method,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri("/")
            .header("host", self.at.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(false, request.body(Full::new(body.into())).unwrap())
            .await
    }

    async fn call(&self, operation: &str, body: Value) -> Answer {
        let target = format!("Kinesis_20131202.{operation}");
        self.ask(
            Method::POST,
            &[("content-type", JSON), ("x-amz-target", &target)],
            body.to_string(),
        )
        .await
    }

    async fn raw(&self, bytes: &[u8]) -> Vec<u8> {
        let mut socket = TcpStream::connect(self.at).await.unwrap();
        // The server may hang up before it has read all.
        let _ = socket.write_all(bytes).await;
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer).await;
        answer
    }
}

#[tokio::test]
async fn calls_are_answered_in_both_versions_of_http_and_both_codecs() {
    let server = start(Limits::default()).await;
    for http2 in [false, true] {
        for (content_type, body) in [
            (JSON, br#"{"ExclusiveStartStreamName":"taxi"}"#.to_vec()),
            (
                "application/x-amz-json-1.0; charset=utf-8",
                br#"{"ExclusiveStartStreamName":"taxi"}"#.to_vec(),
            ),
            (
                CBOR,
                cbor::to_vec(&json!({"ExclusiveStartStreamName": "taxi"})).unwrap(),
            ),
        ] {
            let uri = format!("http://{}/", server.at);
            let request = Request::post(uri).header("content-type", content_type);
            let request = request
                .header("host", server.at.to_string())
                .header("x-amz-target", "Kinesis_20131202.ListStreams");
            let answer = server
                .send(http2, request.body(Full::new(body.into())).unwrap())
                .await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.content_type(), content_type.split(';').next());
            let output = if content_type == CBOR {
                answer.cbor()
            } else {
                answer.json()
            };
            assert_eq!(
                output,
                json!({"StreamNames": ["taxi"], "HasMoreStreams": false})
            );
            assert_eq!(answer.headers["x-amzn-requestid"].len(), 36);
            assert_eq!(answer.headers["x-amz-id-2"].len(), 96);
            assert_eq!(
                answer.headers["content-length"],
                answer.body.len().to_string()
            );
        }
    }
    let answer = server
        .call("CreateStream", json!({"StreamName": "a", "ShardCount": 1}))
        .await;
    assert_eq!(
        (
            answer.status.as_u16(),
            answer.content_type(),
            answer.body.len()
        ),
        (200, Some(JSON), 0)
    );
}

#[tokio::test]
async fn errors_have_awss_form() {
    let server = start(Limits::default()).await;
    for (operation, body, status, expected) in [
        (
            "CreateStream",
            json!({"StreamName": "exists"}),
            400,
            json!({"__type": "ResourceInUseException", "message": "It exists."}),
        ),
        (
            "CreateStream",
            json!({"StreamName": 1}),
            400,
            json!({
                "__type": "SerializationException",
                "Message": "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to an String"
            }),
        ),
        (
            "SplitShard",
            json!({}),
            501,
            json!({"__type": "NotImplemented", "message": "Headwater does not support kinesis's operation SplitShard yet."}),
        ),
        (
            "Whatever",
            json!({}),
            400,
            json!({"__type": "UnknownOperationException"}),
        ),
        (
            "DescribeLimits",
            json!({}),
            500,
            json!({"__type": "InternalFailure", "message": format!("host {} in us-east-1", server.at)}),
        ),
    ] {
        let answer = server.call(operation, body).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (status, expected));
    }
    let answer = server
        .call("CreateStream", json!({"StreamName": "panic"}))
        .await;
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["__type"]),
        (500, &json!("InternalFailure"))
    );
    let answer = server.call("ListStreams", json!({})).await;
    assert_eq!(answer.status, 200, "the server outlives a panic");
}

#[tokio::test]
async fn strays_are_answered_as_on_aws() {
    let server = start(Limits::default()).await;
    let target = ("x-amz-target", "Kinesis_20131202.ListStreams");
    let (unknown, unreadable) = (
        json!({"__type": "UnknownOperationException"}),
        json!({"__type": "SerializationException"}),
    );
    for (headers, body, content_type, expected) in [
        (vec![("content-type", JSON)], "", JSON, &unknown),
        (vec![("content-type", JSON)], "{}", JSON, &unknown),
        (vec![("content-type", JSON)], "hello", JSON, &unreadable),
        (vec![("content-type", JSON), target], "", JSON, &unreadable),
        (
            vec![("content-type", JSON), target],
            "hello",
            JSON,
            &unreadable,
        ),
        (
            vec![
                ("content-type", JSON),
                ("x-amz-target", "Whatever.ListStreams"),
            ],
            "{}",
            JSON,
            &unknown,
        ),
        (
            vec![("content-type", "application/x-amz-json-1.0")],
            "",
            CBOR,
            &unknown,
        ),
        (vec![("x-amz-target", "Whatever")], "", CBOR, &unknown),
        (
            vec![("x-amz-target", "Kinesis_20131202.")],
            "",
            CBOR,
            &unknown,
        ),
        (
            vec![("x-amz-target", "Kinesis_20131202.ListStream")],
            "",
            CBOR,
            &unknown,
        ),
        (vec![target], "", CBOR, &unreadable),
        (
            vec![("content-type", "application/json"), target],
            "",
            CBOR,
            &unreadable,
        ),
    ] {
        let answer = server.ask(Method::POST, &headers, body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.content_type()),
            (400, Some(content_type)),
            "{headers:?} {body}"
        );
        let members = if content_type == CBOR {
            answer.cbor()
        } else {
            answer.json()
        };
        assert_eq!(&members, expected, "{headers:?} {body}");
    }
    let answer = server
        .ask(
            Method::POST,
            &[("content-type", "application/json"), target],
            "{}",
        )
        .await;
    let coral = json!({"Output": {"__type": "com.amazon.coral.service#UnknownOperationException"}, "Version": "1.0"});
    assert_eq!((answer.status.as_u16(), answer.json()), (404, coral));
    let answer = server.ask(Method::POST, &[target], "{}").await;
    assert_eq!(
        (answer.status.as_u16(), &answer.body[..]),
        (404, &b"<UnknownOperationException/>\n"[..])
    );
    let answer = server.ask(Method::GET, &[target], "").await;
    let denied = "<AccessDeniedException>\n  <Message>Unable to determine service/operation name to be authorized\
                  </Message>\n</AccessDeniedException>\n";
    assert_eq!(
        (answer.status.as_u16(), &answer.body[..]),
        (403, denied.as_bytes())
    );
    let answer = server.ask(Method::GET, &[], "").await;
    assert_eq!(answer.status, 404, "no door takes it");
}

#[tokio::test]
async fn browsers_may_call() {
    let server = start(Limits::default()).await;
    let asked = [
        ("origin", "http://a"),
        ("access-control-request-method", "POST"),
        (
            "access-control-request-headers",
            "X-Amz-Target, content-type",
        ),
    ];
    let answer = server.ask(Method::OPTIONS, &asked, "").await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 0));
    for (name, value) in [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-headers", "X-Amz-Target, content-type"),
        ("access-control-allow-methods", "POST"),
        ("access-control-max-age", "172800"),
    ] {
        assert_eq!(answer.headers[name], value);
    }
    assert!(!answer.headers.contains_key("x-amz-id-2"));
    let headers = [
        ("origin", "a"),
        ("content-type", JSON),
        ("x-amz-target", "Kinesis_20131202.ListStreams"),
    ];
    let answer = server.ask(Method::POST, &headers, "{}").await;
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
    assert!(answer.headers.contains_key("access-control-expose-headers"));
}

#[tokio::test]
async fn large_heads_and_bodies_are_refused() {
    let server = start(Limits::default()).await;
    let head = format!(
        "POST / HTTP/1.1\r\nhost: a\r\nx-long: {}\r\n\r\n",
        "a".repeat(1 << 20)
    );
    let answer = String::from_utf8_lossy(&server.raw(head.as_bytes()).await).into_owned();
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
        "{answer}"
    );
    let long = format!(
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-type: {JSON}\r\nx-amz-target: Kinesis_20131202.PutRecords\r\n\
         content-length: 100000000\r\n\r\n"
    );
    let answer = String::from_utf8_lossy(&server.raw(long.as_bytes()).await).into_owned();
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(
        answer.contains("RequestEntityTooLargeException"),
        "{answer}"
    );
    let answer = server
        .call(
            "PutRecords",
            json!({"Records": [{"Data": "AAAA".repeat(5 << 20)}]}),
        )
        .await;
    assert_eq!(answer.status, 413, "the length shows while it is read");
    let answer = server
        .call("CreateStream", json!({"StreamName": "a".repeat(2 << 20)}))
        .await;
    assert_eq!(
        answer.status, 413,
        "only operations that put data may be that long"
    );
    let blind = format!(
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-type: {JSON}\r\nx-amz-target: Kinesis_20131202.PutRecords\r\n\
         content-length: 20000000\r\n\r\n{}",
        "a".repeat(20_000_000)
    );
    let answer = String::from_utf8_lossy(&server.raw(blind.as_bytes()).await).into_owned();
    assert!(
        answer.starts_with("HTTP/1.1 413"),
        "who sends all before it reads gets the answer too: {answer}"
    );
    assert_eq!(server.call("ListStreams", json!({})).await.status, 200);
}

#[tokio::test]
async fn a_body_that_breaks_off_or_stalls_has_no_effect_and_leaves_nothing() {
    let limits = Limits {
        body_idle: Duration::from_millis(50),
        ..Limits::default()
    };
    let server = start_with(limits, Buffers::new(1 << 20)).await;
    let head = format!(
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-type: {JSON}\r\nx-amz-target: Kinesis_20131202.DeleteStream\r\n\
         content-length: 1000000\r\n\r\n{{\"StreamName\":"
    );
    let mut socket = TcpStream::connect(server.at).await.unwrap();
    socket.write_all(head.as_bytes()).await.unwrap();
    drop(socket);
    // This one stays and says nothing more: all room for bodies is its until its time is over.
    let answer = String::from_utf8_lossy(&server.raw(head.as_bytes()).await).into_owned();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    let body = json!({"StreamName": "a".repeat(129), "Tags": {"a": "b".repeat(1 << 19)}});
    assert_eq!(
        server.call("CreateStream", body).await.status,
        400,
        "there is room again"
    );
    assert_eq!(
        server.state.entered.available_permits(),
        0,
        "half a body is no call"
    );
}

#[tokio::test]
async fn a_connection_that_is_not_used_is_closed() {
    let server = start(Limits {
        idle: Duration::from_millis(50),
        ..Limits::default()
    })
    .await;
    let request = format!(
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-type: {JSON}\r\ncontent-length: 2\r\n\r\n{{}}"
    );
    let answer = String::from_utf8(server.raw(request.as_bytes()).await).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 400"),
        "it is answered, and the connection ends: {answer}"
    );
}

#[tokio::test]
async fn who_does_not_read_its_answers_is_hung_up_on() {
    let server = start(Limits {
        body_idle: Duration::from_millis(50),
        ..Limits::default()
    })
    .await;
    let body = json!({"ExclusiveStartStreamName": "a".repeat(128)}).to_string();
    let request = format!(
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-type: {JSON}\r\nx-amz-target: Kinesis_20131202.ListStreams\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut socket = TcpStream::connect(server.at).await.unwrap();
    // Requests without end: once the answers fill both sides' buffers, the server waits, and then no longer.
    while socket.write_all(request.as_bytes()).await.is_ok() {}
}

#[tokio::test]
async fn a_shutdown_lets_requests_end_and_takes_no_new_ones() {
    let Server {
        at,
        state,
        stop,
        stopped,
    } = start(Limits::default()).await;
    let io = TokioIo::new(TcpStream::connect(at).await.unwrap());
    let (mut sender, connection) = http1::handshake(io).await.unwrap();
    Env::real().spawn(async { drop(connection.await) });
    let request = Request::post("/")
        .header("host", "a")
        .header("content-type", JSON);
    let request = request.header("x-amz-target", "Kinesis_20131202.DeleteStream");
    let running = sender.send_request(
        request
            .body(Full::new(Bytes::from(r#"{"StreamName":"a"}"#)))
            .unwrap(),
    );
    let shutdown = async {
        state.entered.acquire().await.unwrap().forget();
        stop.send(()).unwrap();
        while TcpStream::connect(at).await.is_ok() {
            tokio::task::yield_now().await;
        }
        state.go_on.notify_one();
    };
    let (answer, ()) = tokio::join!(running, shutdown);
    assert_eq!(answer.unwrap().status(), 200);
    stopped.await.unwrap();
}

#[tokio::test]
async fn a_shutdown_drops_what_does_not_end() {
    let Server {
        at,
        state,
        stop,
        stopped,
    } = start(Limits {
        drain: Duration::from_millis(10),
        ..Limits::default()
    })
    .await;
    let mut socket = TcpStream::connect(at).await.unwrap();
    let head = format!(
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-type: {JSON}\r\nx-amz-target: Kinesis_20131202.DeleteStream\r\n\
         content-length: 18\r\n\r\n{{\"StreamName\":\"a\"}}"
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    state.entered.acquire().await.unwrap().forget();
    stop.send(()).unwrap();
    stopped.await.unwrap();
    assert_eq!(
        socket.read(&mut [0; 64]).await.unwrap_or(0),
        0,
        "it ended without an answer"
    );
}

/// One frame of HTTP/2: its type, flags, stream and payload.
async fn frame(socket: &mut TcpStream) -> (u8, u8, u32, Vec<u8>) {
    let mut head = [0; 9];
    socket.read_exact(&mut head).await.unwrap();
    let len = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
    let mut payload = vec![0; len];
    socket.read_exact(&mut payload).await.unwrap();
    (
        head[3],
        head[4],
        u32::from_be_bytes([head[5], head[6], head[7], head[8]]),
        payload,
    )
}

#[tokio::test]
async fn a_connection_changes_to_http2_when_it_is_asked_to() {
    let server = start(Limits::default()).await;
    for name in ["taxi".to_owned(), "t".repeat(120)] {
        let body = json!({"ExclusiveStartStreamName": name}).to_string();
        let request = format!(
            "POST / HTTP/1.1\r\nhost: a\r\nconnection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\n\
             http2-settings: AAMAAABkAAQAoAAAAAIAAAAA\r\ncontent-type: {JSON}\r\n\
             x-amz-target: Kinesis_20131202.ListStreams\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut socket = TcpStream::connect(server.at).await.unwrap();
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(socket.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        assert!(
            head.starts_with("http/1.1 101") && head.contains("upgrade: h2c"),
            "{head}"
        );
        // The client's preface, and its settings: none.
        socket
            .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
            .await
            .unwrap();
        let mut answer = Vec::new();
        loop {
            let (kind, flags, stream, payload) = frame(&mut socket).await;
            assert_ne!(kind, 7, "the server does not go away");
            if stream == 1 && kind == 0 {
                answer.extend(payload);
            }
            if stream == 1 && flags & 1 != 0 {
                break;
            }
        }
        let output: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(
            output,
            json!({"StreamNames": [name], "HasMoreStreams": false})
        );
    }
}

#[tokio::test]
async fn a_wish_for_http2_with_a_large_body_is_passed_over() {
    let server = start(Limits::default()).await;
    let headers = [
        ("connection", "Upgrade, HTTP2-Settings"),
        ("upgrade", "h2c"),
        ("http2-settings", ""),
        ("content-type", JSON),
        ("x-amz-target", "Kinesis_20131202.ListStreams"),
    ];
    let body = json!({"Unknown": "a".repeat(100_000)}).to_string();
    assert_eq!(server.ask(Method::POST, &headers, body).await.status, 200);
}

#[tokio::test]
async fn connections_are_counted() {
    let server = start(Limits {
        connections: 1,
        idle: Duration::from_millis(50),
        ..Limits::default()
    })
    .await;
    let silent = TcpStream::connect(server.at).await.unwrap();
    assert_eq!(
        server.call("ListStreams", json!({})).await.status,
        200,
        "the silent one had its time"
    );
    drop(silent);
}
