//! Prefixes of object keys, with expressions.
//!
//! The rules are those of AWS's page on custom prefixes: a prefix without a time gets `yyyy/MM/dd/HH/` behind it, but
//! not one that names partition keys; the time is the arrival of the oldest record in the batch. An error prefix
//! without expressions gets the kind of error and the time behind it. One difference: without an error prefix, failures
//! go under `processing-failed/` alone and not under the prefix itself, so that a reader of all under the prefix finds
//! only what was delivered.

use headwater_types::Millis;
use jiff::{Timestamp, Zoned, tz::TimeZone};

use super::pattern::{Pattern, PatternError};
use crate::{
    limits::PREFIX_BYTES_MAX,
    records::{ErrorKind, Keys},
};

const DEFAULT_TIME: &str = "yyyy/MM/dd/HH/";
/// Characters of a random string.
pub const RANDOM_CHARACTERS: usize = 11;

/// PrefixKind of the two prefixes an error is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrefixKind {
    /// The one for what was delivered.
    Data,
    /// The one for what failed.
    Errors,
}

/// An error in the prefixes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrefixError {
    /// The error prefix is missing although the other has expressions.
    #[error("an error prefix is needed when the prefix has expressions")]
    ErrorPrefixMissing,
    /// The error prefix has expressions, but none for the kind of error.
    #[error("the error prefix has expressions and must name the kind of error")]
    ErrorTypeMissing,
    /// The prefix names a kind of error.
    #[error("the prefix must not name a kind of error")]
    ErrorTypeMisplaced,
    /// `!{` stands where no whole expression does.
    #[error("{0:?} is not a whole expression")]
    Usage(String),
    /// An expression of a kind that there is not.
    #[error("{0:?} is not a kind of expression")]
    Namespace(String),
    /// An expression whose value means nothing.
    #[error("{1:?} is not an expression that a prefix may have")]
    Value(PrefixKind, String),
    /// The prefix names partition keys, and records are not partitioned.
    #[error("the prefix names partition keys, and dynamic partitioning is not enabled")]
    NotPartitioned,
    /// Records are partitioned, and the prefix names no partition key.
    #[error("records are partitioned, and the prefix names no partition key")]
    NoPartitionKeys,
    /// A time's pattern is wrong.
    #[error("{1}")]
    Pattern(PrefixKind, PatternError),
    /// The evaluated prefix is too long.
    #[error("the prefix is longer than {PREFIX_BYTES_MAX} characters")]
    TooLong(PrefixKind),
    /// The template of keys is none, or gives none.
    #[error("{0}")]
    Template(String),
    /// There is no such time zone.
    #[error("there is no time zone {0:?}")]
    Zone(String),
}

/// Both prefixes of a destination.
#[derive(Debug, Clone)]
pub struct Prefixes {
    data: Vec<Part>,
    errors: Vec<Part>,
    zone: TimeZone,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Time(Pattern),
    Random,
    ErrorType,
    /// A partition key from a query.
    Query(String),
    /// A partition key from the function.
    Lambda(String),
}

impl Part {
    fn is_key(&self) -> bool {
        matches!(self, Self::Query(_) | Self::Lambda(_))
    }

    fn is_time(&self) -> bool {
        matches!(self, Self::Time(_))
    }
}

/// The values of expressions.
#[derive(Clone, Copy)]
pub struct Values<'a> {
    /// When the oldest record arrived.
    pub time: &'a Zoned,
    /// The values of random strings, by their places among those of a prefix: 0 for its first.
    pub random: &'a dyn Fn(usize) -> String,
    /// The kind of error that the records met.
    pub kind: ErrorKind,
    /// The records' partition keys.
    pub keys: &'a Keys,
}

