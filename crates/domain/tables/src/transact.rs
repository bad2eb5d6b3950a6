//! Transactions: writes of several partitions, all done or none.
//!
//! A transaction borrows the partitions that it writes to from their workers, in the order of their numbers, so that no
//! two wait for each other. It asks all conditions, appends itself and the changes of all partitions with one durable
//! write, writes them to the index as one batch, and gives the partitions back.

use std::{collections::BTreeMap, sync::Arc};

use headwater_env::wait_for;
use headwater_log::{Append, Appended, NewRecord};
use tokio::sync::oneshot;

use crate::{
    Cancellation, Error, Tables, Transaction, Write, WriteError,
    change::Altered,
    core::Table,
    index::Batch,
    keys::{BaseKey, transactions},
    limits::{TRANSACTION_BYTES, TRANSACTION_TIMES},
    partition::Records,
    pass::{Cause, Pass},
    tables::Inner,
    transaction::{Participant, Transacted},
    worker::{Call, Lease},
};

/// The writes of one partition, by their places in the transaction.
struct Part {
    table: Arc<Table>,
    writes: Vec<(usize, BaseKey, Write)>,
}

/// A borrowed partition, and what is to be changed there.
struct Borrowed {
    lease: Lease,
    part: Part,
    changes: Vec<Altered>,
}

/// A token that is under way for as long as this is there.
struct Claim<'a>(&'a Inner, String);

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.0.tokens.lock().release(&self.1);
    }
}

/// Gives partitions back to their workers.
fn give_back(borrowed: impl IntoIterator<Item = Borrowed>) {
    borrowed
        .into_iter()
        .for_each(|borrowed| borrowed.lease.give_back());
}

/// The tables of borrowed partitions, each once: a table's partitions stand together.
fn tables(borrowed: &[Borrowed]) -> impl Iterator<Item = &Arc<Table>> {
    let parts = borrowed.chunk_by(|one, next| one.part.table.number == next.part.table.number);
    parts.filter_map(|parts| Some(&parts.first()?.part.table))
}

impl Tables {
    /// Does all writes or none. Durable when it returns. True where they were done by an earlier call with the token.
    ///
    /// # Errors
    /// Whatever speaks against one of them.
    pub async fn transact(&self, transaction: Transaction) -> Result<bool, Cancellation> {
        let inner = self.inner.clone();
        let env = inner.core.env.clone();
        env.to_the_end(async move { inner.transact(transaction).await })
            .await
    }
}

impl Inner {
    async fn transact(self: &Arc<Self>, transaction: Transaction) -> Result<bool, Cancellation> {
        let Transaction { writes, token } = transaction;
        if let Some((token, digest)) = &token {
            let now = self.core.env.clock.now();
            if self.tokens.lock().claim(token, *digest, now)? {
                return Ok(true);
            }
        }
        let _claim = token.as_ref().map(|(token, _)| Claim(self, token.clone()));
        self.transact_new(writes, token).await?;
        Ok(false)
    }

    async fn transact_new(
        self: &Arc<Self>,
        writes: Vec<(String, Write)>,
        token: Option<(String, [u8; 32])>,
    ) -> Result<(), Cancellation> {
        let count = writes.len();
        let parts = self.parts(writes)?;
        let (mut borrowed, inner) = (self.borrow(parts).await?, self.clone());
        let work = move || match inner.evaluate(&mut borrowed, count) {
            Ok(()) => Ok(inner.commit(borrowed, &token)?),
            Err(reasons) => {
                if let Cancellation::Reasons(_) = &reasons {
                    tables(&borrowed).for_each(|table| table.counters.cancelled());
                }
                give_back(borrowed);
                Err(reasons)
            }
        };
        self.core.env.blocking(work).await
    }

    /// The writes by the partitions that they are of, in order.
    fn parts(&self, writes: Vec<(String, Write)>) -> Result<BTreeMap<(u64, u16), Part>, Error> {
        let mut parts = BTreeMap::new();
        for (at, (name, write)) in writes.into_iter().enumerate() {
            let table = self.core.table(&name)?;
            let layout = table.layout();
            let key = layout.base(&write.key)?;
            let partition = key.partition(layout.record.partitions);
            let new = || Part {
                table: table.clone(),
                writes: Vec::new(),
            };
            let part = parts.entry((table.number, partition)).or_insert_with(new);
            part.writes.push((at, key, write));
        }
        Ok(parts)
    }

    /// Borrows partitions, one after the other. Where one cannot be, those before it go back.
    async fn borrow(&self, parts: BTreeMap<(u64, u16), Part>) -> Result<Vec<Borrowed>, Error> {
        let mut borrowed: Vec<Borrowed> = Vec::with_capacity(parts.len());
        for ((_, partition), part) in parts {
            match self.lease(&part.table, partition).await {
                Ok(lease) => borrowed.push(Borrowed {
                    lease,
                    part,
                    changes: Vec::new(),
                }),
                Err(error) => {
                    give_back(borrowed);
                    return Err(error);
                }
            }
        }
        Ok(borrowed)
    }

    /// Borrows a partition from its worker.
    pub async fn lease(&self, table: &Arc<Table>, partition: u16) -> Result<Lease, Error> {
        let (reply, answer) = oneshot::channel();
        let layout = table.layout();
        self.call(table, &layout, partition, Call::Lend(reply), answer)
            .await?
    }

