//! A destination beside the bucket: items in chunks of its size, one after the other.

use std::sync::Arc;

use async_trait::async_trait;

use super::{errors::Errors, outlet::Outlet};
use crate::{
    intent::{ExecuteError, Ledger},
    records::Item,
    sinks::{Chunk, Sink},
};

/// Cuts items into chunks and delivers these in order, so that the same items make the same chunks with the same ids.
pub struct Chunks {
    sink: Arc<dyn Sink>,
    /// The intent's.
    id: String,
    delivered: u64,
    open: Vec<Item>,
    open_bytes: usize,
}

impl Chunks {
    /// Chunks of the batch `id`.
    pub fn new(sink: Arc<dyn Sink>, id: &str) -> Self {
        Self {
            sink,
            id: id.to_owned(),
            delivered: 0,
            open: Vec::new(),
            open_bytes: 0,
        }
    }

    async fn deliver(&mut self, errors: &mut Errors<'_>) -> Result<(), ExecuteError> {
        let items = std::mem::take(&mut self.open);
        self.open_bytes = 0;
        if items.is_empty() {
            return Ok(());
        }
        let id = format!("{}-{}", self.id, self.delivered);
        self.delivered += 1;
        let rejected = self.sink.deliver(Chunk { id, items }).await;
        Ok(errors.take(rejected).await?)
    }
}

#[async_trait]
impl Outlet for Chunks {
    /// Delivers all that it took: what waits for more would wait with a share of everybody's memory.
    async fn take(
        &mut self,
        items: Vec<Item>,
        errors: &mut Errors<'_>,
    ) -> Result<(), ExecuteError> {
        let limit = self.sink.limit();
        for item in items {
            let is_full =
                self.open.len() == limit.records || self.open_bytes + item.data.len() > limit.bytes;
            if is_full {
                self.deliver(errors).await?;
            }
            self.open_bytes += item.data.len();
            self.open.push(item);
        }
        self.deliver(errors).await
    }

    async fn finish(
        self: Box<Self>,
        _ledger: &mut Ledger<'_>,
        _errors: &mut Errors<'_>,
    ) -> Result<Vec<String>, ExecuteError> {
        Ok(Vec::new())
    }
}
