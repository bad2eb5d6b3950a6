//! Tags, as requests name them.

use std::collections::BTreeMap;

use headwater_shapes_cloudwatch::Tag;
use headwater_wire::{ApiError, RESERVED_TAG, TagFault, tag_fault};

use crate::errors::invalid;

/// Tags that may be set.
pub(crate) fn read(tags: Vec<Tag>) -> Result<BTreeMap<String, String>, ApiError> {
    let mut read = BTreeMap::new();
    for Tag { key, value } in tags {
        match tag_fault(&key, &value) {
            None => {}
            Some(TagFault::Reserved) => return Err(invalid(RESERVED_TAG)),
            Some(TagFault::Key) => {
                return Err(invalid(format!(
                    "The value {key} for parameter Key is invalid."
                )));
            }
            Some(TagFault::Value) => {
                return Err(invalid(format!(
                    "The value {value} for parameter Value is invalid."
                )));
            }
        }
        if read.insert(key, value).is_some() {
            return Err(invalid("Duplicated tag keys are not allowed."));
        }
    }
    Ok(read)
}

/// Tags as answers have them.
pub(crate) fn shown(tags: BTreeMap<String, String>) -> Vec<Tag> {
    let tags = tags.into_iter();
    tags.map(|(key, value)| Tag { key, value }).collect()
}