impl Prefixes {
    /// Reads the prefixes as they were configured.
    pub fn parse(
        data: Option<&str>,
        errors: Option<&str>,
        zone: Option<&str>,
    ) -> Result<Self, PrefixError> {
        let mut data = parts(data.unwrap_or_default(), PrefixKind::Data)?;
        if data.contains(&Part::ErrorType) {
            return Err(PrefixError::ErrorTypeMisplaced);
        }
        let errors = errors.unwrap_or_default();
        if errors.is_empty() && has_expressions(&data) {
            return Err(PrefixError::ErrorPrefixMissing);
        }
        let errors = error_parts(errors)?;
        let explicit = data.clone();
        if !data.iter().any(|part| part.is_key() || part.is_time()) {
            data.push(default_time());
        }
        let zone = match zone.unwrap_or_default() {
            "" => TimeZone::UTC,
            name => TimeZone::get(name).map_err(|_| PrefixError::Zone(name.to_owned()))?,
        };
        let prefixes = Self { data, errors, zone };
        prefixes.check_length(explicit, PrefixKind::Data)?;
        prefixes.check_length(prefixes.errors.clone(), PrefixKind::Errors)?;
        Ok(prefixes)
    }

    /// Refuses a prefix that is too long as it was written. Partition keys are not known yet: a key that gets too long
    /// then fails its records.
    fn check_length(&self, mut parts: Vec<Part>, which: PrefixKind) -> Result<(), PrefixError> {
        parts.retain(|part| !part.is_key());
        let values = Values {
            time: &self.zoned(Millis::ZERO),
            random: &|_| "0".repeat(RANDOM_CHARACTERS),
            kind: ErrorKind::Processing,
            keys: &Keys::default(),
        };
        match evaluate(&parts, values) {
            Some(prefix) if prefix.chars().count() <= PREFIX_BYTES_MAX => Ok(()),
            _ => Err(PrefixError::TooLong(which)),
        }
    }

    /// The prefix for what is delivered; nothing where `values` lack a partition key.
    pub fn data(&self, values: Values<'_>) -> Option<String> {
        evaluate(&self.data, values)
    }

    /// The prefix for what fails.
    pub fn errors(&self, values: Values<'_>) -> String {
        evaluate(&self.errors, values).expect("an error prefix names no partition keys")
    }

    /// The partition keys that the prefix names: of the query, and of the function.
    pub fn partition_keys(&self) -> (Vec<&str>, Vec<&str>) {
        let mut keys = (Vec::new(), Vec::new());
        for part in &self.data {
            match part {
                Part::Query(name) => keys.0.push(&**name),
                Part::Lambda(name) => keys.1.push(&**name),
                _ => {}
            }
        }
        keys
    }

    /// A point in time in the configured zone, to the second.
    pub fn zoned(&self, at: Millis) -> Zoned {
        let seconds = i64::try_from(at.seconds()).unwrap_or(i64::MAX);
        Timestamp::from_second(seconds)
            .unwrap_or(Timestamp::MAX)
            .to_zoned(self.zone.clone())
    }
}

/// The parts of the prefix for errors, with AWS's default behind one without expressions.
fn error_parts(prefix: &str) -> Result<Vec<Part>, PrefixError> {
    let mut errors = parts(prefix, PrefixKind::Errors)?;
    if has_expressions(&errors) && !errors.contains(&Part::ErrorType) {
        return Err(PrefixError::ErrorTypeMissing);
    }
    if !has_expressions(&errors) {
        errors.extend([Part::ErrorType, Part::Literal("/".into()), default_time()]);
    }
    if errors.iter().any(Part::is_key) {
        let key = "!{partitionKey…}".to_owned();
        return Err(PrefixError::Value(PrefixKind::Errors, key));
    }
    Ok(errors)
}

fn has_expressions(parts: &[Part]) -> bool {
    parts.iter().any(|part| !matches!(part, Part::Literal(_)))
}

pub(crate) fn pattern(text: &str) -> Pattern {
    Pattern::parse(text).expect("our own patterns are patterns")
}

fn default_time() -> Part {
    Part::Time(pattern(DEFAULT_TIME))
}

