//! The memory that deliveries work in, bounded for the whole process however many there are.
//!
//! There is room for records on their way and room for files of rows, which cannot be written piece by piece. An
//! execution that needs both takes that for a file first: so what holds room for records never waits for anybody but
//! its own destination. Not counted are requests to functions and what their answers hold more than was sent, at most
//! [`INVOKE_BYTES_MAX`](crate::limits::INVOKE_BYTES_MAX) each, and what compressors and the store's client hold.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::{FILES_KIB_MAX, READ_BYTES_MAX, SINK_WORK_KIB_MAX, WORK_KIB_MAX};

/// Room that may be taken, in KiB.
#[derive(Debug, Clone)]
pub struct Budget {
    records: Pool,
    files: Pool,
}

/// How much of a kind of room is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InUse {
    /// The things that it is for.
    pub what: &'static str,
    /// Bytes that are taken.
    pub bytes: u64,
    /// Bytes that there are.
    pub of: u64,
}

#[derive(Debug, Clone)]
struct Pool {
    kib: usize,
    free: Arc<Semaphore>,
}

/// Room that is held until it is dropped.
pub struct Reservation(OwnedSemaphorePermit);

impl Default for Budget {
    fn default() -> Self {
        Self {
            records: Pool::of(WORK_KIB_MAX),
            files: Pool::of(FILES_KIB_MAX),
        }
    }
}

impl Budget {
    /// The same, with room for records of its own, for whom a destination may keep waiting for hours.
    pub fn with_own_records(&self) -> Self {
        Self {
            records: Pool::of(SINK_WORK_KIB_MAX),
            ..self.clone()
        }
    }

    /// How much of it is taken: the room for records that streams share, and that for files.
    pub fn in_use(&self) -> [InUse; 2] {
        [("records", &self.records), ("files", &self.files)].map(|(what, pool)| InUse {
            what,
            bytes: (pool.kib.saturating_sub(pool.free.available_permits()) as u64) << 10,
            of: (pool.kib as u64) << 10,
        })
    }

    /// Room for so many bytes of records, and for what is read at once.
    pub async fn records(&self, bytes: usize) -> Reservation {
        self.records.take(bytes + READ_BYTES_MAX).await
    }

    /// Room for a file that is written from so many bytes.
    pub async fn file(&self, bytes: usize) -> Reservation {
        self.files.take(bytes).await
    }
}

impl Pool {
    fn of(kib: usize) -> Self {
        Self {
            kib,
            free: Arc::new(Semaphore::new(kib)),
        }
    }

    /// A request for more than there is takes all of it.
    async fn take(&self, bytes: usize) -> Reservation {
        let kib = (bytes / 1024).clamp(1, self.kib);
        let kib = u32::try_from(kib).expect("a budget is a small number");
        Reservation(
            self.free
                .clone()
                .acquire_many_owned(kib)
                .await
                .expect("it is never closed"),
        )
    }
}

impl Reservation {
    /// Gives back what so many bytes of records do not need.
    pub fn keep(&mut self, bytes: usize) {
        let excess = self
            .0
            .num_permits()
            .saturating_sub((bytes + READ_BYTES_MAX) / 1024);
        drop(self.0.split(excess));
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const MIB: usize = 1024 * 1024;

    #[tokio::test]
    async fn room_that_is_not_needed_is_there_for_others() {
        let budget = Budget::default();
        let all = WORK_KIB_MAX * 1024 - READ_BYTES_MAX;
        let mut room = budget.records(2 * all).await;
        assert!(budget.records(0).now_or_never().is_none());
        room.keep(all - READ_BYTES_MAX);
        let other = budget
            .records(0)
            .now_or_never()
            .expect("there is as much as is read at once");
        assert!(budget.records(0).now_or_never().is_none());
        let [records, files] = budget.in_use();
        assert_eq!(
            (records.what, files.what, files.bytes),
            ("records", "files", 0)
        );
        assert_eq!(records.bytes, records.of);
        drop((room, other));
        assert!(budget.records(all).now_or_never().is_some());
    }

    #[tokio::test]
    async fn a_stream_with_a_room_of_its_own_is_not_kept_waiting_but_shares_that_for_files() {
        let budget = Budget::default();
        let own = budget.with_own_records();
        let (_records, _file) = (
            budget.records(WORK_KIB_MAX * 1024).await,
            budget.file(FILES_KIB_MAX * 1024).await,
        );
        assert!(
            own.records(MIB).now_or_never().is_some() && own.file(MIB).now_or_never().is_none()
        );
    }
}
