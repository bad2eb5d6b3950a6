//! A door over a log in a temporary folder and a clock that the test moves, for the tests beside the operations.

#![allow(clippy::unwrap_used, reason = "a test's support")]

use std::{sync::Arc, time::Duration};

use headwater_auth::Caller;
use headwater_catalog::MemoryCatalog;
use headwater_env::{Env, ManualClock};
use headwater_log::{EmbeddedLog, Options};
use headwater_messages::Messages;
use headwater_shapes::{Operation, Tree};
use headwater_shapes_sqs::ops::CreateQueue;
use headwater_types::{Account, Millis, Region};
use headwater_wire::{Context, Handle};
use serde_json::{Value, json};

use crate::Sqs;

pub(crate) struct World {
    sqs: Sqs,
    clock: Arc<ManualClock>,
    _dir: tempfile::TempDir,
}

/// An error as its type and text.
pub(crate) type Refused = (String, String);

/// The address of a queue.
pub(crate) fn url(name: &str) -> String {
    format!("http://127.0.0.1:4566/000000000000/{name}")
}

impl World {
    pub async fn new() -> Self {
        let clock = Arc::new(ManualClock::at(Millis(1_700_000_000_000)));
        let env = Env {
            clock: clock.clone(),
            ..Env::real()
        };
        let dir = tempfile::tempdir().unwrap();
        let log = EmbeddedLog::open(env.clone(), Options::new(dir.path())).await;
        let catalog = Arc::new(MemoryCatalog::default());
        let queues = Messages::open(env, catalog, Arc::new(log.unwrap())).await;
        let sqs = Sqs {
            queues: queues.unwrap(),
            clock: clock.clone(),
        };
        Self {
            sqs,
            clock,
            _dir: dir,
        }
    }

    /// A world with a queue `q` that has these attributes.
    pub async fn with(name: &str, attributes: Value) -> Self {
        let world = Self::new().await;
        world.create(name, attributes).await;
        world
    }

    pub async fn create(&self, name: &str, attributes: Value) {
        let input = json!({ "QueueName": name, "Attributes": attributes });
        self.ok::<CreateQueue>(input).await;
    }

    pub fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub async fn call_as<Op: Operation>(
        &self,
        account: &str,
        input: Value,
    ) -> Result<Value, Refused>
    where
        Sqs: Handle<Op>,
    {
        let mut context = Context::new(
            "request",
            Region("us-east-1".into()),
            Account("000000000000".into()),
            "127.0.0.1:4566",
        );
        context.service = "sqs";
        context.operation = Op::SHAPE.name;
        context.caller = Arc::new(Caller::root(Account(account.into())));
        let input = Op::Input::from_value(input).unwrap();
        match self.sqs.handle(input, &context).await {
            Ok(output) => Ok(output.to_value()),
            Err(error) => Err((error.code().to_owned(), error.message().to_owned())),
        }
    }

    pub async fn ok<Op: Operation>(&self, input: Value) -> Value
    where
        Sqs: Handle<Op>,
    {
        self.call_as::<Op>("000000000000", input).await.unwrap()
    }

    pub async fn refused<Op: Operation>(&self, input: Value) -> Refused
    where
        Sqs: Handle<Op>,
    {
        self.call_as::<Op>("000000000000", input).await.unwrap_err()
    }
}
