//! The operations, one file each.

mod describe_stream;
mod get_records;
mod get_shard_iterator;
mod list_streams;
#[cfg(test)]
mod tests;

use headwater_wire::ApiError;

use crate::errors::constraint;

/// The number of things on a page, of which there are at most `max`; `wire` has refused those below one.
fn page(limit: Option<i32>, max: i32) -> Result<usize, ApiError> {
    let limit = limit.unwrap_or(max);
    if limit > max {
        let text = format!("Member must have value less than or equal to {max}");
        return Err(constraint("limit", limit, &text));
    }
    Ok(usize::try_from(limit).unwrap_or_default())
}
