//! Parts that all listings have: limits of pages, places to go on, encoded keys, owners.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use headwater_objects::{BucketName, Listing, ObjectInfo, ObjectQuery};
use headwater_shapes_s3::{CommonPrefix, Object, Owner};
use headwater_wire::{ApiError, Context};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    errors::{argument, coverage_name, quoted},
    limits::MAX_KEYS,
    storage_class,
    times::timestamp,
};

/// The characters that a URL does not carry as they are; S3 leaves the slash alone.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'/');

/// The same with the slash.
const WHOLLY_ESCAPED: &AsciiSet = &ESCAPED.add(b'/');

/// How keys are written in an answer.
#[derive(Clone, Copy)]
pub struct Encoding(bool);

impl Encoding {
    /// The encoding that a request asks for.
    pub fn asked(name: Option<&str>) -> Result<Self, ApiError> {
        match name {
            None => Ok(Self(false)),
            Some("url") => Ok(Self(true)),
            Some(other) => Err(argument(
                "Invalid Encoding Method specified in Request",
                "encoding-type",
                other,
            )),
        }
    }

    /// As in a URL.
    pub const URL: Self = Self(true);

    /// A key, prefix, delimiter or marker.
    pub fn text(self, text: &str) -> String {
        if self.0 {
            utf8_percent_encode(text, ESCAPED).to_string()
        } else {
            text.to_owned()
        }
    }

    /// The encoding's name, for the answer.
    pub fn name(self) -> Option<String> {
        self.0.then(|| "url".to_owned())
    }

    /// Rolled-up prefixes.
    pub fn prefixes(self, prefixes: &[String]) -> Option<Vec<CommonPrefix>> {
        let prefix = |prefix: &String| CommonPrefix {
            prefix: Some(self.text(prefix)),
        };
        (!prefixes.is_empty()).then(|| prefixes.iter().map(prefix).collect())
    }

    /// Objects, with their owner where one is asked for.
    pub fn objects(self, objects: &[ObjectInfo], owner: Option<&Owner>) -> Option<Vec<Object>> {
        let object = |object: &ObjectInfo| Object {
            key: Some(self.text(&object.key)),
            last_modified: Some(timestamp(object.modified)),
            e_tag: Some(quoted(&object.etag)),
            checksum_algorithm: object
                .checksum
                .as_ref()
                .map(|c| vec![c.algorithm.name().to_owned()]),
            checksum_type: object
                .checksum
                .as_ref()
                .map(|c| coverage_name(c.coverage).to_owned()),
            size: i64::try_from(object.size).ok(),
            storage_class: storage_class::listed(object.attributes.storage_class.as_ref()),
            owner: owner.cloned(),
            restore_status: None,
        };
        (!objects.is_empty()).then(|| objects.iter().map(object).collect())
    }
}

/// A page of objects to ask the store for.
pub struct Page {
    /// The question.
    pub query: ObjectQuery,
    /// The limit to answer with.
    pub max_keys: i32,
}

impl Page {
    /// The page of `bucket` after `after`.
    pub fn new(
        bucket: &str,
        prefix: Option<&str>,
        delimiter: Option<&str>,
        after: Option<String>,
        max_keys: Option<i32>,
    ) -> Result<Self, ApiError> {
        let max_keys = limit(max_keys, MAX_KEYS, "maxKeys")?;
        let query = ObjectQuery {
            bucket: BucketName::parse(bucket).map_err(crate::errors::api)?,
            prefix: prefix.unwrap_or_default().to_owned(),
            delimiter: delimiter
                .filter(|delimiter| !delimiter.is_empty())
                .map(str::to_owned),
            after: after.filter(|after| !after.is_empty()),
            limit: max_keys as usize,
        };
        Ok(Self { query, max_keys })
    }
}

/// The number of lines of a page: what is asked for, at most `max`.
pub fn limit(asked: Option<i32>, max: i32, name: &str) -> Result<i32, ApiError> {
    match asked.unwrap_or(max) {
        asked if asked < 0 => {
            let message = format!("Argument {name} must be an integer between 0 and 2147483647");
            Err(argument(message, name, &asked.to_string()))
        }
        asked => Ok(asked.min(max)),
    }
}

/// Lines of a listing.
pub fn count(listing: &Listing) -> Option<i32> {
    i32::try_from(listing.objects.len() + listing.prefixes.len()).ok()
}

/// The place to go on as a token that means nothing to a client.
pub fn token(place: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("1{place}"))
}

/// The place that a token stands for.
pub fn place(token: &str) -> Result<String, ApiError> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.and_then(|text| text.strip_prefix('1').map(str::to_owned))
        .ok_or_else(incorrect_token)
}

/// A token is none that was given.
pub fn incorrect_token() -> ApiError {
    ApiError::new(
        400,
        "InvalidArgument",
        "The continuation token provided is incorrect",
    )
    .with("ArgumentName", "continuation-token")
}

/// The address of an object, for whoever put it; its key is escaped whole, slashes too, as AWS does it.
pub fn location(context: &Context, bucket: &str, key: &str) -> String {
    let scheme = if context.origin.secure {
        "https"
    } else {
        "http"
    };
    let key = utf8_percent_encode(key, WHOLLY_ESCAPED);
    format!("{scheme}://{}/{bucket}/{key}", context.host)
}

/// The owner of everything: the account, in the length of AWS's canonical ids.
pub fn owner(context: &Context) -> Owner {
    Owner {
        display_name: None,
        id: Some(format!("{:0>64}", context.account.0)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_are_escaped_on_request_alone() {
        assert_eq!(Encoding::asked(None).unwrap().text("a b/ü"), "a b/ü");
        assert_eq!(
            Encoding::asked(Some("url")).unwrap().text("a b/ü+="),
            "a%20b/%C3%BC%2B%3D"
        );
        assert!(Encoding::asked(Some("value")).is_err());
    }

    #[test]
    fn pages_have_at_most_a_thousand_lines() {
        assert_eq!(limit(None, 1000, "maxKeys").unwrap(), 1000);
        assert_eq!(limit(Some(5000), 1000, "maxKeys").unwrap(), 1000);
        assert_eq!(limit(Some(0), 1000, "maxKeys").unwrap(), 0);
        let negative = limit(Some(-1), 1000, "maxKeys").unwrap_err();
        assert_eq!(negative.fields()["ArgumentValue"], "-1");
    }

    proptest! {
        #[test]
        fn a_token_comes_back_and_a_forged_one_never_panics(text in ".*") {
            prop_assert_eq!(place(&token(&text)).unwrap(), text.clone());
            let _ = place(&text);
        }
    }
}
