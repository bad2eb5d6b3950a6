//! The worker of one partition: it alone writes there.
//!
//! It takes the writes that wait, does them one after the other, appends what they changed with one durable write, writes
//! it to the index, and answers. After a write that failed nothing is guessed at: the partition is read anew. To a
//! transaction it lends the partition whole, and waits until it has it back.

use std::{collections::VecDeque, sync::Arc};

use headwater_items::item_size;
use tokio::sync::{mpsc, oneshot};

use crate::{
    Error, Write, WriteError, Written,
    change::Altered,
    core::{Core, Table},
    layout::Layout,
    limits::{CALLS_A_WRITE, WRITE_BYTES},
    partition::Partition,
    pass::{Cause, Outcome, Pass},
};

/// A write's answer, where somebody waits for it.
pub(crate) type Reply = oneshot::Sender<Result<Written, WriteError>>;

/// A call to a worker.
pub(crate) enum Call {
    Write(Box<Write>, Cause, Reply),
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

impl Worker {
    pub fn new(core: Arc<Core>, table: Arc<Table>, index: u16) -> Self {
        Self {
            place: Place { core, table, index },
            partition: None,
        }
    }

    /// Works until nobody can call any more.
    pub async fn run(mut self, mut calls: mpsc::Receiver<Call>) {
        let (mut taken, mut more) = (VecDeque::new(), Vec::new());
        while calls.recv_many(&mut more, CALLS_A_WRITE).await > 0 {
            taken.extend(more.drain(..));
            while !taken.is_empty() {
                self.turn(&mut taken).await;
            }
        }
    }

    /// Does the writes that come first, as far as they fit into one durable write, or else the first call.
    async fn turn(&mut self, calls: &mut VecDeque<Call>) {
        let prepared = self.prepare().await;
        match calls.pop_front() {
            Some(Call::Lend(reply)) => self.lend(prepared, reply).await,
            Some(Call::Fill(reply)) => {
                let filled = match prepared {
                    Ok(()) => self.fill().await,
                    Err(error) => Err(error),
                };
                // A caller that went away asks again.
                drop(reply.send(filled));
            }
            Some(write) => {
                calls.push_front(write);
                self.write(prepared, calls).await;
            }
            None => {}
        }
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

    async fn write(&mut self, prepared: Result<(), Error>, calls: &mut VecDeque<Call>) {
        let layout = self.place.table.layout();
        let mut turn = Turn::default();
        match &prepared {
            Ok(()) => turn = self.evaluate(&layout, calls).await,
            Err(error) => refuse(calls, error),
        }
        let committed = match &mut self.partition {
            Some(partition) => {
                let core = &self.place.core;
                partition.commit(core, &layout, &turn.changes).await
            }
            None => return,
        };
        let counters = &self.place.table.counters;
        match committed {
            Ok(()) => counters.wrote(&turn.changes),
            Err(_) => self.partition = None,
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
    }

    /// Does the writes that come first, where that may wait for the disk.
    async fn evaluate(&self, layout: &Arc<Layout>, calls: &mut VecDeque<Call>) -> Turn {
        let (place, layout) = (self.place.clone(), layout.clone());
        let mut waiting = std::mem::take(calls);
        let evaluate = move || {
            let mut turn = Turn::default();
            place.evaluate(&layout, &mut waiting, &mut turn);
            (turn, waiting)
        };
        let (turn, waiting) = self.place.core.env.blocking(evaluate).await;
        *calls = waiting;
        turn
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
    /// Does the writes that come first, each after those before it.
    fn evaluate(&self, layout: &Layout, calls: &mut VecDeque<Call>, turn: &mut Turn) {
        let view = self.core.view();
        let mut pass = Pass::new(layout, &*view, self.core.env.clock.now());
        pass.charging = self.core.charging(&self.table, self.index);
        let mut bytes = 0;
        while bytes < WRITE_BYTES
            && let Some(call) = calls.pop_front()
        {
            match call {
                Call::Write(write, cause, reply) => {
                    let outcome = pass.write(*write, &cause);
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
            Call::Write(_, _, reply) => {
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
            action: WriteAction::Put(item("k", Some(&large))),
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
            let call = || Call::Write(Box::new(write.clone()), Cause::Call, oneshot::channel().0);
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
