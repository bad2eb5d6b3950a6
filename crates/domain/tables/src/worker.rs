//! The worker of one partition: it alone writes there.
//!
//! It takes the writes that wait, does them one after the other, appends what they changed with one durable write, writes
//! it to the index, and answers; all of it on one thread that may wait for the disk, which it has while writes come. After
//! a write that failed nothing is guessed at: the partition is read anew. To a transaction it lends the partition whole,
//! and waits until it has it back.

use std::{collections::VecDeque, sync::Arc};

use headwater_items::item_size;
use tokio::sync::{mpsc, oneshot};

use crate::{
    Error, Write, WriteError, Written,
    change::Altered,
    core::{Core, Table},
    keys::BaseKey,
    layout::Layout,
    limits::{CALLS_A_WRITE, WRITE_BYTES, WRITES_A_THREAD},
    partition::Partition,
    pass::{Cause, Outcome, Pass},
};

/// A write's answer, where somebody waits for it.
pub(crate) type Reply = oneshot::Sender<Result<Written, WriteError>>;

/// A call to a worker.
pub(crate) enum Call {
    /// Writes the item with this key.
    Write(BaseKey, Box<Write>, Cause, Reply),
    /// Lends the partition.
    Lend(oneshot::Sender<Result<Lease, Error>>),
    /// Adds some items to new indexes; whether there may be more.
    Fill(oneshot::Sender<Result<bool, Error>>),
}

/// A partition that its worker lends, and waits for. One that is not given back is read anew.
pub(crate) struct Lease {
    pub partition: Partition,
    pub layout: Arc<Layout>,
    back: oneshot::Sender<Partition>,
}

impl Lease {
    /// Gives the partition back as it is now.
    pub fn give_back(self) {
        // A worker that has ended needs it no more.
        drop(self.back.send(self.partition));
    }
}

/// Writes that were done, and wait to be durable.
#[derive(Default)]
struct Turn {
    changes: Vec<Altered>,
    answers: Vec<(Reply, Result<Outcome, WriteError>)>,
}

/// The calls to a worker, in order.
struct Calls {
    waiting: VecDeque<Call>,
    more: mpsc::Receiver<Call>,
}

pub(crate) struct Worker {
    place: Place,
    /// The partition; none before the first call, and after a write that failed.
    partition: Option<Partition>,
}

/// Where it works.
#[derive(Clone)]
struct Place {
    core: Arc<Core>,
    table: Arc<Table>,
    index: u16,
}

impl Calls {
    /// The next call, once there is one; none when nobody can call any more.
    async fn next(&mut self) -> Option<Call> {
        match self.waiting.pop_front() {
            Some(call) => Some(call),
            None => self.more.recv().await,
        }
    }

    /// Adds those that came meanwhile; whether a write is the first of all.
    fn gather(&mut self) -> bool {
        while self.waiting.len() < CALLS_A_WRITE
            && let Ok(call) = self.more.try_recv()
        {
            self.waiting.push_back(call);
        }
        matches!(self.waiting.front(), Some(Call::Write(..)))
    }
}

impl Worker {
    pub fn new(core: Arc<Core>, table: Arc<Table>, index: u16) -> Self {
        Self {
            place: Place { core, table, index },
            partition: None,
        }
    }

    /// Works until nobody can call any more.
    pub async fn run(mut self, more: mpsc::Receiver<Call>) {
        let env = self.place.core.env.clone();
        let mut calls = Calls {
            waiting: VecDeque::new(),
            more,
        };
        while let Some(call) = calls.next().await {
            let prepared = self.prepare().await;
            match call {
                Call::Lend(reply) => self.lend(prepared, reply).await,
                Call::Fill(reply) => {
                    let filled = match prepared {
                        Ok(()) => self.fill().await,
                        Err(error) => Err(error),
                    };
                    // A caller that went away asks again.
                    drop(reply.send(filled));
                }
                write @ Call::Write(..) => {
                    calls.waiting.push_front(write);
                    match prepared {
                        Ok(()) => (self, calls) = env.blocking(move || self.write_all(calls)).await,
                        Err(error) => refuse(&mut calls.waiting, &error),
                    }
                }
            }
        }
    }

    /// Does the writes that wait, and those that come meanwhile, on one thread: waking others takes longer than what there is
    /// to do. It is given back after some time, or where the partition is to be read anew.
    fn write_all(mut self, mut calls: Calls) -> (Self, Calls) {
        for _ in 0..WRITES_A_THREAD {
            let has_write = calls.gather();
            match &mut self.partition {
                Some(partition) if has_write => {
                    if self.place.write(partition, &mut calls.waiting).is_err() {
                        self.partition = None;
                    }
                }
                _ => break,
            }
        }
        (self, calls)
    }

    /// Reads the partition where it is not known.
    async fn prepare(&mut self) -> Result<(), Error> {
        if self.partition.is_some() {
            return Ok(());
        }
        let Place { core, table, index } = &self.place;
        let mut partition = core.load(table, *index).await?;
        let id = (table.number, *index);
        let is_unsettled = core.unsettled.lock().contains_key(&id);
        if is_unsettled {
            core.settle(table, &mut partition).await?;
            core.unsettled.lock().remove(&id);
        }
        self.partition = Some(partition);
        Ok(())
    }

