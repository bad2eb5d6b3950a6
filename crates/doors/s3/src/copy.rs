//! The source of CopyObject and UploadPartCopy.

use headwater_objects::{ByteRange, Get, ObjectError, ObjectName, ReadConditions};
use headwater_shapes::Timestamp;
use headwater_wire::ApiError;
use percent_encoding::percent_decode_str;

use crate::{
    errors::{api, argument, invalid_request, precondition_failed},
    times::millis,
};

/// The names on the wire of the members that say what to copy.
pub const MEMBERS: [&str; 5] = [
    "x-amz-copy-source",
    "x-amz-copy-source-if-match",
    "x-amz-copy-source-if-none-match",
    "x-amz-copy-source-if-modified-since",
    "x-amz-copy-source-if-unmodified-since",
];

/// The read that the members of a request ask for.
macro_rules! source {
    ($input:expr) => {
        $crate::copy::read_source(
            &$input.copy_source,
            headwater_objects::ReadConditions {
                if_match: $input.copy_source_if_match.clone(),
                if_none_match: $input.copy_source_if_none_match.clone(),
                ..$crate::copy::times(
                    $input.copy_source_if_modified_since,
                    $input.copy_source_if_unmodified_since,
                )
            },
        )
    };
}

pub(crate) use source;

/// The conditions on times.
pub fn times(
    modified_since: Option<Timestamp>,
    unmodified_since: Option<Timestamp>,
) -> ReadConditions {
    ReadConditions {
        modified_since: modified_since.map(millis),
        unmodified_since: unmodified_since.map(millis),
        ..ReadConditions::default()
    }
}

/// The read of the object that `text` names: `bucket/key`, escaped, with or without a slash before.
pub fn read_source(text: &str, conditions: ReadConditions) -> Result<Get, ApiError> {
    let invalid = || {
        argument(
            "Invalid copy source object key",
            "x-amz-copy-source",
            "x-amz-copy-source",
        )
    };
    let (path, version) = match text.split_once("?versionId=") {
        Some((path, version)) => (path, Some(version)),
        None => (text, None),
    };
    if path.starts_with("arn:") {
        return Err(crate::settings::unsupported(
            "x-amz-copy-source with an access point",
        ));
    }
    // A plus is a blank here, as in a query, and not what it is in the path of a request.
    let path = path.replace('+', " ");
    let path = percent_decode_str(&path)
        .decode_utf8()
        .map_err(|_| invalid())?;
    let (bucket, key) = path
        .strip_prefix('/')
        .unwrap_or(&path)
        .split_once('/')
        .ok_or_else(invalid)?;
    if key.is_empty() {
        return Err(invalid());
    }
    let name = ObjectName::parse(bucket, key).map_err(api)?;
    Ok(Get {
        version: version.map(str::to_owned),
        conditions,
        ..Get::new(name)
    })
}

/// The error of a copy whose source could not be read: its conditions have names of their own, and there is no 304.
pub fn error(error: ObjectError, conditions: &ReadConditions) -> ApiError {
    let condition = match error {
        ObjectError::DeleteMarker { .. } => {
            return invalid_request(
                "The source of a copy request may not specifically refer to a delete marker by version id.",
            );
        }
        ObjectError::PreconditionFailed(condition) => condition,
        ObjectError::NotModified { .. } if conditions.if_none_match.is_some() => "If-None-Match",
        ObjectError::NotModified { .. } => "If-Modified-Since",
        error => return api(error),
    };
    precondition_failed(&format!("x-amz-copy-source-{condition}"))
}

/// The range of a source: unlike a range that is read, it must be exact.
pub fn range(text: &str, size: u64) -> Result<ByteRange, ApiError> {
    const NAME: &str = "x-amz-copy-source-range";
    let number = |text: &str| text.parse::<u64>().ok().filter(|_| !text.starts_with('+'));
    let bounds = text
        .strip_prefix("bytes=")
        .and_then(|bounds| bounds.split_once('-'));
    let bounds = bounds.and_then(|(first, last)| Some((number(first)?, number(last)?)));
    match bounds {
        Some((first, last)) if first <= last && last < size => Ok(ByteRange::Between(first, last)),
        Some((first, last)) if first <= last && first >= size => Err(invalid_request(
            "The specified copy range is invalid for the source object size",
        )),
        Some((first, last)) if first <= last => {
            let message = format!("Range specified is not valid for source object of size: {size}");
            Err(argument(message, NAME, text))
        }
        _ => Err(argument(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the \
             zero-based offsets of the first and last bytes to copy",
            NAME,
            text,
        )),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(text: &str) -> Result<ObjectName, ApiError> {
        read_source(text, ReadConditions::default()).map(|get| get.name)
    }

    #[test]
    fn a_source_is_a_bucket_and_an_escaped_key() {
        let expected = ObjectName::parse("bucket", "a b/c").unwrap();
        for text in [
            "bucket/a%20b/c",
            "/bucket/a b/c",
            "bucket/a%20b/c?versionId=null",
            "bucket%2Fa%20b%2Fc",
            "bucket/a+b/c",
        ] {
            assert_eq!(name(text).unwrap(), expected, "{text}");
        }
        let version = read_source("bucket/k?versionId=v7", ReadConditions::default());
        assert_eq!(version.unwrap().version.as_deref(), Some("v7"));
        let plus = ObjectName::parse("bucket", "a+b").unwrap();
        assert_eq!(name("bucket/a%2Bb").unwrap(), plus);
        for text in ["bucket", "bucket/", "bucket/%ff", ""] {
            assert_eq!(name(text).unwrap_err().code(), "InvalidArgument", "{text}");
        }
    }

    #[test]
    fn a_range_of_a_source_lies_within_it() {
        let beyond = range("bytes=10-20", 10).unwrap_err();
        assert_eq!(beyond.code(), "InvalidRequest");
        assert_eq!(range("bytes=0-9", 10).unwrap(), ByteRange::Between(0, 9));
        for text in [
            "bytes=0-10",
            "0-8",
            "bytes=5-",
            "bytes=-5",
            "bytes=9-8",
            "bytes=0-1,2-3",
        ] {
            assert_eq!(
                range(text, 10).unwrap_err().code(),
                "InvalidArgument",
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn arbitrary_sources_never_panic(text in ".*") {
            let _ = name(&text);
            let _ = range(&text, 10);
        }
    }
}
