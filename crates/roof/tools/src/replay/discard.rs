//! A stream that takes everything and keeps nothing: what a dry run sends to.

use async_trait::async_trait;
use headwater_client::CallError;
use headwater_producer::{Entry, Page, Placed, Position, Refused, Shard, Stream};
use headwater_types::HashRange;

const SHARD: &str = "shardId-000000000000";

/// A stream of one shard.
pub struct DiscardStream;

#[async_trait]
impl Stream for DiscardStream {
    async fn put(&self, entries: &[Entry]) -> Result<Vec<Result<Placed, Refused>>, CallError> {
        let placed = || Placed {
            shard_id: SHARD.to_owned(),
            sequence_number: "0".to_owned(),
        };
        Ok(entries.iter().map(|_| Ok(placed())).collect())
    }

    async fn shards(&self) -> Result<Vec<Shard>, CallError> {
        let range = HashRange::ALL;
        Ok(vec![Shard {
            id: SHARD.to_owned(),
            range,
            open: true,
        }])
    }

    async fn iterator(&self, shard_id: &str, _from: &Position) -> Result<String, CallError> {
        Ok(shard_id.to_owned())
    }

    async fn read(&self, _iterator: &str) -> Result<Page, CallError> {
        Ok(Page {
            at_tip: true,
            ..Page::default()
        })
    }
}
