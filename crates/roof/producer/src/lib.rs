//! A producer library: batches, aggregates, tries again and pushes back, over the public API only.
//!
//! It works against Headwater and AWS alike. A record is put with [`Producer::put`], which waits while too
//! much is unsent, and its outcome is awaited, or not, with the [`Outcome`] that comes back.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use headwater_producer::{ClientConfig, Env, KinesisStream, Options, Producer, Record};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! // Credentials, region and endpoint, from where AWS's own tools have them.
//! let env = Env::real();
//! let config = ClientConfig::from_env(|name| std::env::var(name).ok(), &env).await?;
//! let stream = Arc::new(KinesisStream::new(config, "trips", &env));
//!
//! let options = Options { aggregate: true, ..Options::default() };
//! let producer = Producer::open(stream, options, env).await?;
//! for trip in 0..1000 {
//!     let record = Record {
//!         partition_key: format!("taxi-{}", trip % 10),
//!         explicit_hash_key: None,
//!         data: format!("{{\"trip_id\": {trip}}}").into(),
//!     };
//!     let outcome = producer.put(record).await?;
//!     // To know where it went, await the outcome; here only failures of all together matter.
//!     drop(outcome);
//! }
//! producer.flush().await;
//! assert_eq!(producer.stats().failed, 0);
//! # Ok(())
//! # }
//! ```
//!
//! # Order
//! The ring of hash keys is divided into lanes, one a shard that is open at the start, and a lane has one
//! call in flight. So records of one shard are sent in the order of their puts, and only what a call failed
//! to place (a throttled entry between others) is sent again behind its neighbours, before any later record.
//! With [`Options::aggregate`] the records of one key keep their order even then: a call has one aggregated
//! record a shard. With [`Options::calls_per_shard`] above 1 there is no order.
//!
//! # Aggregation and resharding
//! An aggregated record goes into one shard whole, and readers pass over those of its user records that belong
//! to another one. So when the stream is resharded between the look at its shards and the put, some may lie
//! where nobody reads them. The answer names the shard: the producer lists the shards anew at once, and puts
//! the misplaced records again before any later one, as KPL does. Readers that do not look at hash keys see
//! those twice.
//!
//! # Exactly once
//! When an answer is lost (the connection broke, the server failed or was killed), nobody can say from
//! outside whether the records were stored, and sending them again may store them twice. With
//! [`Options::read_back`] the producer looks: it waits until the lost call can no longer be at work, reads
//! each shard from behind the last record that it knows of, and sends only what is not there. It recognises a
//! record by partition key and payload. The bounds of this:
//! * A call that works on for longer than [`Options::settle`] after its connection ended (ten times as long
//!   where it was given up for want of an answer) is stored twice. A server that was killed works no longer;
//!   one that lives answers or gives up far sooner.
//! * Before its first acknowledged record of a shard, a producer reads from the time of the lost call by its
//!   own clock: if the server's clock is behind by more than the call took, that call's records are stored
//!   twice.
//! * Another producer that puts the same payload under the same key at the same time is taken for this one.
//!
//! Without it, delivery is at least once, as with every SDK that tries again.

mod api;
mod aws;
mod batch;
mod lane;
pub mod limits;
mod read_back;
mod shards;
mod stats;

use std::{
    num::NonZeroUsize,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

pub use api::{Entry, Page, Placed, Position, Refused, Shard, Stored, Stream};
pub use aws::KinesisStream;
use bytes::Bytes;
pub use headwater_client::{CallError, ClientConfig, Credentials};
pub use headwater_env::Env;
use headwater_types::HashKey;
pub use stats::Stats;
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::{lane::Lane, shards::Shards, stats::Counters};

/// A record to put.
#[derive(Debug, Clone)]
pub struct Record {
    /// 1 to 256 characters.
    pub partition_key: String,
    /// Where to put it, instead of the MD5 of the partition key.
    pub explicit_hash_key: Option<HashKey>,
    /// The payload.
    pub data: Bytes,
}

/// How a producer behaves; the default is ordered, without aggregation and without reading back.
#[derive(Debug, Clone)]
pub struct Options {
    /// Packs records of one shard into aggregated records, as KPL does.
    pub aggregate: bool,
    /// Settles calls whose answer was lost by reading the shards. Wants `calls_per_shard` to be 1.
    pub read_back: bool,
    /// Calls in flight for one shard; more than 1 gives up the order.
    pub calls_per_shard: NonZeroUsize,
    /// Bytes that may wait to be acknowledged; a put beyond them waits.
    pub buffer_bytes: usize,
    /// How long a record waits for company.
    pub linger: Duration,
    /// For how long a call that fails is tried again without any progress, before its records count as
    /// failed.
    pub retry_for: Duration,
    /// How long a call may go on after its connection ended; see [the module's bounds](crate).
    pub settle: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            aggregate: false,
            read_back: false,
            calls_per_shard: NonZeroUsize::MIN,
            buffer_bytes: 32 << 20,
            linger: limits::LINGER,
            retry_for: Duration::from_secs(60),
            settle: limits::SETTLE,
        }
    }
}

/// Why a record was not put.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PutError {
    /// It could never be put.
    #[error("a record cannot be put: {0}")]
    Invalid(String),
    /// The endpoint said no, or could not be reached for as long as was waited.
    #[error("a record was not put: {code}: {message}")]
    Failed {
        /// The endpoint's error type.
        code: String,
        /// Its text.
        message: String,
    },
    /// No answer came, and whether it was stored could not be found out.
    #[error("it is unknown whether a record was put: {0}")]
    Unknown(String),
    /// The producer is gone.
    #[error("the producer was closed before the record was put")]
    Closed,
}

