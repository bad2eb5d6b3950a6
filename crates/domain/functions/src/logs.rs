//! Where the lines of functions go: a port, and the one writer that batches for it.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use headwater_env::Env;
use headwater_types::Millis;
use tokio::sync::{mpsc, oneshot};

use crate::limits;

/// A line of output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// When it was read.
    pub time: Millis,
    /// The line with its end, or several that are one event.
    pub message: String,
}

/// Lines of one log stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogBatch {
    /// The log group, `/aws/lambda/<name>`.
    pub group: String,
    /// The log stream, `YYYY/MM/DD/[<version>]<32 hex digits>`; one a process.
    pub stream: String,
    /// The lines, in order.
    pub lines: Vec<LogLine>,
}

/// Keeps what functions print. Groups and streams that do not exist yet are made.
#[async_trait]
pub trait LogSink: Send + Sync {
    /// Keeps all batches; on an error, with its reason, they are offered again a little later.
    async fn append(&self, batches: &[LogBatch]) -> Result<(), String>;
}

/// The queue before the sink: one writer takes all that waits and appends it at once.
pub(crate) struct LogWriter {
    queue: mpsc::Sender<Entry>,
}

enum Entry {
    Lines(LogBatch),
    /// Answered when all before it is written.
    Flush(oneshot::Sender<()>),
}

impl LogWriter {
    pub fn start(env: &Env, sink: Arc<dyn LogSink>) -> Self {
        let (queue, entries) = mpsc::channel(limits::LOG_BATCHES_MAX);
        env.spawn(run(env.clone(), sink, entries));
        Self { queue }
    }

    /// Queues lines; waits while the queue is full.
    pub async fn write(&self, group: &str, stream: &str, lines: Vec<LogLine>) {
        let batch = LogBatch {
            group: group.to_owned(),
            stream: stream.to_owned(),
            lines,
        };
        // The writer lives as long as this sender.
        drop(self.queue.send(Entry::Lines(batch)).await);
    }

    /// Waits until all that was queued before is written.
    pub async fn flush(&self) {
        let (done, wait) = oneshot::channel();
        drop(self.queue.send(Entry::Flush(done)).await);
        drop(wait.await);
    }
}

async fn run(env: Env, sink: Arc<dyn LogSink>, mut entries: mpsc::Receiver<Entry>) {
    let mut taken = Vec::new();
    while entries.recv_many(&mut taken, limits::LOG_BATCHES_MAX).await > 0 {
        let mut batches: Vec<LogBatch> = Vec::new();
        let mut flushed = Vec::new();
        for entry in taken.drain(..) {
            match entry {
                Entry::Flush(done) => flushed.push(done),
                Entry::Lines(batch) => merge(&mut batches, batch),
            }
        }
        if !batches.is_empty() {
            append(&env, &*sink, &batches).await;
        }
        for done in flushed {
            // The caller may have given up.
            let _ = done.send(());
        }
    }
}

fn merge(batches: &mut Vec<LogBatch>, batch: LogBatch) {
    match batches
        .iter_mut()
        .find(|b| b.group == batch.group && b.stream == batch.stream)
    {
        Some(known) => known.lines.extend(batch.lines),
        None => batches.push(batch),
    }
}

async fn append(env: &Env, sink: &dyn LogSink, batches: &[LogBatch]) {
    for tried in 1..=limits::LOG_TRIES_MAX {
        match sink.append(batches).await {
            Ok(()) => return,
            Err(error) => {
                tracing::warn!(%error, tried, "the output of functions could not be kept")
            }
        }
        env.clock.sleep(Duration::from_secs(1)).await;
    }
    let lines: usize = batches.iter().map(|b| b.lines.len()).sum();
    tracing::error!(
        lines,
        "output of functions is lost: the log does not take it"
    );
}
