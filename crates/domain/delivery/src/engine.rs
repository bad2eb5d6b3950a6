//! The life of one delivery stream: read a batch, write its intent, carry it out, move the checkpoint; again.
//!
//! One task a stream. A failure stops only this stream: it waits, longer each time, and goes on from what the
//! catalog says.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::FutureExt;
use headwater_catalog::{CatalogError, Version, Versioned};
use tokio::sync::watch;

use crate::{
    config::{Origin, StreamRecord},
    execute::Executor,
    intent::{ExecuteError, Intent, Ledger, Names, Progress, Range, Store},
    limits::{ERROR_TEXT_BYTES_MAX, RETRY_WAIT_MAX, RETRY_WAIT_MIN},
    naming::PrefixError,
    ports::{Source, SourceError, TableError},
    reading::{Batch, DirectShard, Reader, left_of},
    records::ErrorKind,
    status::{Oldest, Reached},
    tallies::DeliveredCounters,
};

/// The engine of one delivery stream.
pub struct Engine {
    pub(crate) executor: Executor,
    pub(crate) store: Store,
    pub(crate) direct: Option<DirectShard>,
    /// Batches that were delivered by this process: whether there was progress since the last failure.
    delivered: AtomicU64,
    /// How far it is.
    pub(crate) reached: Reached,
    /// What it delivered, for those who publish it.
    pub(crate) delivered_counters: DeliveredCounters,
    /// The oldest record that it has read and not delivered.
    pub(crate) oldest: Arc<Oldest>,
    /// The delivery stream as it is configured now.
    config: watch::Sender<Arc<StreamRecord>>,
}