/// Puts records into one stream; clones share everything.
#[derive(Clone)]
pub struct Producer {
    shared: Arc<Shared>,
}

struct Shared {
    shards: Arc<Shards>,
    counters: Arc<Counters>,
    lanes: Vec<mpsc::Sender<Queued>>,
    calls_per_shard: usize,
    turn: AtomicUsize,
    /// The starts of the ranges that lanes were made for, ascending.
    starts: Vec<HashKey>,
    room: Arc<Semaphore>,
    room_bytes: u32,
}

/// A record on its way: its room is given back and its outcome told when it is done.
struct Queued {
    entry: Entry,
    done: oneshot::Sender<Result<Placed, PutError>>,
    _room: tokio::sync::OwnedSemaphorePermit,
}

/// The outcome of a put, as a future. Dropping it changes nothing; failures are counted in [`Stats`] too.
#[derive(Debug)]
pub struct Outcome(oneshot::Receiver<Result<Placed, PutError>>);

impl Future for Outcome {
    type Output = Result<Placed, PutError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(ready!(Pin::new(&mut self.0).poll(context)).unwrap_or(Err(PutError::Closed)))
    }
}

impl Producer {
    /// A producer for a stream that exists.
    ///
    /// # Errors
    /// When the stream's shards cannot be listed.
    ///
    /// # Panics
    /// With `read_back` and more than one call a shard: positions are known only for calls in order.
    pub async fn open(
        stream: Arc<dyn Stream>,
        options: Options,
        env: Env,
    ) -> Result<Self, CallError> {
        let calls_per_shard = options.calls_per_shard.get();
        assert!(
            !options.read_back || calls_per_shard == 1,
            "reading back needs one call a shard at a time"
        );
        let shards = Arc::new(Shards::list(stream.clone(), env.clone()).await?);
        let counters = Arc::new(Counters::default());
        let starts = shards.starts();
        let count = (starts.len() * calls_per_shard).clamp(1, limits::LANES_MAX);
        let lanes = (0..count)
            .map(|_| {
                let (queue, waiting) = mpsc::channel(limits::LANE_RECORDS_MAX);
                let (stream, shards, counters) = (stream.clone(), shards.clone(), counters.clone());
                let lane = Lane::new(stream, shards, counters, options.clone(), env.clone());
                env.spawn(lane.run(waiting));
                queue
            })
            .collect();
        let room_bytes =
            u32::try_from(options.buffer_bytes.min(Semaphore::MAX_PERMITS)).unwrap_or(u32::MAX);
        let room = Arc::new(Semaphore::new(room_bytes as usize));
        let turn = AtomicUsize::new(0);
        let shared = Shared {
            shards,
            counters,
            lanes,
            calls_per_shard,
            turn,
            starts,
            room,
            room_bytes,
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// Takes a record once there is room for it; the outcome tells when it is stored.
    ///
    /// # Errors
    /// At once for a record that no stream would take.
    pub async fn put(&self, record: Record) -> Result<Outcome, PutError> {
        let Record {
            partition_key,
            explicit_hash_key,
            data,
        } = record;
        let entry = Entry {
            partition_key,
            explicit_hash_key,
            data,
        };
        check(&entry)?;
        let cost =
            (entry.bytes() + limits::RECORD_OVERHEAD_BYTES).min(self.shared.room_bytes as usize);
        let cost = u32::try_from(cost).expect("at most room_bytes, a u32");
        let room = self.shared.room.clone().acquire_many_owned(cost).await;
        let room = room.map_err(|_| PutError::Closed)?;
        let (done, outcome) = oneshot::channel();
        let lane = &self.shared.lanes[self.lane_of(entry.hash_key())];
        lane.send(Queued {
            entry,
            done,
            _room: room,
        })
        .await
        .map_err(|_| PutError::Closed)?;
        Ok(Outcome(outcome))
    }

    /// Waits until all that was put before is stored or failed. Puts that begin meanwhile wait for it.
    pub async fn flush(&self) {
        // Whatever is under way holds room; all of it is free only when nothing is.
        let all = self.shared.room.acquire_many(self.shared.room_bytes).await;
        drop(all.expect("the semaphore is never closed"));
    }

    /// The counts of the records and calls so far.
    pub fn stats(&self) -> Stats {
        self.shared.counters.read()
    }

    /// The open shards, by a list that is at most 10 s old.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub async fn open_shards(&self) -> Result<Arc<Vec<Shard>>, CallError> {
        self.shared.shards.open().await
    }

    /// The lane of a hash key: that of its shard at the start, so that it stays the same for a key.
    fn lane_of(&self, hash: HashKey) -> usize {
        let shared = &self.shared;
        let shard = shared
            .starts
            .partition_point(|start| *start <= hash)
            .saturating_sub(1);
        let turn = match shared.calls_per_shard {
            1 => 0,
            many => shared.turn.fetch_add(1, Ordering::Relaxed) % many,
        };
        (shard * shared.calls_per_shard + turn) % shared.lanes.len()
    }
}

fn check(entry: &Entry) -> Result<(), PutError> {
    let chars = entry.partition_key.chars().count();
    if !(1..=limits::PARTITION_KEY_CHARS_MAX).contains(&chars) {
        let max = limits::PARTITION_KEY_CHARS_MAX;
        return Err(PutError::Invalid(format!(
            "its partition key has {chars} characters, not 1 to {max}"
        )));
    }
    if entry.bytes() > limits::RECORD_BYTES_MAX {
        let (bytes, max) = (entry.bytes(), limits::RECORD_BYTES_MAX);
        return Err(PutError::Invalid(format!(
            "it has {bytes} bytes with its key, more than {max}"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