fn parts(mut text: &str, which: PrefixKind) -> Result<Vec<Part>, PrefixError> {
    let mut parts = Vec::new();
    while let Some((before, rest)) = text.split_once("!{") {
        let Some((expression, rest)) = rest.split_once('}') else {
            return Err(PrefixError::Usage(format!("!{{{rest}")));
        };
        if !before.is_empty() {
            parts.push(Part::Literal(before.to_owned()));
        }
        parts.push(part(expression, which)?);
        text = rest;
    }
    if !text.is_empty() {
        parts.push(Part::Literal(text.to_owned()));
    }
    Ok(parts)
}

fn part(expression: &str, which: PrefixKind) -> Result<Part, PrefixError> {
    match expression.split_once(':') {
        Some(("timestamp", text)) if !text.is_empty() => Pattern::parse(text)
            .map(Part::Time)
            .map_err(|error| PrefixError::Pattern(which, error)),
        Some(("firehose", "random-string")) => Ok(Part::Random),
        Some(("firehose", "error-output-type")) => Ok(Part::ErrorType),
        Some(("partitionKeyFromQuery", key)) if !key.is_empty() => Ok(Part::Query(key.to_owned())),
        Some(("partitionKeyFromLambda", key)) if !key.is_empty() => {
            Ok(Part::Lambda(key.to_owned()))
        }
        Some((
            "firehose" | "timestamp" | "partitionKeyFromQuery" | "partitionKeyFromLambda",
            _,
        )) => Err(PrefixError::Value(which, format!("!{{{expression}}}"))),
        Some((namespace, _)) => Err(PrefixError::Namespace(namespace.to_owned())),
        None => Err(PrefixError::Usage(format!("!{{{expression}}}"))),
    }
}

