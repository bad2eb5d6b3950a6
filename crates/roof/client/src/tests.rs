//! The client against a scripted server.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use futures_util::TryStreamExt;
use headwater_env::Env;
use headwater_shapes::ByteStream;
use headwater_shapes_kinesis as kinesis;
use headwater_shapes_kinesis::ops;
use headwater_shapes_lambda as lambda;
use headwater_shapes_s3 as s3;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;

use headwater_http::Serving;
use headwater_wire::{Options, Pipeline, Place, Table};
use world::{lambda_table, s3_table};

use crate::{CallError, Client, ClientConfig, Credentials, Retry};

#[path = "../../../doors/wire/tests/support/world.rs"]
mod world;

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
                drop(
                    connection
                        .serve_connection(TokioIo::new(socket), service)
                        .await,
                );
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
    let retry = Retry {
        attempts: 3,
        base: Duration::from_millis(1),
        cap: Duration::from_millis(1),
    };
    let config =
        ClientConfig::new(credentials).with_endpoint_url(Some(format!("http://{address}")));
    Client::new(config.with_retry(retry), Env::real())
}

fn answer(status: u16, body: &'static str) -> Response<&'static str> {
    Response::builder().status(status).body(body).unwrap()
}

#[tokio::test]
async fn a_json_call_is_signed_and_tried_again_after_a_failure() {
    let busy =
        r#"{"__type":"com.amazonaws.kinesis#LimitExceededException","message":"Rate exceeded"}"#;
    let listed = r#"{"HasMoreStreams":false,"StreamNames":["taxi"]}"#;
    let (address, seen) = server(vec![
        answer(500, ""),
        answer(400, busy),
        answer(200, listed),
    ])
    .await;
    let input = kinesis::ListStreamsInput {
        limit: Some(7),
        ..Default::default()
    };
    let output = client(address)
        .call::<ops::ListStreams>(input)
        .await
        .unwrap();
    assert_eq!(output.stream_names, ["taxi"]);
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 3);
    let headers = seen[2].headers();
    assert_eq!(headers["x-amz-target"], "Kinesis_20131202.ListStreams");
    assert_eq!(headers["content-type"], "application/x-amz-json-1.1");
    assert_eq!(headers["host"], address.to_string());
    assert_eq!(headers["x-amz-security-token"], "session");
    let authorization = headers["authorization"].to_str().unwrap();
    assert!(
        authorization.contains("/us-east-1/kinesis/aws4_request"),
        "{authorization}"
    );
    assert_eq!(seen[2].body(), r#"{"Limit":7}"#);
}

#[tokio::test]
async fn an_error_of_the_service_comes_through_and_is_not_tried_again() {
    let body = r#"{"__type":"ResourceNotFoundException","message":"Stream x not found"}"#;
    let (address, seen) = server(vec![answer(400, body)]).await;
    let error = client(address)
        .call::<ops::ListStreams>(Default::default())
        .await
        .unwrap_err();
    assert_eq!(
        error,
        CallError::answered(400, "ResourceNotFoundException", "Stream x not found")
    );
    assert!(!error.retryable);
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_may_have_been_done_is_repeated_only_if_it_changes_nothing() {
    let (address, seen) = server(vec![]).await;
    let client = client(address);
    let error = client
        .call::<ops::PutRecords>(Default::default())
        .await
        .unwrap_err();
    assert!(error.unclear && error.retryable, "{error:?}");
    assert_eq!(seen.lock().unwrap().len(), 1);
    client
        .call::<ops::ListStreams>(Default::default())
        .await
        .unwrap_err();
    assert_eq!(seen.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn a_closed_port_is_a_transport_error_and_no_region_a_clear_one() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = client(address)
        .call::<ops::PutRecords>(Default::default())
        .await
        .unwrap_err();
    assert_eq!(
        (error.code.as_str(), error.unclear),
        (CallError::TRANSPORT, false)
    );
    let aws = Client::new(
        ClientConfig {
            endpoints: Default::default(),
            ..client(address).config().clone()
        },
        Env::real(),
    );
    let error = aws
        .call::<ops::ListStreams>(Default::default())
        .await
        .unwrap_err();
    assert!(error.message.contains("AWS_REGION"), "{error}");
}

/// A service behind a real connection.
async fn serve(table: Table) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let env = Env::real();
    let options = Options::new(Place::new("000000000000", "us-east-1"));
    let serving = Serving::new(Arc::new(Pipeline::new(vec![table], options, env.clone())));
    env.clone().spawn(async move {
        headwater_http::serve([listener.into()], serving, env, std::future::pending()).await;
    });
    address
}

#[tokio::test]
async fn s3_is_spoken_both_ways() {
    let client = client(serve(s3_table()).await);
    let listed = client
        .call::<s3::ops::ListObjectsV2>(s3::ListObjectsV2Request {
            bucket: "b".into(),
            prefix: Some("x y/&+".into()),
            ..Default::default()
        })
        .await
        .unwrap();
    assert_eq!(listed.prefix.as_deref(), Some("x y/&+"));
    let object = &listed.contents.unwrap()[0];
    assert_eq!(object.key.as_deref(), Some("a&<b>\r\u{1}"));
    assert_eq!(object.last_modified.unwrap().0, 1_700_000_000_123);
    assert_eq!(
        object.checksum_algorithm.as_deref().unwrap(),
        ["CRC32", "SHA1"]
    );
    let body = ByteStream::from_bytes(Bytes::from_static(b"hello"));
    let put = s3::PutObjectRequest {
        bucket: "b".into(),
        key: "d/k +\u{e9}".into(),
        body,
        ..Default::default()
    };
    let put = client.call::<s3::ops::PutObject>(put).await.unwrap();
    assert_eq!(
        put.e_tag.as_deref(),
        Some("b/d/k +\u{e9} None Some(5) None None hello")
    );
    let get = s3::GetObjectRequest {
        bucket: "b".into(),
        key: "k".into(),
        ..Default::default()
    };
    let got = client.call::<s3::ops::GetObject>(get).await.unwrap();
    assert_eq!((got.content_length, got.body.len), (Some(2), Some(2)));
    assert_eq!(got.metadata.unwrap()["color"], "red");
    let chunks: Vec<Bytes> = got.body.chunks.try_collect().await.unwrap();
    assert_eq!(chunks.concat(), b"hi");
    let key = s3::ObjectIdentifier {
        key: "k".into(),
        ..Default::default()
    };
    let delete = s3::Delete {
        objects: vec![key],
        quiet: None,
    };
    let delete = s3::DeleteObjectsRequest {
        bucket: "b".into(),
        delete,
        ..Default::default()
    };
    let deleted = client.call::<s3::ops::DeleteObjects>(delete).await.unwrap();
    assert_eq!(deleted.deleted.unwrap()[0].key.as_deref(), Some("k"));
    let far = s3::GetBucketLocationRequest {
        bucket: "far".into(),
        ..Default::default()
    };
    let far = client
        .call::<s3::ops::GetBucketLocation>(far)
        .await
        .unwrap();
    assert_eq!(far.location_constraint.as_deref(), Some("eu-west-1"));
}

#[tokio::test]
async fn errors_of_s3_are_read_with_and_without_a_body() {
    let client = client(serve(s3_table()).await);
    let head = s3::HeadObjectRequest {
        bucket: "b".into(),
        key: "missing".into(),
        ..Default::default()
    };
    let error = client.call::<s3::ops::HeadObject>(head).await.unwrap_err();
    assert_eq!((error.status, error.code.as_str()), (Some(404), "NotFound"));
    let list = s3::ListPartsRequest {
        upload_id: "u".into(),
        ..Default::default()
    };
    let error = client
        .call::<s3::ops::ListParts>(list.clone())
        .await
        .unwrap_err();
    assert_eq!(
        error.code,
        CallError::REQUEST,
        "an empty bucket makes another address"
    );
    let list = s3::ListPartsRequest {
        bucket: "b".into(),
        key: "k".into(),
        ..list
    };
    let error = client.call::<s3::ops::ListParts>(list).await.unwrap_err();
    assert_eq!(
        (error.status, error.code.as_str(), error.retryable),
        (Some(501), "NotImplemented", false)
    );
}

#[tokio::test]
async fn an_error_behind_a_status_of_200_is_an_error() {
    let late = "<Error><Code>InternalError</Code><Message>late</Message></Error>";
    let (address, seen) = server(vec![
        answer(200, late),
        answer(200, late),
        answer(200, late),
    ])
    .await;
    let input = s3::CompleteMultipartUploadRequest {
        bucket: "b".into(),
        key: "k".into(),
        upload_id: "u".into(),
        ..Default::default()
    };
    let error = client(address)
        .call::<s3::ops::CompleteMultipartUpload>(input)
        .await
        .unwrap_err();
    assert_eq!(
        (error.code.as_str(), error.message.as_str(), error.retryable),
        ("InternalError", "late", true)
    );
    assert_eq!(seen.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn lambda_is_spoken_both_ways() {
    let client = client(serve(lambda_table()).await);
    let invoke = |name: &str| lambda::InvocationRequest {
        function_name: name.into(),
        payload: Some(Bytes::from_static(b"{}").into()),
        ..Default::default()
    };
    let output = client
        .call::<lambda::ops::Invoke>(invoke("arn:aws:lambda:us-east-1:000000000000:function:f"))
        .await
        .unwrap();
    assert_eq!(output.status_code, Some(200));
    assert_eq!(output.payload.unwrap().0, &b"\"{}\xff\""[..]);
    let error = client
        .call::<lambda::ops::Invoke>(invoke("none"))
        .await
        .unwrap_err();
    assert_eq!(error.code, "ResourceNotFoundException");
    assert_eq!(error.message, "Function not found: none");
}
