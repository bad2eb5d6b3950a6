//! Tags as the API writes them, into the domain's and back.

use std::collections::BTreeMap;

use headwater_shapes_firehose::Tag;
use headwater_wire::ApiError;

use crate::errors::invalid_argument;

/// The tags of a request; of several with one key the last one counts, as on AWS.
pub(crate) fn of_request(tags: Vec<Tag>) -> Result<BTreeMap<String, String>, ApiError> {
    let pair = |Tag { key, value }: Tag| match value {
        Some(value) => Ok((key, value)),
        None => Err(invalid_argument(format!("The tag {key} has no value."))),
    };
    tags.into_iter().map(pair).collect()
}