fn evaluate(parts: &[Part], values: Values<'_>) -> Option<String> {
    let mut out = String::new();
    let mut randoms = 0..;
    for part in parts {
        match part {
            Part::Literal(text) => out.push_str(text),
            Part::Time(pattern) => out.push_str(&pattern.format(values.time)),
            Part::Random => out.push_str(&(values.random)(randoms.next()?)),
            Part::ErrorType => out.push_str(values.kind.name()),
            Part::Query(key) => out.push_str(values.keys.query.get(key)?),
            Part::Lambda(key) => out.push_str(values.keys.lambda.get(key)?),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 2018-08-27T10:11:12Z
    const TIME: Millis = Millis(1_535_364_672_999);

    fn keys() -> Keys {
        Keys {
            query: [("id".to_owned(), "7".to_owned())].into(),
            lambda: [("kind".to_owned(), "x".to_owned())].into(),
        }
    }

    fn evaluated(
        data: Option<&str>,
        errors: Option<&str>,
    ) -> Result<(String, String), PrefixError> {
        let prefixes = Prefixes::parse(data, errors, None)?;
        let (time, keys) = (prefixes.zoned(TIME), keys());
        let values = Values {
            time: &time,
            random: &|nth| format!("5abf82daaa{}", 5 + nth),
            kind: ErrorKind::Processing,
            keys: &keys,
        };
        Ok((
            prefixes.data(values).unwrap_or_default(),
            prefixes.errors(values),
        ))
    }

    fn both(data: &str, errors: &str) -> Result<(String, String), PrefixError> {
        Ok((data.to_owned(), errors.to_owned()))
    }

    /// The examples of AWS's page on custom prefixes.
    #[test]
    fn examples_of_aws() {
        let failures = "myFirehoseFailures/!{firehose:error-output-type}/";
        assert_eq!(
            evaluated(None, Some(failures)),
            both("2018/08/27/10/", "myFirehoseFailures/processing-failed/")
        );
        assert_eq!(
            evaluated(
                Some(
                    "myFirehose/DeliveredYear=!{timestamp:yyyy}/anyMonth/rand=!{firehose:random-string}"
                ),
                Some(
                    "fail/!{firehose:error-output-type}/!{timestamp:yyyy}/anyMonth/!{timestamp:dd}"
                ),
            ),
            both(
                "myFirehose/DeliveredYear=2018/anyMonth/rand=5abf82daaa5",
                "fail/processing-failed/2018/anyMonth/27"
            )
        );
        assert_eq!(
            evaluated(Some("!{timestamp:yyyy/MM/dd}"), None),
            Err(PrefixError::ErrorPrefixMissing)
        );
    }

    #[test]
    fn plain_prefixes_get_the_time_behind_them() {
        assert_eq!(
            evaluated(Some("historic-trip-events/"), None),
            both(
                "historic-trip-events/2018/08/27/10/",
                "processing-failed/2018/08/27/10/"
            )
        );
        assert_eq!(
            evaluated(Some("raw"), Some("retries/")),
            both(
                "raw2018/08/27/10/",
                "retries/processing-failed/2018/08/27/10/"
            )
        );
        assert_eq!(
            evaluated(
                Some("r=!{firehose:random-string}/"),
                Some("e/!{firehose:error-output-type}")
            ),
            both("r=5abf82daaa5/2018/08/27/10/", "e/processing-failed")
        );
    }

    #[test]
    fn rules_are_kept() {
        let refused = |data: &str, errors: &str| evaluated(Some(data), Some(errors)).unwrap_err();
        assert_eq!(
            refused("!{firehose:error-output-type}/", "e/"),
            PrefixError::ErrorTypeMisplaced
        );
        assert_eq!(
            refused("a/", "!{timestamp:yyyy}/"),
            PrefixError::ErrorTypeMissing
        );
        assert_eq!(
            refused("!{time:yyyy}", "e/"),
            PrefixError::Namespace("time".into())
        );
        assert!(matches!(
            refused("!{timestamp:yyyy", "e/"),
            PrefixError::Usage(_)
        ));
        assert!(matches!(
            refused("a/", "!{firehose:name}"),
            PrefixError::Value(PrefixKind::Errors, _)
        ));
        assert!(matches!(
            refused("!{timestamp:C}", "e/"),
            PrefixError::Pattern(PrefixKind::Data, _)
        ));
        assert!(matches!(
            refused("!{partitionKeyFromQuery:}/", "e/"),
            PrefixError::Value(PrefixKind::Data, _)
        ));
        assert_eq!(
            refused(&"a".repeat(513), "e/"),
            PrefixError::TooLong(PrefixKind::Data)
        );
        assert!(evaluated(Some(&"a".repeat(512)), None).is_ok());
        assert!(matches!(
            Prefixes::parse(None, None, Some("Mars/Olympus")),
            Err(PrefixError::Zone(_))
        ));
    }

    #[test]
    fn partition_keys_stand_in_the_prefix_alone() {
        let errors = "e/!{firehose:error-output-type}/";
        let data = "id=!{partitionKeyFromQuery:id}/!{partitionKeyFromLambda:kind}/";
        assert_eq!(
            evaluated(Some(data), Some(errors)),
            both("id=7/x/", "e/processing-failed/")
        );
        assert_eq!(
            evaluated(Some("!{partitionKeyFromQuery:other}/"), Some(errors))
                .unwrap()
                .0,
            ""
        );
        assert_eq!(
            evaluated(Some(data), None),
            Err(PrefixError::ErrorPrefixMissing)
        );
        let misplaced = evaluated(
            Some("a/"),
            Some("!{firehose:error-output-type}/!{partitionKeyFromQuery:id}/"),
        );
        assert!(matches!(
            misplaced,
            Err(PrefixError::Value(PrefixKind::Errors, _))
        ));
        let parsed = Prefixes::parse(Some(data), Some(errors), None).unwrap();
        assert_eq!(parsed.partition_keys(), (vec!["id"], vec!["kind"]));
    }

    proptest! {
        #[test]
        fn any_text_is_a_prefix_or_an_error(data in ".{0,40}", errors in proptest::option::of(".{0,40}")) {
            drop(evaluated(Some(&data), errors.as_deref()));
        }

        #[test]
        fn expressions_never_panic(data in "[a-z/!{}:'yMdH-]{0,40}") {
            drop(evaluated(Some(&data), Some("!{firehose:error-output-type}")));
        }
    }
}
