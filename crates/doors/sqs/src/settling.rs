//! Received messages deleted, or left in flight for another time.

use std::time::Duration;

use headwater_messages::{QueueRecord, Receipt, Settle, limits::VISIBILITY_MAX};
use headwater_shapes_sqs::BatchResultErrorEntry;
use headwater_wire::{ApiError, Context};

use crate::{
    Sqs, batch,
    errors::{invalid_handle, invalid_value, missing, receipt},
};

/// What a receiver wants with a message, by its handle.
pub(crate) struct Wanted {
    handle: String,
    visibility: Option<i32>,
}

/// To have a message deleted.
pub(crate) fn deletion(handle: String) -> Wanted {
    Wanted {
        handle,
        visibility: None,
    }
}

/// To have a message in flight for so long.
pub(crate) fn visibility(handle: String, seconds: i32) -> Wanted {
    Wanted {
        handle,
        visibility: Some(seconds),
    }
}

/// A time in flight.
pub(crate) fn visibility_of(seconds: i32) -> Result<Duration, ApiError> {
    let found = u64::try_from(seconds).ok().map(Duration::from_secs);
    let found = found.filter(|found| *found <= VISIBILITY_MAX);
    found.ok_or_else(|| {
        let why = "Must be between 0 and 43200, if provided.";
        invalid_value("VisibilityTimeout", seconds, why)
    })
}

impl Wanted {
    fn read(&self) -> Result<(Receipt, Settle), ApiError> {
        if self.handle.is_empty() {
            return Err(missing("ReceiptHandle"));
        }
        let settle = match self.visibility {
            None => Settle::Delete,
            Some(seconds) => Settle::Visibility(visibility_of(seconds)?),
        };
        let receipt = Receipt::parse(&self.handle);
        let receipt = receipt.ok_or_else(|| invalid_handle(&self.handle))?;
        Ok((receipt, settle))
    }
}

impl Sqs {
    /// Does with one message what is wanted.
    pub(crate) async fn settle_one(
        &self,
        queue: &QueueRecord,
        wanted: Wanted,
        context: &Context,
    ) -> Result<(), ApiError> {
        let settle = vec![wanted.read()?];
        let settled = self.queues.settle(&queue.name, settle).await;
        let settled = settled.map_err(Self::failed(queue, context))?.pop();
        let settled = settled.unwrap_or(Ok(()));
        settled
            .map_err(|error| receipt(error, &wanted.handle, wanted.visibility.unwrap_or_default()))
    }

    /// Does with each message of a batch what is wanted: the ids of those that were done, and those that were not.
    pub(crate) async fn settle_all(
        &self,
        queue: &QueueRecord,
        entries: Vec<(String, Wanted)>,
        context: &Context,
    ) -> Result<(Vec<String>, Vec<BatchResultErrorEntry>), ApiError> {
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        let (mut readable, mut settlements) = (Vec::new(), Vec::new());
        for (id, wanted) in entries {
            match wanted.read() {
                Ok(settlement) => {
                    settlements.push(settlement);
                    readable.push((id, wanted));
                }
                Err(error) => failed.push(batch::failed(id, &error)),
            }
        }
        let settled = match settlements.is_empty() {
            true => Vec::new(),
            false => {
                let settled = self.queues.settle(&queue.name, settlements).await;
                settled.map_err(Self::failed(queue, context))?
            }
        };
        for ((id, wanted), settled) in readable.into_iter().zip(settled) {
            match settled {
                Ok(()) => successful.push(id),
                Err(error) => {
                    let visibility = wanted.visibility.unwrap_or_default();
                    let error = receipt(error, &wanted.handle, visibility);
                    failed.push(batch::failed(id, &error));
                }
            }
        }
        Ok((successful, failed))
    }
}
