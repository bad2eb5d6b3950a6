//! The room for bodies in memory: how much of it is taken, and by whom it is given back.
//!
//! Owns the count. Memory itself is reserved by those who read bodies, and never more than was counted here.

use std::{fmt, sync::Arc};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::{BODY_STEP_BYTES, BODY_WEIGHT};

/// A part of the room for bodies; dropping it gives the part back.
#[derive(Default)]
pub struct Share {
    room: Option<OwnedSemaphorePermit>,
    /// Stands for as much as this body needs.
    last: Option<OwnedSemaphorePermit>,
}

impl Share {
    /// Gives back what is beyond `bytes`.
    pub fn keep(&mut self, bytes: usize) {
        if let Some(room) = &mut self.room {
            let excess = room.num_permits().saturating_sub(kibibytes(bytes) as usize);
            drop(room.split(excess));
        }
    }

    fn add(&mut self, more: OwnedSemaphorePermit) {
        match &mut self.room {
            Some(room) => room.merge(more),
            room => *room = Some(more),
        }
    }
}

/// The bytes that all bodies in memory may take together. Clones share them.
#[derive(Clone)]
pub(crate) struct Room {
    kibibytes: Arc<Semaphore>,
    total: u32,
    /// For one body at a time beyond all room, so that bodies that wait for each other half-read come to an end.
    last: Arc<Semaphore>,
}

impl fmt::Debug for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Room")
            .field("free_kibibytes", &self.kibibytes.available_permits())
            .finish()
    }
}

impl Room {
    /// Room for `total` bytes.
    pub(crate) fn new(total: usize) -> Self {
        let total = kibibytes(total);
        Self {
            kibibytes: Arc::new(Semaphore::new(total as usize)),
            total,
            last: Arc::new(Semaphore::new(1)),
        }
    }

    /// Takes room for `bytes`, or all there is, once it is free.
    pub(crate) async fn take(&self, bytes: usize) -> Share {
        let permits = kibibytes(bytes).min(self.total);
        let room = self.kibibytes.clone().acquire_many_owned(permits).await;
        Share {
            room: Some(room.expect("it is never closed")),
            last: None,
        }
    }

    /// Takes room for one more step of a body once it is free, or all that the body will need.
    pub(crate) async fn grow(&self, share: &mut Share) {
        if share.last.is_some() {
            return;
        }
        tokio::select! {
            biased;
            more = self.kibibytes.clone().acquire_many_owned(self.step()) => {
                share.add(more.expect("it is never closed"));
            }
            last = self.last.clone().acquire_owned() => {
                share.last = Some(last.expect("it is never closed"));
            }
        }
    }

    /// Takes room for one more step of a body if it is free now; whether it was.
    pub(crate) fn try_grow(&self, share: &mut Share) -> bool {
        if share.last.is_some() {
            return true;
        }
        let more = self.kibibytes.clone().try_acquire_many_owned(self.step());
        more.map(|more| share.add(more)).is_ok()
    }

    /// The bytes that are taken, and those that may be.
    pub(crate) fn taken(&self) -> (usize, usize) {
        let total = self.total as usize;
        let taken = total.saturating_sub(self.kibibytes.available_permits());
        (taken << 10, total << 10)
    }

    fn step(&self) -> u32 {
        kibibytes(BODY_STEP_BYTES * BODY_WEIGHT).min(self.total)
    }

    /// The free KiB, and whether the part beyond all room is free.
    #[cfg(test)]
    pub(crate) fn free(&self) -> (usize, bool) {
        (
            self.kibibytes.available_permits(),
            self.last.available_permits() == 1,
        )
    }
}

fn kibibytes(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX)
}
