//! A door over a log in a temporary folder and a clock that stands still, for the tests beside the operations.

#![allow(clippy::unwrap_used, reason = "a test's support")]

use std::{sync::Arc, time::Duration};

use headwater_auth::Caller;
use headwater_catalog::{Catalog, testing::MortalCatalog};
use headwater_delivery::{Deliveries, Family};
use headwater_env::{Env, ManualClock, SeededRandom};
use headwater_log::{EmbeddedLog, ShardLog};
use headwater_queues::Queues;
use headwater_shapes::{Operation, Tree};
use headwater_shapes_kinesis::ops;
use headwater_streams::{Options, StreamSources, Streams};
use headwater_types::{Account, Millis, Region};
use headwater_wire::{Context, Handle};
use serde_json::{Value, json};

use crate::{Channels, Kinesis, nowhere};

/// When tests begin: Tue Nov 14 22:13:20 UTC 2023.
pub(crate) const START: Millis = Millis(1_700_000_000_000);

pub(crate) struct World {
    clock: Arc<ManualClock>,
    kinesis: Kinesis,
    _dir: tempfile::TempDir,
}

/// An error as its type and text.
pub(crate) type Refused = (String, String);

impl World {
    pub async fn new(limits: bool) -> Self {
        Self::over(Arc::default(), limits).await
    }

    /// One in which calls that are made at once come between each other's looks and writes.
    pub async fn crowded(limits: bool) -> Self {
        let catalog = Arc::<MortalCatalog>::default();
        let world = Self::over(catalog.clone(), limits).await;
        catalog.yield_in(Env::real());
        world
    }

    async fn over(catalog: Arc<MortalCatalog>, limits: bool) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let env = Env {
            clock: clock.clone(),
            random: Arc::new(SeededRandom::new(1)),
            ..Env::real()
        };
        let dir = tempfile::tempdir().unwrap();
        let log = EmbeddedLog::open(env.clone(), headwater_log::Options::new(dir.path()))
            .await
            .unwrap();
        let log: Arc<dyn ShardLog> = Arc::new(log);
        let catalog: Arc<dyn Catalog> = catalog;
        let options = Options {
            limits,
            ..Options::default()
        };
        let streams = Streams::open(env.clone(), log.clone(), catalog.clone(), options)
            .await
            .unwrap();
        let sources = Arc::new(StreamSources(streams.clone()));
        let queues = Queues::open(env.clone(), catalog.clone(), sources)
            .await
            .unwrap();
        let ports = nowhere::ports(Arc::new(StreamSources(streams.clone())));
        let options = headwater_delivery::Options {
            family: Family::Channels,
            ..Default::default()
        };
        let deliveries = Deliveries::open(env, catalog, log, ports, options)
            .await
            .unwrap();
        let channels = Channels { deliveries, limits };
        Self {
            clock,
            kinesis: Kinesis {
                streams,
                channels,
                queues,
                subscribers: Default::default(),
            },
            _dir: dir,
        }
    }

    /// Splits the one shard of `s` in two.
    pub async fn split(&self) {
        let half = json!({"StreamName": "s", "ShardToSplit": "0", "NewStartingHashKey": (1u128 << 127).to_string()});
        self.ok::<ops::SplitShard>(half).await;
    }

    /// A world without limits that has a stream `s`.
    pub async fn with_stream(shards: u32) -> Self {
        let world = Self::new(false).await;
        world
            .ok::<ops::CreateStream>(json!({"StreamName": "s", "ShardCount": shards}))
            .await;
        world
    }

    pub fn advance(&self, ms: u64) {
        self.clock.advance(Duration::from_millis(ms));
    }

    /// Calls an operation with input as JSON clients write it.
    pub async fn output<Op: Operation>(&self, input: Value) -> Result<Op::Output, Refused>
    where
        Kinesis: Handle<Op>,
    {
        self.output_for::<Op>(&context().caller, input).await
    }

    /// The same for somebody.
    pub async fn output_for<Op: Operation>(
        &self,
        caller: &Arc<Caller>,
        input: Value,
    ) -> Result<Op::Output, Refused>
    where
        Kinesis: Handle<Op>,
    {
        let input = Op::Input::from_value(input).unwrap();
        let mut context = context();
        (context.service, context.operation) = ("kinesis", Op::SHAPE.name);
        context.caller = caller.clone();
        let output = Handle::<Op>::handle(&self.kinesis, input, &context).await;
        output.map_err(|error| (error.code().to_owned(), error.message().to_owned()))
    }

    /// Calls an operation with input and output as JSON clients see them.
    pub async fn call<Op: Operation>(&self, input: Value) -> Result<Value, Refused>
    where
        Kinesis: Handle<Op>,
    {
        Ok(self.output::<Op>(input).await?.to_value())
    }

    pub async fn ok<Op: Operation>(&self, input: Value) -> Value
    where
        Kinesis: Handle<Op>,
    {
        self.call::<Op>(input).await.unwrap()
    }

    /// The type and text that an operation is refused with.
    pub async fn refused<Op: Operation>(&self, input: Value) -> Refused
    where
        Kinesis: Handle<Op>,
    {
        self.call::<Op>(input).await.unwrap_err()
    }

    /// An iterator of stream `s`.
    pub async fn iterator(&self, shard: u32, position: Value) -> String {
        let mut input = json!({"StreamName": "s", "ShardId": shard.to_string()});
        input
            .as_object_mut()
            .unwrap()
            .extend(position.as_object().unwrap().clone());
        let output = self.ok::<ops::GetShardIterator>(input).await;
        output["ShardIterator"].as_str().unwrap().to_owned()
    }
}

/// `code` and `message` as [`World::refused`] gives them.
pub(crate) fn refusal(code: &str, message: impl Into<String>) -> Refused {
    (code.to_owned(), message.into())
}

pub(crate) fn context() -> Context {
    Context::new(
        "request",
        Region("us-east-1".to_owned()),
        Account("000000000000".to_owned()),
        "127.0.0.1:4566",
    )
}
