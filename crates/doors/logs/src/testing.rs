//! A door over a log in a temporary folder and a clock that stands still, for the tests beside the operations.

#![allow(clippy::unwrap_used, reason = "a test's support")]

use std::sync::Arc;

use headwater_catalog::MemoryCatalog;
use headwater_env::{Env, ManualClock};
use headwater_log::{EmbeddedLog, Options};
use headwater_loggroups::LogGroups;
use headwater_shapes::{Operation, Tree};
use headwater_shapes_logs::ops::{CreateLogGroup, CreateLogStream};
use headwater_types::{Account, Millis, Region};
use headwater_wire::{Context, Handle};
use serde_json::{Value, json};

use crate::Logs;

/// When tests begin: Tue Nov 14 22:13:20 UTC 2023.
pub(crate) const START: u64 = 1_700_000_000_000;

pub(crate) struct World {
    logs: Logs,
    _dir: tempfile::TempDir,
}

/// An error as its type and text.
pub(crate) type Refused = (String, String);

impl World {
    pub async fn new() -> Self {
        let env = Env {
            clock: Arc::new(ManualClock::at(Millis(START))),
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
        Self {
            logs: Logs { groups },
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

    async fn call<Op: Operation>(&self, input: Value) -> Result<Value, Refused>
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
        match self.logs.handle(input, &context).await {
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
