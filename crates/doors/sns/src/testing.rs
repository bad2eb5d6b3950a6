//! A door over a log in a temporary folder and a clock that stands still, for the tests beside the operations.

#![allow(clippy::unwrap_used, reason = "a test's support")]

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use headwater_catalog::MemoryCatalog;
use headwater_env::{Env, ManualClock};
use headwater_log::{EmbeddedLog, Options};
use headwater_shapes::{Operation, Tree};
use headwater_shapes_sns::ops::CreateTopic;
use headwater_topics::{
    Place, Topics,
    ports::{EndpointError, Endpoints, Letter},
};
use headwater_types::{Account, Arn, Millis, Region};
use headwater_wire::{Context, Handle};
use http::Request;
use serde_json::{Value, json};

use crate::Sns;

/// When tests begin: Tue Nov 14 22:13:20 UTC 2023.
const START: u64 = 1_700_000_000_000;
pub(crate) const TOPIC: &str = "arn:aws:sns:us-east-1:000000000000:t";
pub(crate) const QUEUE: &str = "arn:aws:sqs:us-east-1:000000000000:q";

pub(crate) struct World {
    sns: Sns,
    _dir: tempfile::TempDir,
}

/// An error as its type and text.
pub(crate) type Refused = (String, String);

pub(crate) fn invalid(what: &str) -> Refused {
    let text = format!("Invalid parameter: {what}");
    ("InvalidParameter".to_owned(), text)
}

struct Everywhere;

#[async_trait]
impl Endpoints for Everywhere {
    async fn send(&self, _: &Arn, _: Letter) -> Result<(), EndpointError> {
        Ok(())
    }

    async fn invoke(&self, _: &Arn, _: &Arn, _: Bytes) -> Result<(), EndpointError> {
        Ok(())
    }

    async fn put(&self, _: &Arn, _: Bytes) -> Result<(), EndpointError> {
        Ok(())
    }

    async fn post(&self, _: Request<Bytes>, _: Duration) -> Result<u16, String> {
        Ok(200)
    }
}

impl World {
    pub async fn new() -> Self {
        let env = Env {
            clock: Arc::new(ManualClock::at(Millis(START))),
            ..Env::real()
        };
        let dir = tempfile::tempdir().unwrap();
        let log = EmbeddedLog::open(env.clone(), Options::new(dir.path())).await;
        let place = Place {
            account: Account("000000000000".to_owned()),
            region: Region("us-east-1".to_owned()),
            base: "http://127.0.0.1:4566".to_owned(),
        };
        let topics = Topics::open(
            env.clone(),
            Arc::new(MemoryCatalog::default()),
            Arc::new(log.unwrap()),
            place,
            Arc::new(Everywhere),
        );
        let topics = topics.await.unwrap();
        Self {
            sns: Sns { env, topics },
            _dir: dir,
        }
    }

    /// A world that has the topic `t`.
    pub async fn with_topic() -> Self {
        let world = Self::new().await;
        world.ok::<CreateTopic>(json!({"Name": "t"})).await;
        world
    }

    async fn call<Op: Operation>(&self, input: Value) -> Result<Value, Refused>
    where
        Sns: Handle<Op>,
    {
        let (region, account) = (Region("us-east-1".into()), Account("000000000000".into()));
        let context = Context::new("request", region, account, "127.0.0.1:4566");
        let input = Op::Input::from_value(input).unwrap();
        match self.sns.handle(input, &context).await {
            Ok(output) => Ok(output.to_value()),
            Err(error) => Err((error.code().to_owned(), error.message().to_owned())),
        }
    }

    pub async fn ok<Op: Operation>(&self, input: Value) -> Value
    where
        Sns: Handle<Op>,
    {
        self.call::<Op>(input).await.unwrap()
    }

    pub async fn refused<Op: Operation>(&self, input: Value) -> Refused
    where
        Sns: Handle<Op>,
    {
        self.call::<Op>(input).await.unwrap_err()
    }
}
