//! The commitment to a minimum throughput, which holds for all streams together.
//!
//! Nothing is billed here. On AWS it unlocks warm throughput for on-demand streams, and so it does here.

use std::sync::Arc;

use headwater_catalog::{CatalogError, Expect, Versioned};

use crate::{Commitment, Error, Streams};

impl Streams {
    /// The commitment as it is.
    pub async fn commitment(&self) -> Result<Commitment, Error> {
        Ok(self
            .account
            .get()
            .await?
            .map_or_else(Commitment::default, |found| found.value))
    }

    /// Makes the commitment, or ends it as soon as it may end; as it is then.
    pub async fn commit_to_throughput(self: &Arc<Self>, on: bool) -> Result<Commitment, Error> {
        loop {
            let found = self.account.get().await?;
            let (before, expect) = found.map_or(
                (Commitment::default(), Expect::Absent),
                |Versioned { value, version }| (value, Expect::At(version)),
            );
            let after = before.switched(on, self.env.clock.now());
            match self.account.write(&after, expect).await {
                Ok(_) => return Ok(after),
                // Another call was first: the next round sees what it made.
                Err(CatalogError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
