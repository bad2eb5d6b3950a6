//! Conversations in HTTP/2 with a service whose paths say what becomes of a request.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    task::Poll,
    time::Duration,
};

use async_trait::async_trait;
use futures_util::{future::join_all, poll, stream};
use h2::{
    Reason, SendStream,
    client::{ResponseFuture, SendRequest},
};
use headwater_env::{Env, ManualClock};
use headwater_types::Millis;
use http::{HeaderMap, Method, Response, StatusCode, Version};
use tokio::{
    io::{AsyncReadExt, DuplexStream},
    sync::{Notify, oneshot},
};

use super::*;
use crate::{
    Body, Buffers, HoldError, Peer, Service, Serving, body,
    slots::{Shutdown, Slots},
};

/// The longest body that the service takes.
const BODY_BYTES: usize = 16 << 20;

/// The pieces of an answer that has no end.
const PIECE_BYTES: usize = 10_000;

/// Answers by the path, and notes what becomes of it.
#[derive(Default)]
struct Paths {
    /// A request waits to go on.
    entered: Notify,
    go_on: Notify,
    /// The pieces made of endless answers.
    made: Arc<AtomicUsize>,
    /// Whether something that has no end was dropped.
    dropped: Arc<AtomicBool>,
}

/// Notes that it is dropped.
struct Dropped(Arc<AtomicBool>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[async_trait]
impl Service for Paths {
    fn body_failed(&self, error: &HoldError) -> Response<Body> {
        let mut response = Response::new(body::full(error.to_string()));
        *response.status_mut() = StatusCode::BAD_REQUEST;
        response
    }

    async fn call(&self, request: Request<Body>, _: Peer) -> Response<Body> {
        assert_eq!(request.version(), Version::HTTP_2);
        let (head, request_body) = request.into_parts();
        match head.uri.path() {
            "/echo" => return Response::new(request_body),
            "/unread" => {
                let mut response = Response::new(body::full("no"));
                *response.status_mut() = StatusCode::FORBIDDEN;
                return response;
            }
            "/wait" => {
                self.entered.notify_one();
                self.go_on.notified().await;
            }
            "/never" => {
                let _dropped = Dropped(self.dropped.clone());
                self.entered.notify_one();
                std::future::pending::<()>().await;
            }
            "/panic" => panic!("a service that fails"),
            "/endless" => return Response::new(body::streamed(self.endless(), None)),
            "/short" => return Response::new(pieces(Some(1000), [Ok("abcde".into())])),
            "/long" => return Response::new(pieces(Some(3), [Ok("abcde".into())])),
            "/broken" => {
                let broken = Err(io::ErrorKind::InvalidData.into());
                return Response::new(pieces(None, [Ok("abc".into()), broken]));
            }
            _ => {}
        }
        match Buffers::default().hold(request_body, BODY_BYTES).await {
            Ok(buffered) => answer_to(&head.uri, buffered.bytes),
            Err(error) => self.body_failed(&error),
        }
    }
}

impl Paths {
    fn endless(&self) -> impl futures_util::Stream<Item = io::Result<Bytes>> + use<> {
        let (made, dropped) = (self.made.clone(), Dropped(self.dropped.clone()));
        stream::repeat_with(move || {
            let _ = &dropped;
            made.fetch_add(1, Ordering::Relaxed);
            Ok(Bytes::from_static(&[7; PIECE_BYTES]))
        })
    }
}

fn answer_to(uri: &http::Uri, bytes: Bytes) -> Response<Body> {
    match uri.path() {
        "/nothing" => {
            let mut response = Response::new(body::full(bytes));
            *response.status_mut() = StatusCode::NO_CONTENT;
            response
        }
        "/fields" => Response::builder()
            .header("connection", "close")
            .header("transfer-encoding", "chunked")
            .header("keep-alive", "timeout=5")
            .header("content-length", "77")
            .body(body::full(bytes))
            .unwrap(),
        "/pieces" => {
            let half = bytes.len() / 2;
            let (one, two) = (bytes.slice(..half), bytes.slice(half..));
            Response::new(pieces(None, [Ok(one), Ok(Bytes::new()), Ok(two)]))
        }
        _ => Response::new(body::full(bytes)),
    }
}

fn pieces<const N: usize>(len: Option<u64>, pieces: [io::Result<Bytes>; N]) -> Body {
    body::streamed(stream::iter(pieces), len)
}

/// The server's side of a conversation.
struct Server {
    service: Arc<Paths>,
    clock: Arc<ManualClock>,
    slots: Arc<Slots>,
    ended: oneshot::Receiver<()>,
}

/// A conversation with a client that takes what it is sent as it reads it.
struct Talk {
    client: SendRequest<Bytes>,
    server: Server,
}

/// A server, and the client's end of its socket.
async fn server() -> (Server, DuplexStream) {
    let clock = Arc::new(ManualClock::at(Millis(1_000_000)));
    let env = Env {
        clock: clock.clone(),
        ..Env::real()
    };
    let service = Arc::new(Paths::default());
    let shared = Arc::new(Shared {
        serving: Serving::new(service.clone()),
        env: env.clone(),
    });
    let slots = Arc::new(Slots::new(1, env.clone()));
    let lease = slots.take().await;
    let (near, far) = tokio::io::duplex(1 << 16);
    let (tell, ended) = oneshot::channel();
    env.spawn(async move {
        let client = Client::new(([127, 0, 0, 1], 1).into(), lease.slot.clone(), false);
        serve(Resumed::new(Bytes::new(), Box::new(far)), &client, &shared).await;
        let _ = tell.send(());
    });
    let server = Server {
        service,
        clock,
        slots,
        ended,
    };
    (server, near)
}

async fn talk() -> Talk {
    talk_with(h2::client::Builder::new()).await
}

async fn talk_with(builder: h2::client::Builder) -> Talk {
    let (server, socket) = server().await;
    let (client, connection) = builder.handshake(socket).await.unwrap();
    Env::real().spawn(async move { drop(connection.await) });
    Talk { client, server }
}

fn request(method: Method, path: &str, fields: &[(&str, &str)]) -> Request<()> {
    let mut request = Request::builder()
        .method(method)
        .uri(format!("http://a{path}"));
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap()
}

const WAITS: (&str, &str) = ("expect", "100-continue");

impl Talk {
    /// Sends the head of a POST, behind which a body is to come.
    async fn begin(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
    ) -> (ResponseFuture, SendStream<Bytes>) {
        let mut client = self.client.clone().ready().await.unwrap();
        let request = request(Method::POST, path, fields);
        client.send_request(request, false).unwrap()
    }

    /// Sends a request and reads its answer.
    async fn ask(&mut self, path: &str, body: &str) -> Answer {
        let (response, mut stream) = self.begin(path, &[]).await;
        stream
            .send_data(Bytes::from(body.to_owned()), true)
            .unwrap();
        answer(response).await.unwrap()
    }

    async fn still_answers(&mut self) {
        assert_eq!(self.ask("/", "hello").await.body, "hello");
    }
}

impl Server {
    /// Lets time pass, in steps that are shorter than any time-out.
    async fn pass(&self, time: Duration) {
        settle().await;
        for _ in 0..time.as_secs() {
            self.clock.advance(Duration::from_secs(1));
            settle().await;
        }
    }
}

#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// The whole answer; room for more of it is made as it is read.
async fn answer(response: ResponseFuture) -> Result<Answer, h2::Error> {
    let (head, mut stream) = response.await?.into_parts();
    let mut body = Vec::new();
    while let Some(data) = stream.data().await {
        let data = data?;
        stream.flow_control().release_capacity(data.len())?;
        body.extend_from_slice(&data);
    }
    Ok(Answer {
        status: head.status,
        headers: head.headers,
        body: body.into(),
    })
}

/// Sends a body as there is room for it.
async fn send(mut stream: SendStream<Bytes>, mut body: Bytes) {
    while !body.is_empty() {
        stream.reserve_capacity(body.len());
        let room = std::future::poll_fn(|context| stream.poll_capacity(context)).await;
        let piece = body.split_to(room.unwrap().unwrap().min(body.len()));
        stream.send_data(piece, body.is_empty()).unwrap();
    }
}

/// The status of the next interim answer, if there is one by now.
async fn interim(response: &mut ResponseFuture) -> Option<StatusCode> {
    settle().await;
    let next = std::future::poll_fn(|context| Poll::Ready(response.poll_informational(context)));
    match next.await {
        Poll::Ready(Some(interim)) => Some(interim.unwrap().status()),
        _ => None,
    }
}

/// Lets everything run until it waits for something.
async fn settle() {
    for _ in 0..500 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_client_that_waits_with_a_body_is_told_to_go_on_once_when_it_is_wanted() {
    let mut talk = talk().await;
    let (mut response, mut stream) = talk.begin("/wait", &[WAITS]).await;
    talk.server.service.entered.notified().await;
    assert_eq!(
        interim(&mut response).await,
        None,
        "nobody has asked for it"
    );
    talk.server.service.go_on.notify_one();
    assert_eq!(interim(&mut response).await, Some(StatusCode::CONTINUE));
    for piece in ["ab", "c"] {
        stream.send_data(piece.into(), piece == "c").unwrap();
        assert_eq!(interim(&mut response).await, None, "it is told once");
    }
    let answer = answer(response).await.unwrap();
    assert_eq!((answer.status.as_u16(), &*answer.body), (200, &b"abc"[..]));
}

#[tokio::test]
async fn a_client_is_not_told_to_go_on_when_its_body_is_refused_or_there_already() {
    let mut talk = talk().await;
    let too_long = (BODY_BYTES + 1).to_string();
    let (mut unread, _held_back) = talk.begin("/unread", &[WAITS]).await;
    let (mut long, _held_back) = talk
        .begin("/", &[WAITS, ("content-length", &too_long)])
        .await;
    for (response, status) in [(&mut unread, 403), (&mut long, 400)] {
        assert_eq!(interim(response).await, None);
        assert_eq!(response.await.unwrap().status(), status);
    }
    let (mut response, mut stream) = talk.begin("/wait", &[WAITS]).await;
    talk.server.service.entered.notified().await;
    stream.send_data("abc".into(), true).unwrap();
    settle().await;
    talk.server.service.go_on.notify_one();
    assert_eq!(interim(&mut response).await, None);
    assert_eq!(answer(response).await.unwrap().body, "abc");
    // A request that has no body has nothing to wait with.
    let empty = request(Method::POST, "/", &[WAITS]);
    let (mut response, _) = talk.client.send_request(empty, true).unwrap();
    assert_eq!(interim(&mut response).await, None);
    assert_eq!(answer(response).await.unwrap().body, "");
}

#[tokio::test]
async fn a_client_is_not_told_to_go_on_in_the_middle_of_its_answer() {
    let mut talk = talk().await;
    let (mut response, mut stream) = talk.begin("/echo", &[WAITS]).await;
    // The answer's body is the request's: it is asked for once the answer has begun.
    assert_eq!(interim(&mut response).await, None);
    stream.send_data("abc".into(), true).unwrap();
    assert_eq!(answer(response).await.unwrap().body, "abc");
}

#[tokio::test]
async fn answers_say_their_length_and_their_time_and_nothing_of_the_connection() {
    let mut talk = talk().await;
    for (path, body, length) in [
        ("/", "hello", Some("5")),
        ("/", "", Some("0")),
        ("/fields", "abc", Some("3")),
        ("/pieces", "abcde", None),
    ] {
        let answer = talk.ask(path, body).await;
        assert_eq!(answer.body, body);
        let field = |name| Some(answer.headers.get(name)?.to_str().unwrap());
        assert_eq!(field("content-length"), length, "{path}");
        assert_eq!(field("date"), Some("Thu, 01 Jan 1970 00:16:40 GMT"));
        assert_eq!(answer.headers.len(), 1 + usize::from(length.is_some()));
    }
}

#[tokio::test]
async fn answers_that_have_no_body_end_with_their_head() {
    let mut talk = talk().await;
    assert_eq!(talk.ask("/nothing", "abc").await.body, "");
    let head = request(Method::HEAD, "/fields", &[]);
    let (response, mut stream) = talk.client.send_request(head, false).unwrap();
    stream.send_data("abc".into(), true).unwrap();
    let response = response.await.unwrap();
    assert!(response.body().is_end_stream());
    assert_eq!(response.headers()["content-length"], "77", "GET's");
}

#[tokio::test]
async fn long_bodies_come_and_go_through_small_windows() {
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(1000);
    let mut talk = talk_with(builder).await;
    let body: String = (0..300_000).map(|i| format!("{i:09} ")).collect();
    let body = Bytes::from(body);
    for path in ["/", "/echo"] {
        for fields in [vec![], vec![("content-length", "3000000")]] {
            let (response, stream) = talk.begin(path, &fields).await;
            let (_, answer) = tokio::join!(send(stream, body.clone()), answer(response));
            assert!(answer.unwrap().body == body);
        }
    }
}

#[tokio::test]
async fn more_requests_than_run_at_a_time_are_all_answered() {
    let mut talk = talk().await;
    settle().await;
    let requests = (0..2 * limits::STREAMS_PER_CONNECTION).map(|nth| {
        let client = talk.client.clone();
        async move {
            let body = format!("{nth} ").repeat(1000);
            let post = request(Method::POST, "/", &[]);
            let (response, stream) = client
                .ready()
                .await
                .unwrap()
                .send_request(post, false)
                .unwrap();
            let (_, answer) = tokio::join!(send(stream, body.clone().into()), answer(response));
            assert!(answer.unwrap().body == body);
        }
    });
    join_all(requests).await;
    talk.still_answers().await;
}

#[tokio::test]
async fn a_request_that_is_taken_back_is_dropped_and_the_connection_goes_on() {
    for path in ["/never", "/endless"] {
        let mut talk = talk().await;
        let (response, mut stream) = talk.begin(path, &[]).await;
        settle().await;
        assert!(!talk.server.service.dropped.load(Ordering::Relaxed));
        stream.send_reset(Reason::CANCEL);
        // What came of its answer makes room for others.
        drop((response, stream));
        settle().await;
        assert!(
            talk.server.service.dropped.load(Ordering::Relaxed),
            "{path}"
        );
        talk.still_answers().await;
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_not_taken_for_a_whole_one() {
    let mut talk = talk().await;
    for reason in [Reason::CANCEL, Reason::NO_ERROR] {
        let (response, mut stream) = talk.begin("/", &[]).await;
        stream.send_data("abc".into(), false).unwrap();
        settle().await;
        stream.send_reset(reason);
        assert!(answer(response).await.is_err());
    }
    // Nor one that is shorter or longer than it was announced.
    for body in ["ab", "abcd"] {
        let (response, mut stream) = talk.begin("/", &[("content-length", "3")]).await;
        stream.send_data(body.into(), true).unwrap();
        let error = answer(response).await.unwrap_err();
        assert_eq!(error.reason(), Some(Reason::PROTOCOL_ERROR));
    }
    talk.still_answers().await;
}

#[tokio::test]
async fn an_answer_that_fails_resets_its_stream_and_no_other() {
    let mut talk = talk().await;
    for path in ["/short", "/long", "/broken"] {
        let (response, _stream) = talk.begin(path, &[]).await;
        let error = answer(response).await.unwrap_err();
        assert_eq!(error.reason(), Some(Reason::INTERNAL_ERROR), "{path}");
    }
    let (response, _stream) = talk.begin("/panic", &[]).await;
    assert!(answer(response).await.unwrap_err().is_reset());
    talk.still_answers().await;
}

#[tokio::test]
async fn a_client_that_is_answered_early_need_not_send_the_rest() {
    let mut talk = talk().await;
    let (response, mut stream) = talk.begin("/unread", &[]).await;
    assert_eq!(answer(response).await.unwrap().body, "no");
    let reset = std::future::poll_fn(|context| stream.poll_reset(context)).await;
    assert_eq!(reset.unwrap(), Reason::NO_ERROR);
    talk.still_answers().await;
}

#[tokio::test]
async fn tunnels_are_refused() {
    let mut talk = talk().await;
    let connect = Request::builder()
        .method(Method::CONNECT)
        .uri("a:1")
        .body(())
        .unwrap();
    let (response, _stream) = talk.client.send_request(connect, false).unwrap();
    assert_eq!(response.await.unwrap().status(), 400);
    talk.still_answers().await;
}

#[tokio::test]
async fn an_answer_is_made_as_its_client_takes_it() {
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(100_000);
    let mut talk = talk_with(builder).await;
    let (response, _stream) = talk.begin("/endless", &[]).await;
    let mut body = response.await.unwrap().into_body();
    settle().await;
    let made = || talk.server.service.made.load(Ordering::Relaxed);
    // What the window takes (the connection's, here), and the piece that waits for room.
    assert_eq!(made(), 65_535 / PIECE_BYTES + 1);
    while made() < 100 {
        let data = body.data().await.unwrap().unwrap();
        body.flow_control().release_capacity(data.len()).unwrap();
        settle().await;
    }
    assert!(made() <= 100 + 65_535 / PIECE_BYTES + 1);
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_an_answer_loses_it_after_a_while() {
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(10_000);
    let mut talk = talk_with(builder).await;
    let (response, _stream) = talk.begin("/endless", &[]).await;
    let mut body = response.await.unwrap().into_body();
    talk.server
        .pass(limits::BODY_IDLE - Duration::from_secs(1))
        .await;
    talk.still_answers().await;
    assert!(!talk.server.service.dropped.load(Ordering::Relaxed));
    talk.server.pass(Duration::from_secs(1)).await;
    assert!(talk.server.service.dropped.load(Ordering::Relaxed));
    talk.still_answers().await;
    while let Some(Ok(_)) = body.data().await {}
    // One that takes its pieces now and then keeps it.
    let (response, _stream) = talk.begin("/endless", &[]).await;
    let mut body = response.await.unwrap().into_body();
    for _ in 0..20 {
        let data = body.data().await.unwrap().unwrap();
        body.flow_control().release_capacity(data.len()).unwrap();
        talk.server.pass(limits::BODY_IDLE / 2).await;
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_waited_for_a_while() {
    let mut talk = talk().await;
    let (response, mut stream) = talk.begin("/", &[]).await;
    stream.send_data("abc".into(), false).unwrap();
    talk.server.pass(limits::BODY_IDLE).await;
    assert_eq!(answer(response).await.unwrap().status, 400);
    talk.still_answers().await;
}

#[tokio::test]
async fn a_connection_that_is_asked_to_end_does_so_behind_its_last_answer() {
    let mut talk = talk().await;
    let (response, mut stream) = talk.begin("/wait", &[]).await;
    stream.send_data("abc".into(), true).unwrap();
    talk.server.service.entered.notified().await;
    talk.server.slots.ask_all(Shutdown::Graceful);
    settle().await;
    let refused = talk.client.clone().ready().await;
    assert!(refused.is_err(), "the client is told to ask elsewhere");
    assert!(poll!(&mut talk.server.ended).is_pending());
    talk.server.service.go_on.notify_one();
    assert_eq!(answer(response).await.unwrap().body, "abc");
    talk.server.ended.await.unwrap();
}

#[tokio::test]
async fn a_connection_that_is_dropped_takes_its_requests_with_it() {
    let mut talk = talk().await;
    let (response, _stream) = talk.begin("/never", &[]).await;
    talk.server.service.entered.notified().await;
    talk.server.slots.ask_all(Shutdown::Graceful);
    talk.server.slots.ask_all(Shutdown::Abort);
    talk.server.ended.await.unwrap();
    settle().await;
    assert!(talk.server.service.dropped.load(Ordering::Relaxed));
    assert!(answer(response).await.is_err());
}

#[tokio::test]
async fn a_connection_is_busy_until_its_answers_are_sent() {
    let mut talk = talk().await;
    let (response, mut stream) = talk.begin("/endless", &[]).await;
    let body = response.await.unwrap().into_body();
    talk.server.clock.advance(limits::SILENT_MIN);
    let mut newcomer = pin!(talk.server.slots.take());
    assert!(poll!(newcomer.as_mut()).is_pending());
    assert!(
        talk.client.clone().ready().await.is_ok(),
        "it need not make room"
    );
    stream.send_reset(Reason::CANCEL);
    drop(body);
    settle().await;
    talk.server.clock.advance(limits::SILENT_MIN);
    newcomer.await;
}

#[tokio::test]
async fn a_client_that_never_asks_is_left_after_a_while() {
    let mut talk = talk().await;
    settle().await;
    talk.server
        .pass(limits::IDLE - Duration::from_secs(1))
        .await;
    assert!(poll!(&mut talk.server.ended).is_pending());
    talk.server.pass(Duration::from_secs(1)).await;
    talk.server.ended.await.unwrap();
}

#[tokio::test]
async fn a_client_that_answers_pings_may_stay_and_one_that_is_gone_is_left() {
    let mut stays = talk().await;
    stays.still_answers().await;
    stays.server.pass(20 * limits::BODY_IDLE).await;
    stays.still_answers().await;

    let (server, socket) = server().await;
    let (client, mut connection) = h2::client::handshake(socket).await.unwrap();
    let post = request(Method::POST, "/", &[]);
    let (response, _) = client
        .ready()
        .await
        .unwrap()
        .send_request(post, true)
        .unwrap();
    tokio::select! {
        biased;
        answer = answer(response) => assert_eq!(answer.unwrap().body, ""),
        _ = &mut connection => panic!("it does not end"),
    }
    // From here on the client neither reads nor writes.
    server.pass(limits::BODY_IDLE).await;
    let mut ended = server.ended;
    server
        .clock
        .advance(limits::BODY_IDLE - Duration::from_secs(1));
    settle().await;
    assert!(poll!(&mut ended).is_pending());
    server.clock.advance(Duration::from_secs(1));
    ended.await.unwrap();
}

#[tokio::test]
async fn bytes_that_are_no_frames_end_the_connection() {
    let (server, mut socket) = server().await;
    let nonsense = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), &[0xff; 999]].concat();
    tokio::io::AsyncWriteExt::write_all(&mut socket, &nonsense)
        .await
        .unwrap();
    server.ended.await.unwrap();
    let mut heard = Vec::new();
    socket.read_to_end(&mut heard).await.unwrap();
}
