//! Versions as answers tell them.

use headwater_objects::{NULL_VERSION, ObjectError, ObjectInfo};
use headwater_wire::ApiError;

use crate::errors::{api, not_for_markers};

/// The version of an object that was put. One without an id is not told, unlike where it is read or copied.
pub fn of_put(written: &ObjectInfo) -> Option<String> {
    named(written)
}

/// The version that was copied; not told either where it has no id.
pub fn of_source(source: &ObjectInfo) -> Option<String> {
    named(source)
}

fn named(object: &ObjectInfo) -> Option<String> {
    let version = object.version.clone();
    version.filter(|version| version != NULL_VERSION)
}

/// The error of a request about tags: a delete marker has none, whether it was named or is the latest version.
pub fn of_tags(method: &str) -> impl Fn(ObjectError) -> ApiError {
    move |error| match error {
        ObjectError::Deleted { version, .. } | ObjectError::DeleteMarker { version, .. } => {
            not_for_markers(method)
                .with("header:x-amz-delete-marker", "true")
                .with("header:x-amz-version-id", version)
        }
        error => api(error),
    }
}
