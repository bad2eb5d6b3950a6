//! Carrying out an intent: read, take apart, transform, compress, put. Whole or not at all: whatever fails, the
//! intent stays and is carried out again under the same names.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use headwater_catalog::Versioned;
use headwater_columnar::Schema;
use headwater_env::Env;
use tokio::sync::mpsc;

use crate::{
    budget::{Budget, Reservation},
    config::{Origin, StreamRecord, Target},
    encoding::{Columns, Form},
    incidents::Incidents,
    intent::{ExecuteError, Intent, Ledger, Progress},
    limits::{INVOCATIONS_A_STREAM_MAX, PIECES_WAITING_MAX},
    outlets::{Chunks, ErrorLog, Errors, ObjectWriter, OneObject, Outlet, Partitions},
    ports::{ObjectsError, Ports, Source},
    reading::{Expired, Groups},
    records::{Outcome, UserRecord},
    sinks::{self, Load},
    steps::Steps,
};

/// The surroundings that executions work with.
pub struct Executor {
    /// Clock, randomness and threads.
    pub env: Env,
    /// The others.
    pub ports: Ports,
    /// The memory that all executions of the process work in.
    pub budget: Budget,
    /// A folder for records on their way to partitions.
    pub spool: PathBuf,
    /// The error that stops the delivery stream, if one does.
    pub incident: Incidents,
    /// Whether it was looked for what an earlier process left.
    pub swept: AtomicBool,
}

/// A group on its way, with its room in memory.
type Reserved<T> = (T, Reservation);

/// A group after its steps, with the records as they came where these are kept.
struct Piece {
    outcome: Outcome,
    raw: Vec<Bytes>,
}

impl Executor {
    /// Carries out `intent` of `stream`, configured as it was when that was made. With `again`, an earlier run may have
    /// left objects, perhaps with another outcome, since a function may answer differently: what this run does not
    /// write itself, it removes. So it fails where the source drops records meanwhile, for the earlier run may have had
    /// them. The progress that is left, for the checkpoint.
    pub async fn execute(
        &self,
        stream: &StreamRecord,
        source: &Arc<dyn Source>,
        intent: &Intent,
        ledger: Ledger<'_>,
        again: bool,
    ) -> Result<Versioned<Progress>, ExecuteError> {
        if again {
            self.look_for_buckets(stream, intent).await?;
            self.sweep(stream, intent).await;
        }
        // It may wait for room, and takes it before any records do.
        let outlet = self.outlet(stream, intent).await?;
        let (to, pieces) = mpsc::channel(PIECES_WAITING_MAX);
        let expired = if again {
            Expired::Failed
        } else {
            Expired::Skipped
        };
        let groups = self.groups(stream, source, intent, expired);
        let consume = self.consume(stream, intent, ledger, outlet, pieces);
        let ((), (ledger, written)) =
            futures_util::try_join!(self.produce(stream, groups, to), consume)?;
        if again {
            self.remove_others(stream, intent, &written).await?;
        }
        self.load(stream, intent, written).await?;
        Ok(ledger.into_progress())
    }

    /// Whether there is where things go, before work is done again that would fail without it.
    async fn look_for_buckets(
        &self,
        stream: &StreamRecord,
        intent: &Intent,
    ) -> Result<(), ObjectsError> {
        let backup = stream
            .destination
            .backup
            .as_ref()
            .map(|backup| &*backup.bucket);
        for bucket in [
            Some(&*intent.bucket),
            Some(stream.destination.error_bucket()),
            backup,
        ]
        .into_iter()
        .flatten()
        {
            if !self.ports.objects.bucket_exists(bucket).await? {
                return Err(ObjectsError::NoBucket(bucket.to_owned()));
            }
        }
        Ok(())
    }

    /// Removes what an earlier run may have written and this one has not. Partitions were removed before others were
    /// written down.
    async fn remove_others(
        &self,
        stream: &StreamRecord,
        intent: &Intent,
        written: &[String],
    ) -> Result<(), ObjectsError> {
        for (bucket, key) in names(stream, intent) {
            if !written.iter().any(|written| written == key) {
                self.ports.objects.delete(bucket, key).await?;
            }
        }
        Ok(())
    }