/// Why a delivery stream waits.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EngineError {
    #[error("{0}")]
    Source(#[from] SourceError),
    #[error(
        "the stream {0} was deleted and made anew; it is not the one that this delivery stream reads"
    )]
    OtherStream(String),
    #[error("{0}")]
    Catalog(#[from] CatalogError),
    #[error("{0}")]
    Execute(#[from] ExecuteError),
    #[error("{0}")]
    Prefix(#[from] PrefixError),
    #[error("the table that records are converted by is not known: {0}")]
    Table(#[from] TableError),
}

impl EngineError {
    /// The code that AWS's error logs use.
    fn code(&self) -> &'static str {
        match self {
            Self::Source(SourceError::NotFound(_)) | Self::OtherStream(_) => {
                "Kinesis.ResourceNotFound"
            }
            Self::Source(_) | Self::Execute(ExecuteError::Source(_)) => {
                "Kinesis.InternalServerError"
            }
            Self::Execute(ExecuteError::Objects(error)) => error.code(),
            Self::Execute(ExecuteError::Invoke(_)) => "Lambda.InternalServerError",
            // AWS's code for a schema that cannot be had.
            Self::Table(_) | Self::Execute(ExecuteError::Table(_) | ExecuteError::Schema(_)) => {
                "DataFormatConversion.InvalidSchema"
            }
            Self::Catalog(_) | Self::Prefix(_) | Self::Execute(_) => "InternalServerError",
        }
    }
}

impl Engine {
    pub(crate) fn new(
        executor: Executor,
        stream: StreamRecord,
        store: Store,
        direct: Option<DirectShard>,
    ) -> Arc<Self> {
        let config = watch::Sender::new(Arc::new(stream));
        Arc::new(Self {
            executor,
            store,
            direct,
            delivered: AtomicU64::new(0),
            reached: Reached::default(),
            delivered_counters: DeliveredCounters::default(),
            oldest: Arc::default(),
            config,
        })
    }

    /// The delivery stream as it is configured now.
    pub(crate) fn stream(&self) -> Arc<StreamRecord> {
        self.config.borrow().clone()
    }

    /// Changes how batches are made and delivered that are not closed yet.
    pub(crate) fn configure(&self, stream: StreamRecord) {
        self.config.send_replace(Arc::new(stream));
    }

    /// Delivers until `stop` is set or the stream is removed.
    pub(crate) async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        tokio::select! {
            biased;
            // An error means that the sender which could set it is gone.
            _ = stop.wait_for(|stop| *stop) => {}
            () = self.supervise() => {}
        }
    }

    async fn supervise(&self) {
        let (mut wait, mut delivered) = (Duration::ZERO, 0);
        loop {
            let (code, error) = match AssertUnwindSafe(self.deliver()).catch_unwind().await {
                Ok(Ok(())) => return,
                Ok(Err(error)) => (error.code(), error.to_string()),
                Err(_) => (
                    "InternalServerError",
                    "the delivery panicked; the server's log says where".to_owned(),
                ),
            };
            let now = self.delivered.load(Ordering::Relaxed);
            wait = if now > delivered {
                RETRY_WAIT_MIN
            } else {
                (wait * 2).clamp(RETRY_WAIT_MIN, RETRY_WAIT_MAX)
            };
            delivered = now;
            self.note(code, error, wait).await;
            self.executor.env.clock.sleep(wait).await;
        }
    }

    async fn note(&self, code: &'static str, mut error: String, wait: Duration) {
        error.truncate(error.floor_char_boundary(ERROR_TEXT_BYTES_MAX));
        let stream = self.stream();
        tracing::warn!(stream = stream.name, code, error, ?wait, "a delivery waits");
        self.delivered_counters.stopped();
        self.executor
            .errors(&stream)
            .delivery_failed(code, &error)
            .await;
    }

    /// Delivers batch after batch. Returns without an error only when the stream was removed.
    async fn deliver(&self) -> Result<(), EngineError> {
        let source = self.source().await?;
        let mut config = self.config.subscribe();
        let mut reader = self.reader(&source);
        let Some(mut progress) = self.store.progress.get(&self.stream().id).await? else {
            return Ok(());
        };
        self.open_direct(&progress.value).await?;
        self.reached(&progress.value);
        if progress.value.intent.is_none() {
            self.executor.incident.clear();
        }
        // An intent that is found, not made here, may have been carried out before, in part or whole.
        let mut again = true;
        loop {
            if again && let Some(left) = self.left_of_intent(&source, &progress.value).await? {
                progress = self.replace(progress, left).await?;
                again = false;
            }
            if let Some(intent) = &progress.value.intent {
                let (stream, intent) = (under(intent, &self.stream()), intent.clone());
                let ledger = Ledger::new(
                    &self.store,
                    &*self.executor.ports.objects,
                    &stream.id,
                    progress,
                );
                progress = self
                    .executor
                    .execute(&stream, &source, &intent, ledger, again)
                    .await?;
                progress = self.complete(progress, &reader).await?;
            }
            let batch = tokio::select! {
                biased;
                // The records of the open batch are in the log still; the new reader reads them again.
                Ok(()) = config.changed() => {
                    reader = self.reader(&source);
                    continue;
                }
                batch = reader.next_batch(&progress.value.positions) => batch?,
            };
            progress = self.intend(progress, batch).await?;
            again = false;
        }
    }

    fn reader(&self, source: &Arc<dyn Source>) -> Reader {
        let buffering = self.stream().destination.batch();
        let oldest = self.oldest.clone();
        Reader::new(self.executor.env.clone(), source.clone(), buffering, oldest)
    }

    /// Tells those who look from outside how far it is.
    pub(crate) fn reached(&self, progress: &Progress) {
        self.reached.is(progress);
        if let Some(intent) = &progress.intent {
            self.oldest.is(intent.oldest);
        }
    }

    /// Where the records come from: opened anew after each failure. A stream that only has the name of the one that
    /// this was made for is refused.
    pub(crate) async fn source(&self) -> Result<Arc<dyn Source>, EngineError> {
        match (&self.stream().origin, &self.direct) {
            (Origin::Stream { arn, identity, .. }, _) => {
                let source = self.executor.ports.sources.open(arn).await?;
                if source.identity() != *identity {
                    return Err(EngineError::OtherStream(arn.to_string()));
                }
                Ok(source)
            }
            (Origin::Direct { .. }, Some(shard)) => Ok(Arc::new(shard.clone())),
            (Origin::Direct { .. }, None) => {
                Err(SourceError::Failed("it has no log shard".into()).into())
            }
        }
    }

    /// Has the log know the shard of direct puts, and what of it was delivered.
    async fn open_direct(&self, progress: &Progress) -> Result<(), SourceError> {
        let Some(shard) = &self.direct else {
            return Ok(());
        };
        shard.open(progress.delivered_until).await
    }

    /// Decides where a batch goes, for good.
    async fn intend(
        &self,
        progress: Versioned<Progress>,
        batch: Batch,
    ) -> Result<Versioned<Progress>, EngineError> {
        let stream = self.stream();
        let table_version = self.table_version(&stream).await?;
        let intent = self.intent(&stream, batch, table_version)?;
        let next = Progress {
            intent: Some(intent),
            ..progress.value
        };
        self.advance(next, progress.version).await
    }

    /// Makes `next` what the catalog has of the progress.
    async fn advance(
        &self,
        next: Progress,
        version: Version,
    ) -> Result<Versioned<Progress>, EngineError> {
        let advanced = self.store.advance(&self.stream().id, next, version).await?;
        self.reached(&advanced.value);
        Ok(advanced)
    }

    /// The parts of the intent's ranges that can still be read, where the source has dropped records of them.
    async fn left_of_intent(
        &self,
        source: &Arc<dyn Source>,
        progress: &Progress,
    ) -> Result<Option<Vec<Range>>, SourceError> {
        let Some(intent) = &progress.intent else {
            return Ok(None);
        };
        let left = left_of(&**source, &intent.ranges).await?;
        Ok((left != intent.ranges).then_some(left))
    }

    /// Puts another intent in the place of one that may have been carried out in part, and of whose ranges only `left`
    /// can be read. Under its names nothing is written over or removed that may hold records which are nowhere else; what
    /// is left may be delivered twice.
    async fn replace(
        &self,
        progress: Versioned<Progress>,
        left: Vec<Range>,
    ) -> Result<Versioned<Progress>, EngineError> {
        let Versioned { mut value, version } = progress;
        let Some(old) = value.intent.take() else {
            return Ok(Versioned { value, version });
        };
        let records = left.iter().map(Range::records).sum();
        tracing::warn!(
            stream = self.stream().name,
            records,
            expired = old.records.saturating_sub(records),
            "records expired in a batch that may be delivered in part; what is left is delivered by itself"
        );
        let has_gone = |range: &&Range| left.iter().all(|left| left.shard != range.shard);
        let gone = old.ranges.iter().filter(has_gone);
        let ends = gone.map(|range| (range.shard.clone(), range.to));
        value.positions.extend(ends);
        if !left.is_empty() {
            let batch = Batch {
                ranges: left,
                records,
                bytes: old.bytes / old.records.max(1) * records,
                oldest: old.oldest,
                newest: old.newest,
            };
            let stream = under(&old, &self.stream());
            value.intent = Some(self.intent(&stream, batch, old.table_version)?);
        }
        self.advance(value, version).await
    }

    /// A new intent for a batch of `stream`.
    fn intent(
        &self,
        stream: &StreamRecord,
        batch: Batch,
        table_version: Option<u64>,
    ) -> Result<Intent, PrefixError> {
        let id = self.executor.env.random.uuid();
        let names = Names::of(stream, &id, batch.oldest)?;
        let destination = &stream.destination;
        let data_key = if destination.has_one_object() {
            Some(names.data()?)
        } else {
            None
        };
        let (error_key, backup_key) = (names.errors(ErrorKind::Processing), names.backup()?);
        let kinds = destination.error_kinds().into_iter();
        let more = kinds.filter(|kind| *kind != ErrorKind::Processing);
        let more_error_keys = more.map(|kind| (kind, names.errors(kind))).collect();
        Ok(Intent {
            version: stream.version,
            made: self.executor.env.clock.now(),
            ranges: batch.ranges,
            records: batch.records,
            bytes: batch.bytes,
            newest: batch.newest,
            oldest: batch.oldest,
            table_version,
            bucket: destination.bucket.clone(),
            data_key,
            error_key,
            more_error_keys,
            backup_key,
            partitions: Vec::new(),
            id,
            destination: Some(destination.clone()),
        })
    }

    /// The version of the table that a batch of `stream` is converted by.
    async fn table_version(&self, stream: &StreamRecord) -> Result<Option<u64>, TableError> {
        let Some(conversion) = &stream.destination.conversion else {
            return Ok(None);
        };
        let (database, table) = (&conversion.database, &conversion.table);
        let found = self
            .executor
            .ports
            .tables
            .version(database, table, conversion.version)
            .await?;
        Ok(Some(found.version))
    }

    /// Moves the checkpoint past the intent's batch, and lets the log forget what was delivered.
    async fn complete(
        &self,
        progress: Versioned<Progress>,
        reader: &Reader,
    ) -> Result<Versioned<Progress>, EngineError> {
        let intent = progress.value.intent.clone();
        let next = progress.value.completed(|shard| reader.is_listed(shard));
        let progress = self.advance(next, progress.version).await?;
        self.delivered.fetch_add(1, Ordering::Relaxed);
        if let Some(intent) = intent {
            let age = self.executor.env.clock.now().since(intent.oldest);
            self.delivered_counters.delivered(&intent, age);
        }
        self.executor.incident.clear();
        self.open_direct(&progress.value).await?;
        Ok(progress)
    }
}

/// The delivery stream as it was configured when `intent` was made.
fn under(intent: &Intent, stream: &StreamRecord) -> StreamRecord {
    let destination = intent
        .destination
        .as_ref()
        .unwrap_or(&stream.destination)
        .clone();
    StreamRecord {
        version: intent.version,
        destination,
        ..stream.clone()
    }
}
