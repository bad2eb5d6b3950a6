//! The readers of a stream beside its registered consumers: the business of other domains, of which only the number
//! matters here.

use async_trait::async_trait;
use headwater_catalog::{CatalogError, Checked};
use headwater_types::StreamName;

/// Counts the readers of streams that take up places of consumers: queues.
#[async_trait]
pub trait OtherReaders: Send + Sync {
    /// How many there are of `stream`, with the checks that fail a commit where there are others by then.
    async fn count(&self, stream: &StreamName) -> Result<Checked<usize>, CatalogError>;
}

/// Streams without other readers.
pub struct NoOtherReaders;

#[async_trait]
impl OtherReaders for NoOtherReaders {
    async fn count(&self, _: &StreamName) -> Result<Checked<usize>, CatalogError> {
        Ok(Checked::new(0, Vec::new()))
    }
}
