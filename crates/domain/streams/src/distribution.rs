//! How the records of a stream find their shards.

use std::sync::Arc;

use headwater_types::StreamName;
use serde::{Deserialize, Serialize};

use crate::{Error, StreamRecord, Streams};

/// How the records of a stream find their shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Distribution {
    /// By their partition keys.
    #[default]
    PartitionKey,
    /// To each open shard in its turn, whatever their keys. Only where the stream's shards follow its load.
    Auto,
}

impl Streams {
    /// Changes how a stream's records find their shards; those that were put stay where they are.
    pub async fn distribute(
        self: &Arc<Self>,
        name: StreamName,
        distribution: Distribution,
    ) -> Result<(), Error> {
        self.alter(name, move |record, _| {
            record.distribution = distribution;
            check(record)
        })
        .await
    }
}

/// That a stream's distribution goes with its mode.
pub(crate) fn check(record: &StreamRecord) -> Result<(), Error> {
    if record.distribution == Distribution::Auto && !record.mode.is_on_demand() {
        return Err(Error::AutoNeedsOnDemand(record.name.clone()));
    }
    Ok(())
}
