//! A door over a store in a temporary folder and a clock that stands still, for the tests beside the operations.

#![allow(clippy::unwrap_used, reason = "a test's support")]

use std::sync::Arc;

use headwater_catalog::MemoryCatalog;
use headwater_dashboards::Dashboards;
use headwater_env::{Env, ManualClock};
use headwater_log::EmbeddedLog;
use headwater_metrics::Metrics;
use headwater_shapes::{Operation, Tree};
use headwater_types::{Account, Millis, Region};
use headwater_wire::{Context, Handle};
use serde_json::Value;

use crate::CloudWatch;

/// When tests begin: Tue Nov 14 22:13:20 UTC 2023.
pub(crate) const START: u64 = 1_700_000_000_000;

pub(crate) struct World {
    cloudwatch: CloudWatch,
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
        let catalog = Arc::new(MemoryCatalog::default());
        let log = headwater_log::Options::new(dir.path().join("log"));
        let log = EmbeddedLog::open(env.clone(), log).await.unwrap();
        let options = headwater_metrics::Options {
            dir: dir.path().join("metrics"),
        };
        let metrics = Metrics::open(env.clone(), catalog.clone(), Arc::new(log), options);
        let account = Account("000000000000".to_owned());
        Self {
            cloudwatch: CloudWatch {
                metrics: metrics.await.unwrap(),
                dashboards: Dashboards::new(env.clone(), catalog, account),
                env,
            },
            _dir: dir,
        }
    }

    async fn call<Op: Operation>(&self, input: Value) -> Result<Value, Refused>
    where
        CloudWatch: Handle<Op>,
    {
        let (region, account) = (Region("us-east-1".into()), Account("000000000000".into()));
        let context = Context::new("request", region, account, "127.0.0.1:4566");
        let input = Op::Input::from_value(input).unwrap();
        match self.cloudwatch.handle(input, &context).await {
            Ok(output) => Ok(output.to_value()),
            Err(error) => Err((error.code().to_owned(), error.message().to_owned())),
        }
    }

    pub async fn ok<Op: Operation>(&self, input: Value) -> Value
    where
        CloudWatch: Handle<Op>,
    {
        self.call::<Op>(input).await.unwrap()
    }

    pub async fn refused<Op: Operation>(&self, input: Value) -> Refused
    where
        CloudWatch: Handle<Op>,
    {
        self.call::<Op>(input).await.unwrap_err()
    }
}
