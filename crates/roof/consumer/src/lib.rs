//! A consumer library: what the Kinesis Client Library does, over the public API only.
//!
//! It works against Headwater and AWS alike. Consumers of one application share a [`LeaseStore`]; each shard has a
//! lease there, and the consumer that holds it reads the shard, takes aggregated records apart, and gives the user
//! records to a [`Process`], which checkpoints when it is done with them.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use headwater_consumer::{
//!     Checkpoint, Checkpointer, ClientConfig, Consumer, Env, KinesisSource, MemoryLeases, Options, Process,
//!     ProcessError, Reading, Record, async_trait,
//! };
//!
//! struct Print;
//!
//! #[async_trait]
//! impl Process for Print {
//!     async fn records(&mut self, records: Vec<Record>, done: &Checkpointer) -> Result<(), ProcessError> {
//!         for record in records {
//!             println!("{}: {} bytes", record.partition_key, record.data.len());
//!         }
//!         Ok(done.checkpoint_all().await?)
//!     }
//! }
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! // Credentials, region and endpoint, from where AWS's own tools have them.
//! let env = Env::real();
//! let config = ClientConfig::from_env(|name| std::env::var(name).ok(), &env).await?;
//! let source = KinesisSource::new(config, "trips", &env);
//!
//! // Shards are pushed to this consumer; without this line they are polled.
//! let reading = Reading::FanOut { consumer_arn: source.register("my-application").await? };
//! let options = Options { reading, ..Options::new("worker-1") };
//! let processors = |_shard: &str, _from: &Checkpoint| -> Box<dyn Process> { Box::new(Print) };
//! let leases = Arc::new(MemoryLeases::default());
//! let consumer = Consumer::start(Arc::new(source), leases, Arc::new(processors), options, env);
//! // … and when it is time to go:
//! consumer.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! # What holds
//! * Every record is given at least once; again when a lease moves before it is checkpointed. After an orderly
//!   [`Consumer::shutdown`] whose processing checkpointed, nothing comes again.
//! * A shard's records are given in order, and a shard's children begin when it is processed to its end: so all
//!   records of one partition key are given in the order in which the stream has them.
//! * When a consumer dies, its leases are taken by others after [`Options::lease_duration`]. Leases of a busier
//!   consumer are taken one at a time, so that shares become even. Two consumers may give the same records for
//!   as long as the loser does not know yet; only the holder's checkpoints are kept.
//! * A consumer that cannot renew its leases stops giving records before others take them.
//! * Memory is bounded by [`Options::pages_max`] pages of at most 10 MiB each. With [`Reading::FanOut`] each shard has
//!   one event more that waits for its turn, and what its connection holds (1 MiB at most with HTTP/2); what comes
//!   behind that is not taken off the connection, so that the endpoint waits for the processing.
//! * A read that fails is tried again with pauses, in the way that was chosen: fan-out never becomes polling by
//!   itself. An error that does not pass by itself is told as a warning through `tracing`.
//!
//! # Leases in a table
//! [`MemoryLeases`] are those of one process. With [`TableLeases`] they are in a DynamoDB table of the layout that KCL 3.5
//! has: they outlive restarts, and consumers in several processes and workers of KCL's own share one application, each
//! under a name of its own:
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use headwater_consumer::{ClientConfig, Env, TableLeases};
//! # async fn example(config: ClientConfig, env: Env) -> Result<(), Box<dyn std::error::Error>> {
//! // The application's name is its table's; the table is made where there is none.
//! let leases = Arc::new(TableLeases::open(config, "my-application", &env).await?);
//! # Ok(())
//! # }
//! ```
//!
//! Beside workers of KCL 3.5, whose options for failover and for the start in the stream should be the same:
//! * While one of them leads, it gives out all leases, to consumers as to its own kind by what the shards give. A
//!   consumer takes none by itself; it hands over in order what goes to another, with [`Process::stopped`]. When no leader
//!   has been heard of for as long as its lock holds (two minutes by default), consumers take even shares.
//! * The leader makes the leases of new shards; a consumer makes those of the shards that follow one that it processed to
//!   its end, and removes the leases that it holds and that are done with.
//! * An application of KCL 3.0 to 3.4 that still has three tables is refused, until KCL 3.5 has brought them together;
//!   leases of several streams in one table are refused too. Beside workers of KCL 2 leases are taken by count, as they do.
//! * With [`Start::AtTimestamp`] a shard that was never checkpointed starts at the time that its holder was given, as
//!   with KCL. What a processor of KCL's prepared for a checkpoint (`pendingCheckpoint`) is not shown to the next holder.
//!
//! With [`Start::Latest`], a shard that was never checkpointed starts at its tip whenever its lease moves, as with
//! KCL; start with [`Start::TrimHorizon`] or [`Start::AtTimestamp`] where nothing may be missed.

