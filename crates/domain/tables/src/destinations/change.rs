//! Destinations enabled, changed and disabled, and their senders started.

use std::sync::Arc;

use headwater_log::ShardNumber;
use headwater_types::Millis;

use super::{DestinationState, Precision, sender::Sender, sending::SenderId};
use crate::{
    Error, Receivers, TableRecord, Tables,
    core::{Table, kept_from},
    keys::progress_shard,
    tables::Inner,
};

/// The shards that say how far the changes of a table's partitions were sent.
pub(crate) fn progress_shards(record: &TableRecord) -> Vec<ShardNumber> {
    let partitions = 0..record.partitions;
    partitions
        .map(|partition| progress_shard(record.number, partition))
        .collect()
}

impl Tables {
    /// Says where changes go that are to be sent, and begins to send them.
    pub fn send_to(&self, receivers: Arc<dyn Receivers>) {
        let inner = &self.inner;
        // Only the first counts: what it has was put there.
        drop(inner.sending.receivers.set(receivers));
        inner.look_at_destinations();
    }

    /// Begins to send a table's changes to a stream: those that are made after it returns, or the destination has failed by
    /// then, which its state says.
    ///
    /// # Errors
    /// [`Error::NoTable`], [`Error::Destination`], or what failed below: then it may be enabled a little later.
    pub async fn enable_destination(
        &self,
        table: &str,
        stream: &str,
        precision: Option<Precision>,
    ) -> Result<TableRecord, Error> {
        let (inner, env) = (self.inner.clone(), &self.inner.core.env);
        let (now, name) = (env.clock.now(), table.to_owned());
        let enable = |record: &mut TableRecord| record.enable_destination(stream, precision, now);
        inner.change(table, enable).await?;
        // Should the caller go away, the keeper goes on.
        inner.look_at_destinations();
        let settling = inner.clone();
        let settle = async move {
            settling
                .settle_destination(&settling.core.table(&name)?)
                .await
        };
        env.to_the_end(settle).await?;
        self.get(table)
    }

    /// Sends no more of a table's changes to a stream than those that were made so far.
    ///
    /// # Errors
    /// [`Error::NoTable`], [`Error::Destination`], or what failed below.
    pub async fn disable_destination(
        &self,
        table: &str,
        stream: &str,
    ) -> Result<TableRecord, Error> {
        let disable = |record: &mut TableRecord| record.disable_destination(stream);
        let record = self.inner.change(table, disable).await?;
        self.inner.look_at_destinations();
        Ok(record)
    }

    /// Changes how exact the times of changes are told that are sent from now on.
    ///
    /// # Errors
    /// [`Error::NoTable`], [`Error::Destination`], or what failed below.
    pub async fn set_precision(
        &self,
        table: &str,
        stream: &str,
        precision: Precision,
    ) -> Result<TableRecord, Error> {
        let set = |record: &mut TableRecord| record.set_precision(stream, precision);
        self.inner.change(table, set).await
    }

    /// Why a table's changes cannot be sent now to the destination that was enabled at `since`, in words; none where they
    /// can.
    pub fn destination_trouble(&self, table: &TableRecord, since: Millis) -> Option<String> {
        self.inner.sending.trouble(table.number, since)
    }
}

impl Inner {
    /// Has the keeper, and those who send, look at all destinations.
    pub fn look_at_destinations(&self) {
        self.todo.lock().streams = true;
        self.wake.send_replace(());
        self.sending.changed.send_replace(());
    }

    /// Enables what a failure left half enabled, and starts the senders that do not run.
    pub async fn keep_destinations(self: &Arc<Self>) -> Result<(), Error> {
        let mut done = Ok(());
        for table in self.core.tables() {
            match self.settle_destination(&table).await {
                Ok(()) | Err(Error::NoTable(_)) => {}
                Err(error) => done = Err(error),
            }
        }
        done
    }

    /// Enables a table's destination where it waits for it, and starts its senders.
    async fn settle_destination(self: &Arc<Self>, table: &Arc<Table>) -> Result<(), Error> {
        let Some(receivers) = self.sending.receivers.get() else {
            return Ok(());
        };
        let layout = table.layout();
        let Some(to) = layout.record.live_destination() else {
            return Ok(());
        };
        if to.state == DestinationState::Enabling {
            let begun = match receivers.check(&to.stream) {
                Ok(()) => (DestinationState::Active, self.begins(table).await?),
                Err(unfit) => (DestinationState::Failed(unfit), Vec::new()),
            };
            self.begin_sending(table, to.since, begun).await?;
        }
        self.start_senders(table, receivers);
        Ok(())
    }

    /// The ends of a table's partitions, all of whose later changes say what items were before.
    async fn begins(self: &Arc<Self>, table: &Arc<Table>) -> Result<Vec<u64>, Error> {
        let layout = table.layout();
        // A worker that was asked once has seen the table with the destination.
        for partition in 0..layout.record.partitions {
            self.lease(table, partition).await?.give_back();
        }
        let one = self.changing.lock().await;
        self.core.table(&layout.record.name)?;
        let (shards, kept) = (progress_shards(&layout.record), kept_from(Millis::ZERO));
        self.core.log.open_shards(&shards, kept).await?;
        drop(one);
        self.ends(table).await
    }

    async fn begin_sending(
        self: &Arc<Self>,
        table: &Table,
        since: Millis,
        (state, begins): (DestinationState, Vec<u64>),
    ) -> Result<(), Error> {
        let name = table.layout().record.name.clone();
        let begin = |record: &mut TableRecord| {
            let mut waiting = record
                .destinations
                .iter_mut()
                .filter(|to| to.since == since && to.state == DestinationState::Enabling);
            if let Some(to) = waiting.next() {
                (to.state, to.begins) = (state, begins.clone());
            }
            Ok::<(), Error>(())
        };
        self.change(&name, begin).await.map(drop)
    }

    /// Starts the senders of a table that are to run and do not.
    fn start_senders(self: &Arc<Self>, table: &Table, receivers: &Arc<dyn Receivers>) {
        let layout = table.layout();
        let live = layout.record.live_destination();
        let Some(to) = live.filter(|to| to.is_sent_to()) else {
            return;
        };
        for partition in 0..layout.record.partitions {
            let id = SenderId {
                table: table.number,
                since: to.since,
                partition,
            };
            if self.sending.begin(id) {
                let sender = Sender::new(self, id, receivers.clone());
                self.core.env.spawn(sender.run());
            }
        }
    }
}
