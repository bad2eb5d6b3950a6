//! Carrying out an intent: read, take apart, transform, compress, put. Whole or not at all: whatever fails, the
//! intent stays and is carried out again under the same names.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::{Stream, StreamExt, stream};
use headwater_env::Env;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::{
    config::{Compression, Origin, StreamRecord},
    groups::{GroupLimit, Groups, UserRecord},
    limits::{INVOCATIONS_A_STREAM_MAX, PIECES_WAITING_MAX, READ_BYTES_MAX, WORK_KIB_MAX},
    log_lines::ErrorLog,
    ports::{InvokeError, ObjectsError, Ports, Source, SourceError},
    sink::ObjectWriter,
    store::Intent,
    transform::{Transformed, Transformer},
};

/// Why an intent could not be carried out; it will be again.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// The records could not be read.
    #[error("reading the source failed: {0}")]
    Source(#[from] SourceError),
    /// The function could not be asked.
    #[error("calling the function failed: {0}")]
    Invoke(#[from] InvokeError),
    /// An object could not be put or removed.
    #[error("writing to the bucket failed: {0}")]
    Objects(#[from] ObjectsError),
}

/// Which objects an execution left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// The one with what was delivered.
    pub data: bool,
    /// The one with what failed.
    pub errors: bool,
}

/// What executions of one delivery stream work with.
pub struct Executor {
    /// Clock, randomness and threads.
    pub env: Env,
    /// The others.
    pub ports: Ports,
    /// The delivery stream.
    pub stream: StreamRecord,
    /// KiB that all executions of the process may hold.
    pub budget: Arc<Semaphore>,
}

/// A group on its way, with its share of the budget.
type Held<T> = (T, OwnedSemaphorePermit);

impl Executor {
    /// Carries out `intent`. With `again`, an earlier run may have left objects, perhaps with another outcome,
    /// since a function may answer differently: what this run does not write itself, it removes. Not where the
    /// source has dropped records since, for the earlier run may have had them.
    pub async fn execute(
        &self,
        source: &Arc<dyn Source>,
        intent: &Intent,
        again: bool,
    ) -> Result<Left, ExecuteError> {
        let objects = &self.ports.objects;
        if again && !objects.bucket_exists(&intent.bucket).await? {
            return Err(ObjectsError::NoBucket(intent.bucket.clone()).into());
        }
        let (to, pieces) = mpsc::channel(PIECES_WAITING_MAX);
        let lost = Arc::new(AtomicBool::new(false));
        let groups = self.groups(source, intent, lost.clone());
        let ((), left) = futures_util::try_join!(self.produce(groups, to), self.consume(intent, pieces))?;
        if again && !lost.load(Ordering::Relaxed) {
            for (written, key) in [(left.data, &intent.data_key), (left.errors, &intent.error_key)] {
                if !written {
                    objects.delete(&intent.bucket, key).await?;
                }
            }
        }
        Ok(left)
    }

    /// Reads and transforms, several groups at once, and hands them on in order; `None` says that it was all.
    async fn produce(
        &self,
        groups: impl Stream<Item = Result<Held<Vec<UserRecord>>, SourceError>>,
        to: mpsc::Sender<Option<Held<Transformed>>>,
    ) -> Result<(), ExecuteError> {
        let transform = |group: Result<Held<Vec<UserRecord>>, SourceError>| async {
            let (group, permit) = group?;
            Ok::<_, ExecuteError>((self.transform(group).await?, permit))
        };
        let transformed = groups.map(transform).buffered(INVOCATIONS_A_STREAM_MAX);
        let mut transformed = std::pin::pin!(transformed);
        while let Some(piece) = transformed.next().await {
            // The receiver is gone only when the other half has an error to tell.
            drop(to.send(Some(piece?)).await);
        }
        drop(to.send(None).await);
        Ok(())
    }

    /// The intent's records in groups, each with its share of the budget: taken before it is read, in order, so
    /// that the first group of every stream can always go on.
    fn groups(
        &self,
        source: &Arc<dyn Source>,
        intent: &Intent,
        lost: Arc<AtomicBool>,
    ) -> impl Stream<Item = Result<Held<Vec<UserRecord>>, SourceError>> {
        let function = self.stream.destination.function.as_ref();
        let bytes = function.map_or(READ_BYTES_MAX, |f| f.batch_bytes);
        let span = function.map_or(Duration::MAX, |f| Duration::from_secs(f.interval_s.into()));
        let limit = GroupLimit { bytes, span };
        let split = matches!(self.stream.origin, Origin::Stream { .. });
        let groups = Groups::new(source.clone(), &intent.ranges, split, limit, lost);
        let share = ((bytes + READ_BYTES_MAX) / 1024).clamp(1, WORK_KIB_MAX) as u32;
        let budget = self.budget.clone();
        stream::try_unfold(groups, move |mut groups| {
            let budget = budget.clone();
            async move {
                let permit = budget.acquire_many_owned(share).await;
                let permit = permit.map_err(|_| SourceError::Failed("deliveries are closed".into()))?;
                Ok(groups.next().await?.map(|group| ((group, permit), groups)))
            }
        })
    }

    async fn transform(&self, group: Vec<UserRecord>) -> Result<Transformed, InvokeError> {
        let Some(function) = &self.stream.destination.function else {
            let data = group.into_iter().map(|record| record.data).collect();
            return Ok(Transformed { data, ..Transformed::default() });
        };
        let source = match &self.stream.origin {
            Origin::Direct { .. } => None,
            Origin::Stream { arn, .. } => Some(arn),
        };
        let (env, invoke) = (&self.env, &*self.ports.invoke);
        let transformer = Transformer { env, invoke, function, stream: &self.stream.arn, source };
        let transformed = transformer.transform(group).await?;
        for failure in &transformed.examples {
            self.errors().function_failed(&function.arn, failure).await;
        }
        Ok(transformed)
    }

    /// Writes what was transformed to the two objects.
    async fn consume(
        &self,
        intent: &Intent,
        mut pieces: mpsc::Receiver<Option<Held<Transformed>>>,
    ) -> Result<Left, ExecuteError> {
        let writer = |key, compression| {
            ObjectWriter::new(self.env.clone(), self.ports.objects.clone(), &intent.bucket, key, compression)
        };
        let mut data = writer(&intent.data_key, self.stream.destination.compression);
        let mut errors = writer(&intent.error_key, Compression::None);
        loop {
            match pieces.recv().await {
                Some(Some((piece, permit))) => {
                    data.write(piece.data).await?;
                    errors.write(piece.failures).await?;
                    drop(permit);
                }
                Some(None) => break,
                // The other half failed in the middle; its error is the one to tell, and nothing is completed.
                None => return std::future::pending().await,
            }
        }
        // Both are waited for before one's error is told: no put of this run may outlive it.
        let (data, errors) = futures_util::join!(data.finish(), errors.finish());
        Ok(Left { data: data?, errors: errors? })
    }

    /// Where this stream's errors are logged.
    pub fn errors(&self) -> ErrorLog<'_> {
        ErrorLog { env: &self.env, sink: &*self.ports.logs, stream: &self.stream }
    }
}