    /// Removes, once in the life of a process, what one that died may have put of these objects: a store over a network
    /// keeps parts until they are aborted. An upload that cannot be removed costs money and harms nobody.
    async fn sweep(&self, stream: &StreamRecord, intent: &Intent) {
        if self.swept.swap(true, Ordering::Relaxed) {
            return;
        }
        for (bucket, key) in names(stream, intent) {
            if let Err(error) = self.ports.objects.sweep(bucket, key).await {
                tracing::warn!(
                    stream = stream.name, bucket, key, %error,
                    "parts of an unfinished upload could not be removed; give the bucket a lifecycle rule that aborts such uploads"
                );
                return;
            }
        }
    }

    /// Has a destination that reads objects read those that were written.
    async fn load(
        &self,
        stream: &StreamRecord,
        intent: &Intent,
        written: Vec<String>,
    ) -> Result<(), ObjectsError> {
        let Some(loader) = sinks::loader(stream, &self.env, &self.ports) else {
            return Ok(());
        };
        let keys: Vec<String> = written
            .into_iter()
            .filter(|key| intent.data_key.as_ref() == Some(key))
            .collect();
        if keys.is_empty() {
            return Ok(());
        }
        let prefix = stream.destination.prefix.clone().unwrap_or_default();
        let (id, bucket) = (intent.id.clone(), intent.bucket.clone());
        if let Some(failure) = loader
            .load(&Load {
                id,
                bucket,
                prefix,
                keys,
            })
            .await?
        {
            self.errors(stream)
                .delivery_failed(failure.code, &failure.message)
                .await;
        }
        Ok(())
    }

    /// Reads groups and takes them through their steps, several at once, and hands them on in order; `None` says that
    /// it was all.
    async fn produce(
        &self,
        stream: &StreamRecord,
        groups: impl Stream<Item = Result<Reserved<Vec<UserRecord>>, ExecuteError>>,
        to: mpsc::Sender<Option<Reserved<Piece>>>,
    ) -> Result<(), ExecuteError> {
        let steps = Steps::of(stream)?;
        let keeps = stream.destination.backup.is_some();
        let run = |group: Result<Reserved<Vec<UserRecord>>, ExecuteError>| async {
            let (group, mut room) = group?;
            let raw = if keeps {
                group.iter().map(|record| record.data.clone()).collect()
            } else {
                Vec::new()
            };
            let outcome = steps
                .run(&self.env, &*self.ports.invoke, group, &mut room)
                .await?;
            Ok::<_, ExecuteError>((Piece { outcome, raw }, room))
        };
        let pieces = groups.map(run).buffered(INVOCATIONS_A_STREAM_MAX);
        let mut pieces = std::pin::pin!(pieces);
        while let Some(piece) = pieces.next().await {
            // The receiver is gone only when the other half has an error to tell.
            drop(to.send(Some(piece?)).await);
        }
        drop(to.send(None).await);
        Ok(())
    }

    /// The intent's records in groups, each with its room: taken before it is read, in order, so that the first group
    /// of every stream can always go on.
    fn groups(
        &self,
        stream: &StreamRecord,
        source: &Arc<dyn Source>,
        intent: &Intent,
        expired: Expired,
    ) -> impl Stream<Item = Result<Reserved<Vec<UserRecord>>, ExecuteError>> {
        let limit = stream.destination.group_limit();
        let split = matches!(stream.origin, Origin::Stream { .. });
        let groups = Groups::new(source.clone(), &intent.ranges, split, limit, expired);
        let bytes = stream.destination.group_bytes();
        let budget = self.budget_of(stream);
        futures_util::stream::try_unfold(groups, move |mut groups| {
            let budget = budget.clone();
            async move {
                let room = budget.records(bytes).await;
                Ok(groups.next().await?.map(|group| ((group, room), groups)))
            }
        })
    }

    /// The memory that a stream's groups take their room of.
    fn budget_of(&self, stream: &StreamRecord) -> Budget {
        match stream.destination.target {
            Target::Bucket | Target::Redshift(_) => self.budget.clone(),
            Target::Http(_) | Target::Splunk(_) | Target::OpenSearch(_) => {
                self.budget.with_own_records()
            }
        }
    }

