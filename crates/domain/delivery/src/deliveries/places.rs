//! Places of deliveries at the streams that they read: how many a stream has, and how many it may have.
//!
//! The count of a stream's deliveries has a row that every creation and deletion writes, where the stream depends on them:
//! then no two of them, and no deletion of the stream, go by the same count.

use std::collections::BTreeMap;

use async_trait::async_trait;
use headwater_catalog::{CatalogError, Change, Checked};
use headwater_types::Arn;

use super::{Deliveries, error::DeliveryError};
use crate::{config::NewOrigin, ports::SourceError};

/// Says how many deliveries may read a stream.
#[async_trait]
pub trait Places: Send + Sync {
    /// How many may read `stream`, with the checks that fail a commit where it is otherwise by then.
    async fn of(&self, stream: &Arn) -> Result<Checked<usize>, SourceError>;
}

/// As many as one likes, of streams that do not mind.
pub(super) struct Unbounded;

#[async_trait]
impl Places for Unbounded {
    async fn of(&self, _: &Arn) -> Result<Checked<usize>, SourceError> {
        Ok(Checked::new(usize::MAX, Vec::new()))
    }
}

impl Deliveries {
    /// How many deliveries read a stream, with the checks that fail a commit where there are others by then. None are
    /// counted but channels.
    pub async fn count(&self, stream: &Arn) -> Result<Checked<usize>, CatalogError> {
        match &self.store.of_stream {
            Some(counts) => counts.checked(&stream.to_string()).await,
            None => Ok(Checked::new(0, Vec::new())),
        }
    }

    /// The changes by which one more delivery takes its place, where there is one.
    pub(super) async fn take_place(
        &self,
        origin: &NewOrigin,
        places: &dyn Places,
    ) -> Result<Vec<Change>, DeliveryError> {
        let NewOrigin::Stream { arn, .. } = origin else {
            return Ok(Vec::new());
        };
        let most = places.of(arn).await?;
        let mut changes = most.checks;
        if let Some(counts) = &self.store.of_stream {
            let count = counts.get(&arn.to_string()).await?;
            if count.value >= most.value {
                return Err(DeliveryError::NoPlace(arn.to_string()));
            }
            changes.push(counts.set(&count, count.value + 1));
        }
        Ok(changes)
    }

    /// Writes the counts where they are not as the deliveries are: data of a release without counts.
    pub(super) async fn recount(&self) -> Result<(), CatalogError> {
        let Some(counts) = &self.store.of_stream else {
            return Ok(());
        };
        let mut by_stream = BTreeMap::<_, usize>::new();
        for (_, found) in self.store.streams.all().await? {
            if let Some(read) = found.value.origin.stream() {
                *by_stream.entry(read.to_string()).or_default() += 1;
            }
        }
        for (stream, deliveries) in by_stream {
            let count = counts.get(&stream).await?;
            if count.value != deliveries {
                let change = counts.set(&count, deliveries);
                self.store.commit(vec![change]).await?;
            }
        }
        Ok(())
    }
}
