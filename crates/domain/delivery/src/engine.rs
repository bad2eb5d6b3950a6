//! The life of one delivery stream: read a batch, write its intent, carry it out, move the checkpoint; again.
//!
//! One task a stream. Whatever fails stops only this stream: it waits, longer each time, and goes on from what the
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
use headwater_catalog::{CatalogError, Versioned};
use tokio::sync::watch;

use crate::{
    config::{Destination, Origin, StreamRecord},
    execute::Executor,
    intent::{ExecuteError, Intent, Ledger, Names, Progress, Store},
    limits::{ERROR_TEXT_BYTES_MAX, RETRY_WAIT_MAX, RETRY_WAIT_MIN},
    naming::PrefixError,
    ports::{Source, SourceError, TableError},
    reading::{Batch, DirectShard, Reader},
    records::ErrorKind,
};

/// The engine of one delivery stream.
pub struct Engine {
    pub(crate) executor: Executor,
    pub(crate) store: Store,
    pub(crate) direct: Option<DirectShard>,
    /// Batches that were delivered by this process: whether there was progress since the last failure.
    delivered: AtomicU64,
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
            // An error means that whoever could set it is gone.
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

    async fn note(&self, code: &str, mut error: String, wait: Duration) {
        error.truncate(error.floor_char_boundary(ERROR_TEXT_BYTES_MAX));
        let stream = self.stream();
        tracing::warn!(stream = stream.name, code, error, ?wait, "a delivery waits");
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
        if progress.value.intent.is_none() {
            self.executor.incident.clear();
        }
        // An intent that is found, not made here, may have been carried out before, in part or whole.
        let mut again = true;
        loop {
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
                // What the open batch has read is in the log still; the new reader reads it again.
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
        Reader::new(self.executor.env.clone(), source.clone(), buffering)
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
        let (env, stream) = (&self.executor.env, self.stream());
        let id = env.random.uuid();
        let names = Names::of(&stream, &id, batch.oldest)?;
        let kinds = stream
            .destination
            .error_kinds()
            .into_iter()
            .filter(|kind| *kind != ErrorKind::Processing);
        let data_key = if stream.destination.has_one_object() {
            Some(names.data()?)
        } else {
            None
        };
        let (error_key, backup_key) = (names.errors(ErrorKind::Processing), names.backup()?);
        let more_error_keys = kinds.map(|kind| (kind, names.errors(kind))).collect();
        // The door alone reads how it was described.
        let destination = Destination {
            described: serde_json::Value::Null,
            ..stream.destination.clone()
        };
        let intent = Intent {
            version: stream.version,
            made: env.clock.now(),
            ranges: batch.ranges,
            records: batch.records,
            bytes: batch.bytes,
            newest: batch.newest,
            oldest: batch.oldest,
            table_version: self.table_version(&stream).await?,
            bucket: stream.destination.bucket.clone(),
            data_key,
            error_key,
            more_error_keys,
            backup_key,
            partitions: Vec::new(),
            id,
            destination: Some(destination),
        };
        let next = Progress {
            intent: Some(intent),
            ..progress.value
        };
        Ok(self
            .store
            .advance(&stream.id, next, progress.version)
            .await?)
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
        let next = progress.value.completed(|shard| reader.is_listed(shard));
        let progress = self
            .store
            .advance(&self.stream().id, next, progress.version)
            .await?;
        self.delivered.fetch_add(1, Ordering::Relaxed);
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
