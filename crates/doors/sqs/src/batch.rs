//! Batches: their entries' ids checked, and what became of each.

use std::collections::HashSet;

use headwater_shapes_sqs::{BatchResultErrorEntry, errors as shapes};
use headwater_wire::ApiError;

/// Entries of a batch.
const ENTRIES: usize = 10;
/// Characters of an entry's id.
const ID_CHARS: usize = 80;

/// Whether a batch with entries of these ids can be done.
pub(crate) fn check<'a>(
    ids: impl ExactSizeIterator<Item = &'a str>,
    entry: &str,
) -> Result<(), ApiError> {
    let count = ids.len();
    if count == 0 {
        let text = format!("There should be at least one {entry} in the request.");
        return Err(ApiError::of(&shapes::EMPTY_BATCH_REQUEST, text));
    }
    if count > ENTRIES {
        let text =
            format!("Maximum number of entries per request are {ENTRIES}. You have sent {count}.");
        return Err(ApiError::of(
            &shapes::TOO_MANY_ENTRIES_IN_BATCH_REQUEST,
            text,
        ));
    }
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let mut known = HashSet::new();
    for id in ids {
        if id.is_empty() || id.len() > ID_CHARS || !id.chars().all(is_allowed) {
            return Err(ApiError::of(
                &shapes::INVALID_BATCH_ENTRY_ID,
                "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most \
                 80 letters long.",
            ));
        }
        if !known.insert(id) {
            let text = format!("Id {id} repeated.");
            return Err(ApiError::of(&shapes::BATCH_ENTRY_IDS_NOT_DISTINCT, text));
        }
    }
    Ok(())
}

/// The entries of an answer, which leaves a list out that is empty.
pub(crate) fn listed<T>(entries: Vec<T>) -> Option<Vec<T>> {
    (!entries.is_empty()).then_some(entries)
}

/// An entry that could not be done.
pub(crate) fn failed(id: String, error: &ApiError) -> BatchResultErrorEntry {
    BatchResultErrorEntry {
        id,
        sender_fault: error.status() < 500,
        code: error.query_code().to_owned(),
        message: Some(error.message().to_owned()),
    }
}
