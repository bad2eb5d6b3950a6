//! A door over a log in a temporary folder and a clock that stands still, for the tests beside the operations.

#![allow(clippy::unwrap_used, reason = "a test's support")]

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;

use headwater_catalog::MemoryCatalog;
use headwater_env::{Env, ManualClock};
use headwater_log::{EmbeddedLog, Options};
use headwater_loggroups::{
    LogGroups,
    ports::{Counted, Counts, Destinations, Note, SendError},
};
use headwater_shapes::{Operation, Tree};
use headwater_shapes_logs::ops::{CreateLogGroup, CreateLogStream};
use headwater_types::{Account, Arn, Millis, Region};
use headwater_wire::{ApiError, Context, Handle};
use serde_json::{Value, json};

use crate::Logs;

/// When tests begin: Tue Nov 14 22:13:20 UTC 2023.
pub(crate) const START: u64 = 1_700_000_000_000;

pub(crate) struct World {
    logs: Logs,
    clock: Arc<ManualClock>,
    _dir: tempfile::TempDir,
}

/// An error as its type and text.
pub(crate) type Refused = (String, String);

impl World {
    pub async fn new() -> Self {
        let clock = Arc::new(ManualClock::at(Millis(START)));
        let env = Env {
            clock: clock.clone(),
            ..Env::real()
        };
        let dir = tempfile::tempdir().unwrap();
        let log = Arc::new(
            EmbeddedLog::open(env.clone(), Options::new(dir.path()))
                .await
                .unwrap(),
        );
        let groups = LogGroups::open(env, Arc::new(MemoryCatalog::default()), log)
            .await
            .unwrap();
        let delivered = groups.deliver_through("000000000000".to_owned(), Arc::new(Others));
        delivered.await.unwrap();
        groups.count_into(Arc::new(Others)).await.unwrap();
        Self {
            logs: Logs { groups },
            clock,
            _dir: dir,
        }
    }

    /// A world that has a group `g` with a stream `s`.
    pub async fn with_stream() -> Self {
        let world = Self::new().await;
        world
            .ok::<CreateLogGroup>(json!({ "logGroupName": "g" }))
            .await;
        world
            .ok::<CreateLogStream>(json!({ "logGroupName": "g", "logStreamName": "s" }))
            .await;
        world
    }

    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    pub async fn output<Op: Operation>(&self, input: Value) -> Result<Op::Output, ApiError>
    where
        Logs: Handle<Op>,
    {
        let context = Context::new(
            "request",
            Region("us-east-1".into()),
            Account("000000000000".into()),
            "127.0.0.1:4566",
        );
        let input = Op::Input::from_value(input).unwrap();
        self.logs.handle(input, &context).await
    }

    async fn call<Op: Operation>(&self, input: Value) -> Result<Value, Refused>
    where
        Logs: Handle<Op>,
    {
        match self.output::<Op>(input).await {
            Ok(output) => Ok(output.to_value()),
            Err(error) => Err((error.code().to_owned(), error.message().to_owned())),
        }
    }

    pub async fn ok<Op: Operation>(&self, input: Value) -> Value
    where
        Logs: Handle<Op>,
    {
        self.call::<Op>(input).await.unwrap()
    }

    pub async fn refused<Op: Operation>(&self, input: Value) -> Refused
    where
        Logs: Handle<Op>,
    {
        self.call::<Op>(input).await.unwrap_err()
    }
}

/// Functions and streams of any name, but those that end with `gone`; and a store that takes any values.
struct Others;

impl Others {
    fn find(arn: &Arn) -> Result<(), SendError> {
        match arn.resource.ends_with("gone") {
            true => Err(SendError::Refused(format!("there is no {arn}"))),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Destinations for Others {
    async fn admits(&self, function: &Arn, _: &str) -> Result<(), SendError> {
        Self::find(function)
    }

    async fn invoke(&self, function: &Arn, _: &str, _: Bytes) -> Result<(), SendError> {
        Self::find(function)
    }

    async fn put(&self, stream: &Arn, _: &str, _: Bytes) -> Result<(), SendError> {
        Self::find(stream)
    }

    async fn deliver(&self, stream: &Arn, _: Bytes) -> Result<(), SendError> {
        Self::find(stream)
    }
}

#[async_trait]
impl Counts for Others {
    async fn add(&self, _: Vec<Counted>, _: Note) -> Result<(), String> {
        Ok(())
    }
}