    async fn lend(
        &mut self,
        prepared: Result<(), Error>,
        reply: oneshot::Sender<Result<Lease, Error>>,
    ) {
        let partition = match (prepared, self.partition.take()) {
            (Ok(()), Some(partition)) => partition,
            // Nothing was lent that could come back.
            (prepared, _) => {
                let error = prepared.err().unwrap_or(Error::Interrupted);
                return drop(reply.send(Err(error)));
            }
        };
        let (back, returned) = oneshot::channel();
        // The lease of a borrower that went away is dropped, and not given back.
        drop(reply.send(Ok(Lease {
            partition,
            layout: self.place.table.layout(),
            back,
        })));
        self.partition = returned.await.ok();
    }

    async fn fill(&mut self) -> Result<bool, Error> {
        let layout = self.place.table.layout();
        // Until the rows are written, the partition is not as it is in the index.
        let mut partition = self.partition.take().ok_or(Error::Interrupted)?;
        let core = self.place.core.clone();
        let filled = self.place.core.env.blocking(move || {
            let filled = partition.fill(&layout, &*core.view());
            filled.and_then(|(batch, has_more)| {
                core.write_now(batch)?;
                Ok((partition, has_more))
            })
        });
        let (partition, has_more) = filled.await?;
        self.partition = Some(partition);
        Ok(has_more)
    }
}

impl Place {
    /// Does the writes that come first, as far as they fit into one durable write, and answers them. After a failure nobody
    /// knows the partition.
    fn write(&self, partition: &mut Partition, calls: &mut VecDeque<Call>) -> Result<(), Error> {
        let (layout, mut turn) = (self.table.layout(), Turn::default());
        self.evaluate(&layout, calls, &mut turn);
        let committed = partition.commit(&self.core, &layout, &turn.changes);
        let counters = &self.table.counters;
        if committed.is_ok() {
            counters.wrote(&turn.changes);
        }
        // The items are shared no more: answers take them over.
        drop(turn.changes);
        for (reply, outcome) in turn.answers {
            if let Err(error) = &outcome {
                counters.refused(error);
            }
            let answer = match &committed {
                Ok(()) => outcome.map(Written::from),
                Err(error) => Err(WriteError::Failed(error.clone())),
            };
            // A caller that went away has its write nevertheless.
            drop(reply.send(answer));
        }
        committed
    }

    /// Does the writes that come first, each after those before it.
    fn evaluate(&self, layout: &Layout, calls: &mut VecDeque<Call>, turn: &mut Turn) {
        let mut pass = Pass::new(layout, &*self.core.index, self.core.env.clock.now());
        pass.charging = Some(self.core.charging(&self.table, self.index));
        let mut bytes = 0;
        while bytes < WRITE_BYTES
            && let Some(call) = calls.pop_front()
        {
            match call {
                Call::Write(key, write, cause, reply) => {
                    let outcome = pass.write(key, *write, &cause);
                    if let Some(charging) = &pass.charging {
                        charging.take(&std::mem::take(&mut pass.used), 1.0);
                    }
                    bytes += size(&outcome);
                    turn.answers.push((reply, outcome));
                }
                other => {
                    calls.push_front(other);
                    break;
                }
            }
        }
        turn.changes = pass.changes;
    }
}

/// Bytes of the items that an answer has, which are those of its change too.
fn size(outcome: &Result<Outcome, WriteError>) -> usize {
    match outcome {
        Ok(outcome) => outcome.size(),
        Err(WriteError::ConditionFailed(Some(item))) => item_size(item),
        Err(_) => 0,
    }
}

/// Answers the writes that come first with an error.
fn refuse(calls: &mut VecDeque<Call>, error: &Error) {
    while let Some(call) = calls.pop_front() {
        match call {
            Call::Write(.., reply) => {
                drop(reply.send(Err(WriteError::Failed(error.clone()))));
            }
            other => {
                calls.push_front(other);
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use headwater_expressions::{Condition, Path};

    use super::*;
    use crate::{
        WriteAction,
        limits::ITEM_BYTES,
        testing::{World, item},
    };

    #[tokio::test]
    async fn what_is_answered_counts_where_nothing_is_changed() {
        let world = World::with_table(None).await;
        let large = "x".repeat(ITEM_BYTES - 100);
        let put = |condition: Option<Condition>| Write {
            key: item("k", None),
            condition,
            action: WriteAction::Put(item("k", Some(&large)).into()),
        };
        world.tables.write("t", put(None)).await.unwrap();
        let key = Path {
            root: "k".into(),
            steps: Vec::new(),
        };
        let refused = put(Some(Condition::NotExists(key)));
        let inner = &world.tables.inner;
        let worker = Worker::new(inner.core.clone(), inner.core.table("t").unwrap(), 0);
        for write in [put(None), refused] {
            let key = worker.place.table.layout().base(&write.key).unwrap();
            let call = || {
                let (write, reply) = (Box::new(write.clone()), oneshot::channel().0);
                Call::Write(key.clone(), write, Cause::Call, reply)
            };
            let mut calls: VecDeque<_> = (0..CALLS_A_WRITE).map(|_| call()).collect();
            let mut turn = Turn::default();
            let (place, layout) = (&worker.place, worker.place.table.layout());
            place.evaluate(&layout, &mut calls, &mut turn);
            assert!(turn.changes.is_empty());
            assert!(turn.answers.len() <= WRITE_BYTES / large.len() + 1);
            assert_eq!(turn.answers.len() + calls.len(), CALLS_A_WRITE);
        }
    }
}
