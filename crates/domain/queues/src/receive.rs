//! A receive as it is asked for, and a record as it is received.

use std::time::Duration;

use headwater_log::SourceRecord;
use headwater_types::Millis;

use crate::{Kind, Receipt};

/// A receive, as its caller asks for it.
#[derive(Debug, Clone, Copy)]
pub struct Receive {
    /// Records or dead letters.
    pub kind: Kind,
    /// How many at the most.
    pub limit: usize,
    /// How long they are in flight, where not as long as the queue says.
    pub visibility: Option<Duration>,
    /// How long to wait for the first.
    pub wait: Duration,
}

/// A record as it was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// For this receive.
    pub receipt: Receipt,
    /// The record in the stream.
    pub record: SourceRecord,
    /// When it was received first.
    pub first: Millis,
    /// How often it was received, this time included.
    pub receives: u32,
}
