//! Tags of queues.

use headwater_messages::Tags;
use headwater_wire::{ApiError, RESERVED_TAG, TagFault, tag_fault};

use crate::errors::{invalid_parameter, invalid_value};

/// Whether a queue can have these tags.
pub(crate) fn check(tags: &Tags) -> Result<(), ApiError> {
    for (key, value) in tags {
        match tag_fault(key, value) {
            None => {}
            Some(TagFault::Reserved) => return Err(invalid_parameter(RESERVED_TAG)),
            Some(TagFault::Key) => {
                return Err(invalid_value("TagKey", key, "Not a valid tag key."));
            }
            Some(TagFault::Value) => {
                return Err(invalid_value("TagValue", value, "Not a valid tag value."));
            }
        }
    }
    Ok(())
}
