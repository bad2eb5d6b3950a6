//! The records of an intent that its source still has.

use crate::{
    intent::Range,
    limits::READ_BYTES_MAX,
    ports::{Source, SourceError, SourceLimit},
};

/// The part of each range whose records have not expired; nothing of a range that has gone whole.
pub async fn left_of(source: &dyn Source, ranges: &[Range]) -> Result<Vec<Range>, SourceError> {
    let mut left = Vec::with_capacity(ranges.len());
    for range in ranges {
        let from = first_left(source, range).await?;
        if from < range.to {
            let range = range.clone();
            left.push(Range { from, ..range });
        }
    }
    Ok(left)
}

/// The first offset of a range that can still be read. Asked by reading, since nothing else is sure to agree with the
/// reads that follow.
async fn first_left(source: &dyn Source, range: &Range) -> Result<u64, SourceError> {
    let limit = SourceLimit {
        records: 1,
        bytes: READ_BYTES_MAX,
    };
    match source.read(&range.shard, range.from, limit).await {
        Ok(chunk) => {
            let first = chunk
                .records
                .first()
                .map_or(chunk.next, |first| first.offset);
            Ok(first.max(range.from))
        }
        Err(SourceError::NotFound(_)) => Ok(range.to),
        Err(error) => Err(error),
    }
}
