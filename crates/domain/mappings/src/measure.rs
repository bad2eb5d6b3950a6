//! How far a batch goes: measured on what is read, of which nothing is kept.

use std::time::Duration;

use headwater_env::Clock;
use headwater_log::{SourceChunk, SourceRecord};

use crate::{
    form::Form,
    limits::{EVENT_BYTES_MAX, PASSED_OVER_MAX},
    window::Window,
};

/// How far a batch goes.
#[derive(Debug)]
pub(crate) struct Measured {
    /// One past its last offset.
    pub to: u64,
    /// Its records.
    pub records: usize,
    /// The window that its records are in, or that is open.
    pub window: Option<Window>,
    /// Why it goes no further.
    pub reach: Reach,
    /// Where it has to end.
    until: u64,
    form: Form,
    bytes: usize,
    /// When its first record was read.
    began: Option<Duration>,
}

/// Why a batch goes no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// It may go further.
    Open,
    /// It is full.
    Full,
    /// The next record is in a later window, or the window's time is over.
    WindowOver,
    /// There is nothing behind it, and nothing will be.
    ShardEnd,
}

impl Measured {
    /// An empty batch at `from` that ends before `until`, in the window that is open.
    pub fn from(form: Form, from: u64, until: Option<u64>, window: Option<Window>) -> Self {
        Self {
            to: from,
            records: 0,
            window,
            reach: Reach::Open,
            until: until.unwrap_or(u64::MAX),
            form,
            bytes: 0,
            began: None,
        }
    }

    /// Adds the records of a chunk that `is_mine` says are for this batch, until it is full.
    pub fn take(
        &mut self,
        chunk: &SourceChunk,
        batch_size: usize,
        tumbling: Option<Duration>,
        now: Duration,
        is_mine: impl Fn(&SourceRecord) -> bool,
    ) {
        for record in &chunk.records {
            if record.offset >= self.until {
                break;
            }
            if tumbling.is_some()
                && self
                    .window
                    .as_ref()
                    .is_some_and(|open| !open.has(record.arrival))
            {
                self.reach = Reach::WindowOver;
                return;
            }
            if is_mine(record) {
                let bytes = self.bytes + self.form.event_bytes(record);
                if bytes > EVENT_BYTES_MAX && self.records > 0 {
                    self.reach = Reach::Full;
                    return;
                }
                if let (None, Some(length)) = (&self.window, tumbling) {
                    self.window = Some(Window::around(record.arrival, length));
                }
                self.bytes = bytes;
                self.records += 1;
                self.began.get_or_insert(now);
            }
            self.to = self.to.max(record.offset + 1);
            if self.records >= batch_size {
                self.reach = Reach::Full;
                return;
            }
        }
        self.to = self.to.max(chunk.next).min(self.until);
        if self.to == self.until {
            self.reach = Reach::Full;
        }
    }

    /// Whether so much was passed over that it is time to write that down.
    pub fn is_long(&self, from: u64) -> bool {
        self.to.saturating_sub(from) >= PASSED_OVER_MAX
    }

    /// How long it may wait for more records; nothing while it has none.
    pub fn due_in(&self, window: Duration, clock: &dyn Clock) -> Option<Duration> {
        let began = self.began?;
        Some((began + window).saturating_sub(clock.elapsed()))
    }
}
