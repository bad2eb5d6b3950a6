//! The rows of queues in the catalog.

use std::sync::Arc;

use headwater_catalog::{Catalog, Single, Table};
use headwater_types::{Millis, kept};
use serde::{Deserialize, Serialize};

use crate::record::QueueRecord;

/// The rows.
#[derive(Clone)]
pub(crate) struct Store {
    pub catalog: Arc<dyn Catalog>,
    pub queues: Table<QueueRecord>,
    pub checkpoints: Table<Checkpoint>,
    pub next_number: Single<u64>,
}

/// The place from which the state of a queue is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    /// The first change, with which a whole state begins.
    pub offset: u64,
    /// When it was written: changes before that are forgotten.
    pub time: Millis,
}

impl Store {
    pub fn new(catalog: Arc<dyn Catalog>) -> Self {
        Self {
            queues: Table::new(catalog.clone(), kept::Prefix::MessageQueues),
            checkpoints: Table::new(catalog.clone(), kept::Prefix::MessageCheckpoints),
            next_number: Single::new(catalog.clone(), kept::Single::MessageQueueNumber),
            catalog,
        }
    }
}

/// The name of a queue's checkpoint.
pub(crate) fn row(number: u64) -> String {
    format!("{number:020}")
}
