//! Tags of objects.

use std::collections::BTreeMap;

use headwater_shapes_s3::{Tag, Tagging};
use headwater_wire::{ApiError, TagFault, tag_fault};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::{
    errors::argument,
    limits::{BUCKET_TAGS_MAX, TAGS_MAX},
};

/// The tags in a header: `key1=value1&key2=value2`, escaped as in a query.
pub fn from_header(text: &str) -> Result<BTreeMap<String, String>, ApiError> {
    let malformed = || {
        argument(
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag \
             name duplicates.",
            "x-amz-tagging",
            text,
        )
    };
    let plain = |text: &str| {
        let spaced = text.replace('+', " ");
        percent_decode_str(&spaced)
            .decode_utf8()
            .map(|text| text.into_owned())
            .map_err(|_| malformed())
    };
    let mut tags = BTreeMap::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        // What would have to be escaped is no pair, as AWS sees it.
        if value.contains('=') {
            return Err(malformed());
        }
        if tags.insert(plain(key)?, plain(value)?).is_some() {
            return Err(malformed());
        }
    }
    check(tags)
}

/// The tags of an object in a request's body.
pub fn from_set(tagging: Tagging) -> Result<BTreeMap<String, String>, ApiError> {
    let Tagging { tag_set } = tagging;
    check(unique(tag_set.unwrap_or_default())?)
}

/// The tags of a bucket in a request's body.
pub fn of_bucket(tagging: Tagging) -> Result<BTreeMap<String, String>, ApiError> {
    let Tagging { tag_set } = tagging;
    checked_bucket(
        tag_set.unwrap_or_default(),
        "System tags cannot be added/updated by requester",
    )
}

/// The tags that a bucket is made with.
pub fn of_new_bucket(tags: Vec<Tag>) -> Result<BTreeMap<String, String>, ApiError> {
    checked_bucket(
        tags,
        "User-defined tag keys can't start with \"aws:\". This prefix is reserved for system tags. Remove \"aws:\" \
         from your tag keys and try again.",
    )
}

/// Tags of a bucket that keep its rules; `reserved` is what AWS says of keys of its own.
fn checked_bucket(tags: Vec<Tag>, reserved: &str) -> Result<BTreeMap<String, String>, ApiError> {
    let tags = unique(tags)?;
    if tags.len() > BUCKET_TAGS_MAX {
        return Err(too_many(format!(
            "Bucket tag count cannot be greater than {BUCKET_TAGS_MAX}"
        )));
    }
    check_each(&tags, reserved)?;
    Ok(tags)
}

fn unique(set: Vec<Tag>) -> Result<BTreeMap<String, String>, ApiError> {
    let mut tags = BTreeMap::new();
    for Tag { key, value } in set {
        if tags.contains_key(&key) {
            return Err(
                invalid("Cannot provide multiple Tags with the same key").with("TagKey", key)
            );
        }
        tags.insert(key, value);
    }
    Ok(tags)
}

/// Tags as a header has them.
pub fn to_header(tags: &[(String, String)]) -> String {
    let escaped = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let pair = |(key, value): &(String, String)| format!("{}={}", escaped(key), escaped(value));
    tags.iter().map(pair).collect::<Vec<_>>().join("&")
}

/// The tags for an answer's body.
pub fn to_set(tags: BTreeMap<String, String>) -> Vec<Tag> {
    tags.into_iter()
        .map(|(key, value)| Tag { key, value })
        .collect()
}

fn check(tags: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, ApiError> {
    if tags.len() > TAGS_MAX {
        return Err(too_many(format!(
            "Object tags cannot be greater than {TAGS_MAX}"
        )));
    }
    check_each(&tags, "Your TagKey cannot be prefixed with aws:")?;
    Ok(tags)
}

fn check_each(tags: &BTreeMap<String, String>, reserved: &str) -> Result<(), ApiError> {
    for (key, value) in tags {
        if let Some(fault) = tag_fault(key, value) {
            return Err(refused(fault, key, value, reserved));
        }
    }
    Ok(())
}

fn too_many(text: String) -> ApiError {
    ApiError::new(400, "BadRequest", text)
}

fn refused(fault: TagFault, key: &str, value: &str, reserved: &str) -> ApiError {
    let refused = match fault {
        TagFault::Reserved => invalid(reserved),
        TagFault::Key => invalid("The TagKey you have provided is invalid"),
        TagFault::Value => {
            invalid("The TagValue you have provided is invalid").with("TagValue", value)
        }
    };
    refused.with("TagKey", key)
}

fn invalid(message: &str) -> ApiError {
    ApiError::new(400, "InvalidTag", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_as_a_query() {
        let tags = from_header("a=1&b+c=x%2Fy&d").unwrap();
        let expected = [("a", "1"), ("b c", "x/y"), ("d", "")];
        assert_eq!(
            tags,
            expected.map(|(k, v)| (k.to_owned(), v.to_owned())).into()
        );
        for malformed in ["a=1&a=2", "key1=val1,key2=val2"] {
            let refused = from_header(malformed).unwrap_err();
            assert_eq!(refused.code(), "InvalidArgument");
        }
        assert_eq!(from_header("a=%ff").unwrap_err().code(), "InvalidArgument");
    }

    #[test]
    fn tags_keep_the_rules_of_aws() {
        assert_eq!(from_header("aws%3Ax=1").unwrap_err().code(), "InvalidTag");
        assert_eq!(from_header("a,b=1").unwrap_err().fields()["TagKey"], "a,b");
        assert_eq!(
            from_header(&format!("a={}", "x".repeat(257)))
                .unwrap_err()
                .code(),
            "InvalidTag"
        );
        let many: Vec<_> = (0..11).map(|i| format!("k{i}=v")).collect();
        assert!(
            from_header(&many.join("&"))
                .unwrap_err()
                .message()
                .contains("greater than 10")
        );
        let tag = || Tag {
            key: "k".into(),
            value: "v".into(),
        };
        let twice = Tagging {
            tag_set: Some(vec![tag(), tag()]),
        };
        assert_eq!(from_set(twice).unwrap_err().fields()["TagKey"], "k");
    }
}
