//! Changing how the records of a stream find their shards.

use std::sync::Arc;

use headwater_types::StreamName;

use crate::{Distribution, Error, Streams};

impl Streams {
    /// Changes how a stream's records find their shards; those that were put stay where they are.
    pub async fn distribute(
        self: &Arc<Self>,
        name: StreamName,
        distribution: Distribution,
    ) -> Result<(), Error> {
        self.alter(name, move |record, _| {
            record.distribution = distribution;
            record.check_distribution()
        })
        .await
    }
}
