//! Where a reader begins.

use headwater_log::{Source, SourceError};
use headwater_types::Millis;
use serde::{Deserialize, Serialize};

/// Where in its source a reader begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// With what comes after its creation.
    Latest,
    /// With the oldest record there is.
    TrimHorizon,
    /// With the first record that arrives at this time or later.
    Time(Millis),
}

/// The first offset of each shard for a reader that begins at `start`; shards that are not named begin with 0, like all
/// that are made later.
pub async fn first_positions(
    source: &dyn Source,
    start: Start,
) -> Result<Vec<(String, u64)>, SourceError> {
    let mut positions = Vec::new();
    for shard in source.shards().await? {
        let next = match start {
            Start::Latest => shard.end,
            // Records that had expired by then are none that the reader misses.
            Start::TrimHorizon => shard.first,
            Start::Time(time) => source.offset_at(&shard.id, time).await?,
        };
        if next > 0 {
            positions.push((shard.id, next));
        }
    }
    Ok(positions)
}