mod api;
mod aws;
mod balance;
mod checkpoint;
mod coordinator;
mod fan_out;
mod feed;
mod held_lease;
mod holding;
mod lease;
pub mod limits;
mod lineage;
mod process;
mod reader;
mod table;
mod throughput;
mod unpack;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

pub use api::{Page, Position, Pushed, Shard, Source, Stored, Subscription};
pub use async_trait::async_trait;
pub use aws::KinesisSource;
pub use checkpoint::{Checkpoint, Place};
pub use headwater_client::{CallError, ClientConfig, Credentials};
pub use headwater_env::Env;
pub use held_lease::{CheckpointError, Checkpointer};
pub use lease::{Assigning, Change, Changed, Lease, LeaseStore, MemoryLeases, StoreError};
pub use lineage::Start;
use parking_lot::Mutex;
pub use process::{Process, ProcessError, Processors, Record};
pub use table::TableLeases;
use tokio::sync::{Notify, Semaphore, mpsc, watch};

use crate::coordinator::Coordinator;

/// How records come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// They are asked for with GetRecords; all consumers of a stream share what its shards give in this way.
    Poll {
        /// The pause after a read that came to the tip; AWS allows five reads a second and shard, of all consumers
        /// together.
        pause: Duration,
    },
    /// They are pushed with SubscribeToShard as they are put (enhanced fan-out), 2 MiB a second and shard for this
    /// application alone.
    FanOut {
        /// The ARN that [`KinesisSource::register`] gives, the same for all consumers of the application.
        consumer_arn: String,
    },
}

/// How a consumer behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// The consumer's name, its own among all that share a store.
    pub name: String,
    /// Where to start in a stream that has no leases yet.
    pub start: Start,
    /// How long a lease holds that is not renewed; it is renewed three times as often.
    pub lease_duration: Duration,
    /// How often the stream's shards are listed; they are listed too when one is processed to its end.
    pub sync_interval: Duration,
    /// How records come.
    pub reading: Reading,
    /// Leases that it holds at most.
    pub leases_max: usize,
    /// Pages of at most 10 MiB, or events, that it holds at most.
    pub pages_max: usize,
}

impl Options {
    /// The options that KCL has by default, for a consumer of this name, but that shards are polled.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            start: Start::TrimHorizon,
            lease_duration: Duration::from_secs(10),
            sync_interval: Duration::from_secs(60),
            reading: Reading::Poll {
                pause: Duration::from_secs(1),
            },
            leases_max: limits::LEASES_MAX,
            pages_max: limits::PAGES_MAX,
        }
    }

    /// How often leases are looked after.
    fn heartbeat(&self) -> Duration {
        self.lease_duration / 3
    }
}

/// A consumer that runs. Dropping it stops it where it is, as if it died: its leases expire by themselves.
pub struct Consumer {
    stop: watch::Sender<bool>,
    done: mpsc::Receiver<()>,
    held: Arc<Mutex<Vec<String>>>,
}

impl Consumer {
    /// Starts to consume.
    pub fn start(
        source: Arc<dyn Source>,
        store: Arc<dyn LeaseStore>,
        processors: Arc<dyn Processors>,
        options: Options,
        env: Env,
    ) -> Self {
        let (stop, stopped) = watch::channel(false);
        let (running, done) = mpsc::channel(1);
        let held = Arc::<Mutex<Vec<String>>>::default();
        let coordinator = Coordinator {
            pages: Arc::new(Semaphore::new(options.pages_max.max(1))),
            shown: held.clone(),
            wake: Arc::new(Notify::new()),
            holding: BTreeMap::new(),
            seen: HashMap::new(),
            synced: None,
            source,
            store,
            processors,
            options,
            env: env.clone(),
        };
        env.spawn(async move {
            coordinator.run(stopped).await;
            drop(running);
        });
        Self { stop, done, held }
    }

    /// The shards whose leases it held when it last looked.
    pub fn shards(&self) -> Vec<String> {
        self.held.lock().clone()
    }

    /// Stops in order: each shard's processing is told, may checkpoint, and its lease is given back.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        // Nothing is ever sent: it ends when the consumer has.
        self.done.recv().await;
    }
}

#[cfg(test)]
mod tests;