    /// Does the writes in the order of their partitions, without writing anything yet, until what they made is too large.
    /// Waits for the disk.
    fn evaluate(&self, borrowed: &mut [Borrowed], count: usize) -> Result<(), Cancellation> {
        let (rows, now) = (&*self.core.index, self.core.env.clock.now());
        let mut reasons: Vec<Option<WriteError>> = vec![None; count];
        let (mut used, mut made) = (Vec::with_capacity(borrowed.len()), 0);
        for borrowed in borrowed {
            let Lease {
                partition, layout, ..
            } = &borrowed.lease;
            let mut pass = Pass::new(layout, rows, now);
            let charging = self.core.charging(&borrowed.part.table, partition.index);
            pass.charging = Some(charging);
            for (at, key, write) in borrowed.part.writes.drain(..) {
                match (pass.write(key, write, &Cause::Call), reasons.get_mut(at)) {
                    (Ok(outcome), _) => made += outcome.made(),
                    (Err(error), Some(reason)) => {
                        borrowed.part.table.counters.refused(&error);
                        *reason = Some(error);
                    }
                    (Err(_), None) => {}
                }
                if made > TRANSACTION_BYTES {
                    return Err(Cancellation::TooLarge(made));
                }
            }
            borrowed.changes = pass.changes;
            used.extend(pass.charging.map(|charging| (charging, pass.used)));
        }
        // Only when all writes were asked for, so that none stands in the way of another. What was cancelled costs too.
        for (charging, units) in used {
            charging.take(&units, TRANSACTION_TIMES);
        }
        let failed = reasons.iter().flatten().find_map(|reason| match reason {
            WriteError::Failed(error) => Some(error.clone()),
            _ => None,
        });
        match (failed, reasons.iter().any(Option::is_some)) {
            (Some(error), _) => Err(error.into()),
            (None, true) => Err(Cancellation::Reasons(reasons)),
            (None, false) => Ok(()),
        }
    }

    /// Writes what is to be changed, and gives the partitions back. After a failure they are not: their workers read them
    /// anew, and give them what they lack of the transaction. Waits for the disk.
    fn commit(
        &self,
        borrowed: Vec<Borrowed>,
        token: &Option<(String, [u8; 32])>,
    ) -> Result<(), Error> {
        let is_changed = |borrowed: &Borrowed| !borrowed.changes.is_empty();
        let (mut changed, unchanged): (Vec<_>, Vec<_>) = borrowed.into_iter().partition(is_changed);
        if token.is_some() || !changed.is_empty() {
            self.write_all(&mut changed, token)?;
            for borrowed in &changed {
                borrowed.part.table.counters.wrote(&borrowed.changes);
            }
        }
        give_back(changed.into_iter().chain(unchanged));
        Ok(())
    }

    /// Appends what is to be changed, and writes it to the index.
    fn write_all(
        &self,
        changed: &mut [Borrowed],
        token: &Option<(String, [u8; 32])>,
    ) -> Result<(), Error> {
        let id = |borrowed: &Borrowed| {
            let partition = &borrowed.lease.partition;
            (partition.table, partition.index)
        };
        let ids: Vec<_> = changed.iter().map(id).collect();
        let since = ids.iter().map(|id| (*id, self.core.env.clock.now()));
        self.core.unsettled.lock().extend(since);
        let appended = wait_for(self.append(changed, token))?;
        let mut batch = Batch::new();
        for (borrowed, appended) in changed.iter_mut().zip(appended) {
            let Lease {
                partition, layout, ..
            } = &mut borrowed.lease;
            partition.expects(&appended, layout)?;
            partition.apply(layout, &borrowed.changes, appended.time, &mut batch);
        }
        self.core.write_now(batch)?;
        self.core.unsettled.lock().retain(|id, _| !ids.contains(id));
        Ok(())
    }

    /// Appends the transaction and the changes with one durable write; where the latter stand.
    async fn append(
        &self,
        changed: &[Borrowed],
        token: &Option<(String, [u8; 32])>,
    ) -> Result<Vec<Appended>, Error> {
        let records = changed
            .iter()
            .map(|borrowed| Records::new(&borrowed.changes, borrowed.lease.layout.keeps_before()));
        let records: Vec<_> = records.collect();
        let participants = changed
            .iter()
            .zip(&records)
            .map(|(borrowed, records)| Participant {
                table: borrowed.lease.partition.table,
                partition: borrowed.lease.partition.index,
                at: borrowed.lease.partition.meta.position,
                records: records.pairs().into(),
            });
        let transacted = Transacted {
            token: token.clone(),
            participants: participants.collect(),
        };
        let value = transacted.encode();
        let first = NewRecord {
            key: &[],
            value: &value,
        };
        let borrowed_records: Vec<_> = records.iter().map(Records::borrow).collect();
        let shards = changed
            .iter()
            .map(|borrowed| borrowed.lease.partition.shard());
        let first = Append {
            shard: transactions(),
            records: &[first],
        };
        let rest = shards
            .zip(&borrowed_records)
            .map(|(shard, records)| Append { shard, records });
        let batch: Vec<_> = std::iter::once(first).chain(rest).collect();
        let mut results = self.core.log.append(&batch).await.into_iter();
        let first = results.next().ok_or(Error::Interrupted)?;
        let first = first.map_err(|error| Error::of_append(error, ""))?;
        // From here on it is done, whatever becomes of the rest.
        if let Some((token, digest)) = token {
            self.tokens.lock().done(token, *digest, first.time);
        }
        let names = changed
            .iter()
            .map(|borrowed| &borrowed.lease.layout.record.name);
        let appended = results.zip(names);
        appended
            .map(|(result, name)| result.map_err(|error| Error::of_append(error, name)))
            .collect()
    }
}
