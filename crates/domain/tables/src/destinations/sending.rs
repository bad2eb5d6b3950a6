//! What senders say of themselves, for those who keep change logs and those who ask how it goes.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::{Arc, OnceLock},
    time::Duration,
};

use headwater_env::Clock;
use headwater_types::Millis;
use parking_lot::Mutex;
use tokio::sync::{Semaphore, watch};

use crate::{
    Receivers, TableRecord,
    limits::{SENDERS_AT_ONCE, UNSENT_KEPT},
};

/// The sender of one partition to one destination: table, when that was enabled, partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SenderId {
    pub table: u64,
    pub since: Millis,
    pub partition: u16,
}

/// What a sender says of itself.
#[derive(Debug, Default)]
pub(crate) struct Status {
    /// All changes from before this time were sent.
    pub unsent: Millis,
    /// Why nothing can be sent, in words.
    pub trouble: Option<String>,
    /// All was sent that was made before the destination was disabled.
    pub is_done: bool,
}

/// All senders.
pub(crate) struct Sending {
    /// Where changes go. Until it is known, nothing is sent.
    pub receivers: OnceLock<Arc<dyn Receivers>>,
    /// When the tables were opened.
    began: Duration,
    /// Told when destinations or tables were changed, and when all is closed.
    pub changed: watch::Sender<()>,
    /// The turns of those that hold changes in memory.
    pub turns: Semaphore,
    /// The senders that run.
    pub running: Mutex<BTreeMap<SenderId, Status>>,
}

impl Sending {
    /// No senders yet.
    pub fn new(clock: &dyn Clock) -> Self {
        Self {
            began: clock.elapsed(),
            receivers: OnceLock::new(),
            changed: watch::Sender::new(()),
            turns: Semaphore::new(SENDERS_AT_ONCE),
            running: Mutex::default(),
        }
    }

    /// The time before which the changes of a partition are not to be sent any more; the end of time where its table
    /// sends to nobody.
    pub fn unsent_since(&self, record: &TableRecord, partition: u16, clock: &dyn Clock) -> Millis {
        let Some(to) = record.live_destination() else {
            return Millis(u64::MAX);
        };
        let id = SenderId {
            table: record.number,
            since: to.since,
            partition,
        };
        let running = self.running.lock();
        let unsent = running.get(&id).map(|status| status.unsent);
        // What is owed from before a long stop is not forgotten before it could be sent.
        let is_late = clock.elapsed() >= self.began + UNSENT_KEPT;
        let kept = is_late.then(|| clock.now().minus(UNSENT_KEPT));
        unsent.unwrap_or_default().max(kept.unwrap_or_default())
    }

    /// Notes that a sender is to run; whether it does not already.
    pub fn begin(&self, id: SenderId) -> bool {
        match self.running.lock().entry(id) {
            Entry::Vacant(new) => {
                new.insert(Status::default());
                true
            }
            Entry::Occupied(_) => false,
        }
    }

    /// Why the changes of a table cannot be sent to a destination, if a sender of it says so.
    pub fn trouble(&self, table: u64, since: Millis) -> Option<String> {
        let running = self.running.lock();
        let mut senders = of_destination(&running, table, since);
        senders.find_map(|(_, status)| status.trouble.clone())
    }

    /// Whether all senders to a destination are done, which are so many.
    pub fn are_done(&self, table: u64, since: Millis, partitions: u16) -> bool {
        let running = self.running.lock();
        let done = of_destination(&running, table, since).filter(|(_, status)| status.is_done);
        done.count() >= usize::from(partitions)
    }
}

fn of_destination(
    running: &BTreeMap<SenderId, Status>,
    table: u64,
    since: Millis,
) -> impl Iterator<Item = (&SenderId, &Status)> {
    let id = |partition| SenderId {
        table,
        since,
        partition,
    };
    running.range(id(0)..=id(u16::MAX))
}
