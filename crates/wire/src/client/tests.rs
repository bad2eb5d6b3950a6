//! The client against a scripted server.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use headwater_env::Env;
use headwater_shapes::kinesis::{self, ops};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;

use crate::client::{CallError, Client, ClientConfig, Credentials, Retry};

type Seen = Arc<Mutex<Vec<Request<Bytes>>>>;

/// A server that gives one answer after the other and notes the requests; without an answer it hangs up.
pub(super) async fn server(answers: Vec<Response<&'static str>>) -> (SocketAddr, Seen) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Seen::default();
    let answers = Arc::new(Mutex::new(VecDeque::from(answers)));
    let notes = seen.clone();
    let env = Env::real();
    env.clone().spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let (answers, notes) = (answers.clone(), notes.clone());
            let service = service_fn(move |request: Request<Incoming>| {
                let (answers, notes) = (answers.clone(), notes.clone());
                async move {
                    let (head, body) = request.into_parts();
                    let body = body.collect().await.unwrap().to_bytes();
                    notes.lock().unwrap().push(Request::from_parts(head, body));
                    let answer = answers.lock().unwrap().pop_front().ok_or("hanging up")?;
                    Ok::<_, &'static str>(answer.map(|text| Full::new(Bytes::from(text))))
                }
            });
            env.spawn(async move {
                let connection = hyper::server::conn::http1::Builder::new();
                drop(connection.serve_connection(TokioIo::new(socket), service).await);
            });
        }
    });
    (address, seen)
}

pub(super) fn client(address: SocketAddr) -> Client {
    let credentials = Credentials {
        access_key_id: "test".into(),
        secret_access_key: "secret".into(),
        session_token: Some("session".into()),
    };
    let retry = Retry { attempts: 3, base: Duration::from_millis(1), cap: Duration::from_millis(1) };
    let config = ClientConfig::new(credentials).with_endpoint_url(Some(format!("http://{address}")));
    Client::new(config.with_retry(retry), Env::real())
}

fn answer(status: u16, body: &'static str) -> Response<&'static str> {
    Response::builder().status(status).body(body).unwrap()
}

#[tokio::test]
async fn a_json_call_is_signed_and_tried_again_after_a_failure() {
    let busy = r#"{"__type":"com.amazonaws.kinesis#LimitExceededException","message":"Rate exceeded"}"#;
    let listed = r#"{"HasMoreStreams":false,"StreamNames":["taxi"]}"#;
    let (address, seen) = server(vec![answer(500, ""), answer(400, busy), answer(200, listed)]).await;
    let input = kinesis::ListStreamsInput { limit: Some(7), ..Default::default() };
    let output = client(address).call::<ops::ListStreams>(input).await.unwrap();
    assert_eq!(output.stream_names, ["taxi"]);
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 3);
    let headers = seen[2].headers();
    assert_eq!(headers["x-amz-target"], "Kinesis_20131202.ListStreams");
    assert_eq!(headers["content-type"], "application/x-amz-json-1.1");
    assert_eq!(headers["host"], address.to_string());
    assert_eq!(headers["x-amz-security-token"], "session");
    let authorization = headers["authorization"].to_str().unwrap();
    assert!(authorization.contains("/us-east-1/kinesis/aws4_request"), "{authorization}");
    assert_eq!(seen[2].body(), r#"{"Limit":7}"#);
}

#[tokio::test]
async fn an_error_of_the_service_comes_through_and_is_not_tried_again() {
    let body = r#"{"__type":"ResourceNotFoundException","message":"Stream x not found"}"#;
    let (address, seen) = server(vec![answer(400, body)]).await;
    let error = client(address).call::<ops::ListStreams>(Default::default()).await.unwrap_err();
    assert_eq!(error, CallError::answered(400, "ResourceNotFoundException", "Stream x not found"));
    assert!(!error.retryable);
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_may_have_been_done_is_repeated_only_if_it_changes_nothing() {
    let (address, seen) = server(vec![]).await;
    let client = client(address);
    let error = client.call::<ops::PutRecords>(Default::default()).await.unwrap_err();
    assert!(error.unclear && error.retryable, "{error:?}");
    assert_eq!(seen.lock().unwrap().len(), 1);
    client.call::<ops::ListStreams>(Default::default()).await.unwrap_err();
    assert_eq!(seen.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn a_closed_port_is_a_transport_error_and_no_region_a_clear_one() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = client(address).call::<ops::PutRecords>(Default::default()).await.unwrap_err();
    assert_eq!((error.code.as_str(), error.unclear), (CallError::TRANSPORT, false));
    let aws = Client::new(
        ClientConfig { endpoints: Default::default(), ..client(address).config().clone() },
        Env::real(),
    );
    let error = aws.call::<ops::ListStreams>(Default::default()).await.unwrap_err();
    assert!(error.message.contains("AWS_REGION"), "{error}");
}
