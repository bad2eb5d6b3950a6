//! The keeper of calls is told of each call of a management operation, without secrets.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::FutureExt;
use headwater_auth::Verifier;
use headwater_env::Env;
use headwater_http::{Body, Peer, Service as _, body::full};
use headwater_shapes::Nothing;
use headwater_shapes_lambda as lambda;
use headwater_shapes_sns as sns;
use headwater_types::Region;
use http::Request;
use http_body_util::BodyExt;
use parking_lot::Mutex;

use super::{Options, Pipeline, Place};
use crate::{ApiError, Called, Context, Handle, KeepCalls, Routes, Table, WRITES};

/// Handlers that answer at once.
struct Ready;

impl Handle<lambda::ops::UpdateFunctionConfiguration> for Ready {
    async fn handle(
        &self,
        _: lambda::UpdateFunctionConfigurationRequest,
        _: &Context,
    ) -> Result<lambda::FunctionConfiguration, ApiError> {
        Ok(lambda::FunctionConfiguration::default())
    }
}

impl Handle<sns::ops::Unsubscribe> for Ready {
    async fn handle(&self, input: sns::UnsubscribeInput, _: &Context) -> Result<Nothing, ApiError> {
        match input.subscription_arn.as_str() {
            "known" => Ok(Nothing {}),
            "slow" => std::future::pending().await,
            _ => Err(ApiError::new(404, "NotFound", "There is none.")),
        }
    }
}

fn tables() -> Vec<Table> {
    let ready = Arc::new(Ready);
    let functions = Routes::new(&lambda::SERVICE, ready.clone())
        .route::<lambda::ops::UpdateFunctionConfiguration>(WRITES);
    let topics = Routes::new(&sns::SERVICE, ready)
        .route::<sns::ops::Unsubscribe>(WRITES.anonymous("SubscriptionArn"));
    vec![functions.build(), topics.build()]
}

/// Keeps the names of calls, and the texts of their errors.
#[derive(Default)]
struct Kept(Mutex<Vec<(String, Option<String>)>>);

#[async_trait]
impl KeepCalls for Kept {
    async fn keep(&self, call: Called<'_>) {
        let message = call.message.map(|message| message.into_owned());
        self.0
            .lock()
            .push((call.operation.name.to_owned(), message));
    }
}

const PEER: Peer = Peer {
    address: std::net::SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1),
    secure: false,
};

fn pipeline(verifier: Option<Verifier>) -> (Pipeline, Arc<Kept>) {
    let kept = Arc::new(Kept::default());
    let options = Options {
        verifier,
        calls: Some(kept.clone()),
        ..Options::new(Place::new("000000000000", "us-east-1"))
    };
    (Pipeline::new(tables(), options, Env::real()), kept)
}

async fn answer(pipeline: &Pipeline, request: Request<Body>) -> String {
    let body = pipeline.call(request, PEER).await.into_body();
    let body = body.collect().await.unwrap().to_bytes();
    String::from_utf8_lossy(&body).into_owned()
}

fn update(variables: &str) -> Request<Body> {
    let body = format!(r#"{{"Environment":{{"Variables":{variables}}}}}"#);
    let request = Request::put("/2015-03-31/functions/f/configuration");
    request.body(full(body)).unwrap()
}

fn unsubscribe(arn: &str) -> Request<Body> {
    let form = format!("Action=Unsubscribe&Version=2010-03-31&SubscriptionArn={arn}");
    let request = Request::post("/").header("content-type", "application/x-www-form-urlencoded");
    request.body(full(form)).unwrap()
}

#[tokio::test]
async fn the_caller_is_told_its_secret_and_the_keeper_is_not() {
    let (pipeline, kept) = pipeline(None);
    let told = answer(&pipeline, update(r#"{"0":"hush"}"#)).await;
    assert!(told.contains("hush"), "{told}");
    let kept = kept.0.lock();
    let [(name, Some(message))] = &kept[..] else {
        panic!("{kept:?} was kept");
    };
    assert_eq!(name, "UpdateFunctionConfiguration");
    let opening = "1 validation error detected: Value at 'environment.variables' failed";
    assert!(message.starts_with(opening), "{message}");
    assert!(!message.contains("hush"), "{message}");
}

#[tokio::test]
async fn what_nobody_was_refused_is_not_kept() {
    let none_signs = Verifier::new([], Region("us-east-1".into()), Env::real().clock);
    let (pipeline, kept) = pipeline(Some(none_signs));
    let told = answer(&pipeline, unsubscribe("unknown")).await;
    assert!(told.contains("There is none."), "{told}");
    assert!(kept.0.lock().is_empty());
    answer(&pipeline, unsubscribe("known")).await;
    assert_eq!(*kept.0.lock(), [("Unsubscribe".to_owned(), None)]);
}

#[tokio::test]
async fn a_call_is_kept_whose_client_hangs_up() {
    let (pipeline, kept) = pipeline(None);
    let mut request = unsubscribe("slow");
    let signed = "AWS4-HMAC-SHA256 Credential=a/20251201/us-east-1/sns/aws4_request, SignedHeaders=host, Signature=0";
    let headers = request.headers_mut();
    headers.insert("authorization", signed.parse().unwrap());
    headers.insert("x-amz-date", "20251201T000000Z".parse().unwrap());
    let answer = pipeline.call(request, PEER).now_or_never();
    assert!(answer.is_none(), "the handler answers nothing");
    tokio::task::yield_now().await;
    let kept = kept.0.lock();
    let text = super::HUNG_UP_TEXT.to_owned();
    assert_eq!(*kept, [("Unsubscribe".to_owned(), Some(text))]);
}