    /// Writes what became of the records: the keys of the objects that there are then.
    async fn consume<'a>(
        &self,
        stream: &StreamRecord,
        intent: &Intent,
        mut ledger: Ledger<'a>,
        mut outlet: Box<dyn Outlet + 'a>,
        mut pieces: mpsc::Receiver<Option<Reserved<Piece>>>,
    ) -> Result<(Ledger<'a>, Vec<String>), ExecuteError> {
        let mut errors = Errors::of(intent, &self.ports.objects, self.errors(stream));
        let mut backup = self.backup(stream, intent);
        loop {
            match pieces.recv().await {
                Some(Some((piece, room))) => {
                    errors.take(piece.outcome.rejected).await?;
                    outlet.take(piece.outcome.items, &mut errors).await?;
                    if let Some(backup) = &mut backup {
                        backup.write(piece.raw).await?;
                    }
                    drop(room);
                }
                Some(None) => break,
                // The other half failed in the middle; its error is the one to tell, and nothing is completed.
                None => return std::future::pending().await,
            }
        }
        let mut written = outlet.finish(&mut ledger, &mut errors).await?;
        written.extend(errors.finish().await?);
        if let Some((backup, key)) = backup.zip(intent.backup_key.clone()) {
            written.extend(backup.finish().await?.then_some(key));
        }
        Ok((ledger, written))
    }

    /// Where the items of an intent go.
    async fn outlet<'a>(
        &self,
        stream: &'a StreamRecord,
        intent: &'a Intent,
    ) -> Result<Box<dyn Outlet + 'a>, ExecuteError> {
        if let Some(sink) = sinks::sink(stream, &self.env, &self.ports) {
            return Ok(Box::new(Chunks::new(sink, &intent.id)));
        }
        let form = self.form(stream, intent).await?;
        let (env, objects) = (&self.env, &self.ports.objects);
        match &intent.data_key {
            Some(key) => {
                let room = form.room(&self.budget).await;
                let writer =
                    ObjectWriter::new(env.clone(), objects.clone(), &intent.bucket, key, form);
                let writer = writer.encrypted(&stream.destination.encryption_key);
                Ok(Box::new(OneObject { writer, room }))
            }
            None => {
                let batch = (stream, intent, form);
                Ok(Box::new(
                    Partitions::open(env, objects, &self.budget, &self.spool, batch).await?,
                ))
            }
        }
    }

    /// The form of the objects of an intent.
    async fn form(&self, stream: &StreamRecord, intent: &Intent) -> Result<Form, ExecuteError> {
        let Some(conversion) = &stream.destination.conversion else {
            return Ok(Form::Bytes(stream.destination.compression));
        };
        let (database, table) = (&conversion.database, &conversion.table);
        let found = self
            .ports
            .tables
            .version(database, table, intent.table_version)
            .await?;
        let columns = found
            .columns
            .iter()
            .map(|(name, data_type)| (&**name, &**data_type));
        let schema = Schema::parse(columns)?;
        let (read, write) = (conversion.read.clone(), conversion.write.clone());
        Ok(Form::Columns(Arc::new(Columns {
            schema,
            read,
            write,
        })))
    }

    /// The object of the records as they came.
    fn backup(&self, stream: &StreamRecord, intent: &Intent) -> Option<ObjectWriter> {
        let (backup, key) = stream
            .destination
            .backup
            .as_ref()
            .zip(intent.backup_key.as_ref())?;
        let form = Form::Bytes(backup.compression);
        let (env, objects) = (self.env.clone(), self.ports.objects.clone());
        let writer = ObjectWriter::new(env, objects, &backup.bucket, key, form);
        Some(writer.encrypted(&backup.encryption_key))
    }

    /// Where a stream's errors are logged.
    pub fn errors<'a>(&'a self, stream: &'a StreamRecord) -> ErrorLog<'a> {
        ErrorLog {
            env: &self.env,
            sink: &*self.ports.logs,
            stream,
            incident: &self.incident,
        }
    }
}

/// The bucket and the key of every object that may have been written for `intent`.
fn names<'a>(
    stream: &'a StreamRecord,
    intent: &'a Intent,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let errors = intent
        .error_keys()
        .map(|(_, key)| (stream.destination.error_bucket(), key));
    let data = intent
        .data_key
        .iter()
        .chain(&intent.partitions)
        .map(|key| (&*intent.bucket, &**key));
    let backup = stream
        .destination
        .backup
        .as_ref()
        .zip(intent.backup_key.as_deref());
    errors
        .chain(data)
        .chain(backup.map(|(backup, key)| (&*backup.bucket, key)))
}
