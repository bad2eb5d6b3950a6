//! Which bytes of an object a request wants, and on which conditions.

use headwater_objects::{
    ByteRange, Get, ObjectError, ObjectName, ReadConditions, Selected, WriteCondition,
};
use headwater_shapes::Timestamp;
use headwater_wire::ApiError;

use crate::{
    errors::{api, argument, invalid_request},
    times::millis,
};

/// A read, as GetObject and HeadObject ask for it.
pub struct Wanted<'a> {
    pub range: Option<&'a str>,
    pub part: Option<i32>,
    pub version: Option<&'a String>,
    pub if_match: Option<&'a String>,
    pub if_none_match: Option<&'a String>,
    pub if_modified_since: Option<Timestamp>,
    pub if_unmodified_since: Option<Timestamp>,
}

impl Wanted<'_> {
    /// The read of `name`.
    pub fn of(&self, name: ObjectName) -> Result<Get, ApiError> {
        let range = match (self.range, self.part) {
            (Some(_), Some(_)) => {
                return Err(invalid_request(
                    "Cannot specify both Range header and partNumber query parameter",
                ));
            }
            (range, None) => range.and_then(parse_range),
            (None, Some(number)) => Some(ByteRange::Part(part_number(number)?)),
        };
        let conditions = ReadConditions {
            if_match: self.if_match.cloned(),
            if_none_match: self.if_none_match.cloned(),
            modified_since: self.if_modified_since.map(millis),
            unmodified_since: self.if_unmodified_since.map(millis),
        };
        Ok(Get {
            name,
            version: self.version.cloned(),
            range,
            conditions,
        })
    }

    /// The answer's error, with what the request asked for.
    pub fn error(&self, error: ObjectError) -> ApiError {
        let is_range = matches!(error, ObjectError::InvalidRange { .. });
        match (api(error), self.range) {
            (error, Some(range)) if is_range => error.with("RangeRequested", range),
            (error, _) => error,
        }
    }
}

/// One range of bytes; none for what is to be ignored: another unit, several ranges, or nonsense (RFC 9110).
pub fn parse_range(text: &str) -> Option<ByteRange> {
    let (first, last) = text.trim().strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        // A number beyond all objects is as good as any other beyond them.
        digits.then(|| text.parse().unwrap_or(u64::MAX))
    };
    match (first.trim(), last.trim()) {
        ("", last) => number(last).map(ByteRange::Last),
        (first, "") => number(first).map(ByteRange::From),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(ByteRange::Between(first, last))
        }
    }
}

/// A part's number in a request.
pub fn part_number(number: i32) -> Result<u32, ApiError> {
    let valid = u32::try_from(number)
        .ok()
        .filter(|number| (1..=10_000).contains(number));
    valid.ok_or_else(|| {
        argument(
            "Part number must be an integer between 1 and 10000, inclusive",
            "partNumber",
            &number.to_string(),
        )
    })
}

/// The header that says which bytes an answer has; none for all of them, unasked.
pub fn content_range(selected: &Selected, asked: bool) -> Option<String> {
    let size = selected.object.size;
    // An empty part or object has no bytes to name.
    let is_part = asked && selected.end > selected.start;
    is_part.then(|| format!("bytes {}-{}/{size}", selected.start, selected.end - 1))
}

/// The condition of a write.
pub fn write_condition(
    if_match: Option<String>,
    if_none_match: Option<String>,
) -> Result<WriteCondition, ApiError> {
    let refused = |header: &str, why: &str| {
        let message = "A header you provided implies functionality that is not implemented";
        ApiError::new(501, "NotImplemented", message)
            .with("Header", header)
            .with("additionalMessage", why)
    };
    match (if_match, if_none_match) {
        (None, None) => Ok(WriteCondition::None),
        (None, Some(any)) if any == "*" => Ok(WriteCondition::IfAbsent),
        (Some(etag), None) if etag != "*" => Ok(WriteCondition::IfMatch(etag)),
        (None, Some(_)) => Err(refused(
            "If-None-Match",
            "We don't accept the provided value of If-None-Match header for this API",
        )),
        (Some(_), None) => Err(refused(
            "If-Match",
            "We don't accept the provided value of If-Match header for this API",
        )),
        (Some(_), Some(_)) => Err(refused(
            "If-Match,If-None-Match",
            "Multiple conditional request headers present in the request",
        )),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranges_are_read_as_rfc_9110_has_them() {
        assert_eq!(parse_range("bytes=0-9"), Some(ByteRange::Between(0, 9)));
        assert_eq!(parse_range("bytes=5-"), Some(ByteRange::From(5)));
        assert_eq!(parse_range("bytes=-5"), Some(ByteRange::Last(5)));
        assert_eq!(
            parse_range("bytes=0-99999999999999999999"),
            Some(ByteRange::Between(0, u64::MAX))
        );
        for ignored in [
            "",
            "bytes=",
            "bytes=-",
            "bytes=9-0",
            "bytes=0-1,3-4",
            "items=0-1",
            "bytes=a-b",
            "bytes=+1-2",
        ] {
            assert_eq!(parse_range(ignored), None, "{ignored}");
        }
    }

    #[test]
    fn writes_take_one_condition() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            write_condition(None, some("*")).unwrap(),
            WriteCondition::IfAbsent
        );
        assert_eq!(
            write_condition(some("x"), None).unwrap(),
            WriteCondition::IfMatch("x".into())
        );
        for (if_match, if_none_match) in
            [(None, some("x")), (some("*"), None), (some("x"), some("*"))]
        {
            assert_eq!(
                write_condition(if_match, if_none_match)
                    .unwrap_err()
                    .status(),
                501
            );
        }
    }

    proptest! {
        #[test]
        fn arbitrary_ranges_never_panic(text in ".*", numbers in "bytes=[0-9]*-[0-9]*") {
            parse_range(&text);
            parse_range(&numbers);
        }
    }
}
