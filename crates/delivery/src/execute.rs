//! Carrying out an intent: read, take apart, transform, compress, put. Whole or not at all: whatever fails, the
//! intent stays and is carried out again under the same names.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use futures_util::{Stream, StreamExt};
use headwater_env::Env;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::{
    config::{Compression, Origin, StreamRecord},
    groups::{Groups, UserRecord},
    item::Rejected,
    limits::{INVOCATIONS_A_STREAM_MAX, PIECES_WAITING_MAX},
    log_lines::ErrorLog,
    ports::{InvokeError, ObjectsError, Ports, Source, SourceError},
    sink::ObjectWriter,
    store::Intent,
    steps::{Outcome, Steps, query::QueryError, share_kib},
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
    /// A step cannot be taken.
    #[error("{0}")]
    Query(#[from] QueryError),
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

/// What executions work with.
pub struct Executor {
    /// Clock, randomness and threads.
    pub env: Env,
    /// The others.
    pub ports: Ports,
    /// KiB that all executions of the process may hold.
    pub budget: Arc<Semaphore>,
}

/// A group on its way, with its share of the budget.
type Held<T> = (T, OwnedSemaphorePermit);

impl Executor {
    /// Carries out `intent` of `stream`, configured as it was when that was made. With `again`, an earlier run may have left objects, perhaps with another outcome,
    /// since a function may answer differently: what this run does not write itself, it removes. Not where the
    /// source has dropped records since, for the earlier run may have had them.
    pub async fn execute(
        &self,
        stream: &StreamRecord,
        source: &Arc<dyn Source>,
        intent: &Intent,
        again: bool,
    ) -> Result<Left, ExecuteError> {
        let objects = &self.ports.objects;
        let error_bucket = stream.destination.error_bucket();
        for bucket in again.then_some([&intent.bucket, error_bucket]).into_iter().flatten() {
            if !objects.bucket_exists(bucket).await? {
                return Err(ObjectsError::NoBucket(bucket.to_owned()).into());
            }
        }
        let (to, pieces) = mpsc::channel(PIECES_WAITING_MAX);
        let lost = Arc::new(AtomicBool::new(false));
        let groups = self.groups(stream, source, intent, lost.clone());
        let ((), left) =
            futures_util::try_join!(self.produce(stream, groups, to), self.consume(stream, intent, pieces))?;
        if again && !lost.load(Ordering::Relaxed) {
            let (data, errors) = ((&*intent.bucket, &intent.data_key), (error_bucket, &intent.error_key));
            for (written, (bucket, key)) in [(left.data, data), (left.errors, errors)] {
                if !written {
                    objects.delete(bucket, key).await?;
                }
            }
        }
        Ok(left)
    }

    /// Reads groups and takes them through their steps, several at once, and hands them on in order; `None` says that
    /// it was all.
    async fn produce(
        &self,
        stream: &StreamRecord,
        groups: impl Stream<Item = Result<Held<Vec<UserRecord>>, SourceError>>,
        to: mpsc::Sender<Option<Held<Outcome>>>,
    ) -> Result<(), ExecuteError> {
        let steps = Steps::of(stream)?;
        let run = |group: Result<Held<Vec<UserRecord>>, SourceError>| async {
            let (group, permit) = group?;
            let outcome = steps.run(&self.env, &*self.ports.invoke, group).await?;
            self.errors(stream).rejected(&outcome.rejected).await;
            Ok::<_, ExecuteError>((outcome, permit))
        };
        let outcomes = groups.map(run).buffered(INVOCATIONS_A_STREAM_MAX);
        let mut outcomes = std::pin::pin!(outcomes);
        while let Some(outcome) = outcomes.next().await {
            // The receiver is gone only when the other half has an error to tell.
            drop(to.send(Some(outcome?)).await);
        }
        drop(to.send(None).await);
        Ok(())
    }

    /// The intent's records in groups, each with its share of the budget: taken before it is read, in order, so
    /// that the first group of every stream can always go on.
    fn groups(
        &self,
        stream: &StreamRecord,
        source: &Arc<dyn Source>,
        intent: &Intent,
        lost: Arc<AtomicBool>,
    ) -> impl Stream<Item = Result<Held<Vec<UserRecord>>, SourceError>> {
        let limit = stream.destination.group_limit();
        let split = matches!(stream.origin, Origin::Stream { .. });
        let groups = Groups::new(source.clone(), &intent.ranges, split, limit, lost);
        let share = share_kib(limit.bytes);
        let budget = self.budget.clone();
        futures_util::stream::try_unfold(groups, move |mut groups| {
            let budget = budget.clone();
            async move {
                let permit = budget.acquire_many_owned(share).await;
                let permit = permit.map_err(|_| SourceError::Failed("deliveries are closed".into()))?;
                Ok(groups.next().await?.map(|group| ((group, permit), groups)))
            }
        })
    }

    /// Writes what became of the records to the two objects.
    async fn consume(
        &self,
        stream: &StreamRecord,
        intent: &Intent,
        mut pieces: mpsc::Receiver<Option<Held<Outcome>>>,
    ) -> Result<Left, ExecuteError> {
        let writer = |bucket, key, compression| {
            ObjectWriter::new(self.env.clone(), self.ports.objects.clone(), bucket, key, compression)
        };
        let mut data = writer(&intent.bucket, &intent.data_key, stream.destination.compression);
        let mut errors = writer(stream.destination.error_bucket(), &intent.error_key, Compression::None);
        loop {
            match pieces.recv().await {
                Some(Some((piece, permit))) => {
                    data.write(piece.items.into_iter().map(|item| item.data).collect()).await?;
                    errors.write(piece.rejected.iter().map(Rejected::line).collect()).await?;
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

    /// Where a stream's errors are logged.
    pub fn errors<'a>(&'a self, stream: &'a StreamRecord) -> ErrorLog<'a> {
        ErrorLog { env: &self.env, sink: &*self.ports.logs, stream }
    }
}
