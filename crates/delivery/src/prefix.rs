//! Where objects go: prefixes with expressions, and the names behind them.
//!
//! The rules are those of AWS's page on custom prefixes: a prefix without a time gets `yyyy/MM/dd/HH/` behind it;
//! the time is the arrival of the oldest record in the batch. An error prefix without expressions gets the kind of
//! error and the time behind it. One difference: without an error prefix, failures go under `processing-failed/`
//! alone and not under the prefix itself, so that whoever reads all under the prefix finds only what was delivered.

use headwater_env::Random;
use headwater_types::Millis;
use jiff::{Timestamp, Zoned, tz::TimeZone};

use crate::{
    config::StreamRecord,
    limits::PREFIX_BYTES_MAX,
    pattern::{Pattern, PatternError},
    template::{KeyTemplate, Values},
};

const DEFAULT_TIME: &str = "yyyy/MM/dd/HH/";
const NAME_TIME: &str = "yyyy-MM-dd-HH-mm-ss";
const ERROR_TYPE: &str = "processing-failed";
const RANDOM_CHARACTERS: usize = 11;
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Which of the two prefixes an error is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The one for what was delivered.
    Data,
    /// The one for what failed.
    Errors,
}

/// What is wrong with the prefixes.
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
    Value(Which, String),
    /// An expression that is not built.
    #[error("the expression {0:?} is not supported")]
    Unsupported(String),
    /// A time's pattern is wrong.
    #[error("{1}")]
    Pattern(Which, PatternError),
    /// The evaluated prefix is too long.
    #[error("the prefix is longer than {PREFIX_BYTES_MAX} characters")]
    TooLong(Which),
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
}

/// The keys that one batch's objects get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectNames {
    /// Of what was delivered.
    pub data: String,
    /// Of what failed.
    pub errors: String,
}

impl Prefixes {
    /// Reads the prefixes as they were configured.
    pub fn parse(data: Option<&str>, errors: Option<&str>, zone: Option<&str>) -> Result<Self, PrefixError> {
        let mut data = parts(data.unwrap_or_default(), Which::Data)?;
        if data.contains(&Part::ErrorType) {
            return Err(PrefixError::ErrorTypeMisplaced);
        }
        let errors = errors.unwrap_or_default();
        if errors.is_empty() && has_expressions(&data) {
            return Err(PrefixError::ErrorPrefixMissing);
        }
        let mut errors = parts(errors, Which::Errors)?;
        if has_expressions(&errors) && !errors.contains(&Part::ErrorType) {
            return Err(PrefixError::ErrorTypeMissing);
        }
        if !has_expressions(&errors) {
            errors.extend([Part::ErrorType, Part::Literal("/".into()), default_time()]);
        }
        let explicit = [(data.clone(), Which::Data), (errors.clone(), Which::Errors)];
        if !data.iter().any(|part| matches!(part, Part::Time(_))) {
            data.push(default_time());
        }
        let zone = match zone.unwrap_or_default() {
            "" => TimeZone::UTC,
            name => TimeZone::get(name).map_err(|_| PrefixError::Zone(name.to_owned()))?,
        };
        let prefixes = Self { data, errors, zone };
        for (parts, which) in explicit {
            let longest =
                evaluate(&parts, &prefixes.zoned(Millis::ZERO), &mut || "0".repeat(RANDOM_CHARACTERS));
            if longest.chars().count() > PREFIX_BYTES_MAX {
                return Err(PrefixError::TooLong(which));
            }
        }
        Ok(prefixes)
    }

    /// The keys of the objects of a batch whose oldest record arrived at `oldest`.
    fn names(&self, stream: &StreamRecord, oldest: Millis, random: &dyn Random) -> ObjectNames {
        let time = self.zoned(oldest);
        let extension = extension(stream);
        let stamp = pattern(NAME_TIME).format(&time);
        let name = || format!("{}-{}-{stamp}-{}", stream.name, stream.version, random.uuid());
        let prefix = |parts: &[Part]| evaluate(parts, &time, &mut || random_string(random));
        ObjectNames {
            data: format!("{}{}{extension}", prefix(&self.data), name()),
            errors: format!("{}{}", prefix(&self.errors), name()),
        }
    }

    /// A point in time in the configured zone, to the second.
    fn zoned(&self, at: Millis) -> Zoned {
        let seconds = i64::try_from(at.seconds()).unwrap_or(i64::MAX);
        Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX).to_zoned(self.zone.clone())
    }
}

impl StreamRecord {
    /// The keys of the objects of a batch whose oldest record arrived at `oldest`.
    pub(crate) fn names(&self, oldest: Millis, random: &dyn Random) -> Result<ObjectNames, PrefixError> {
        let prefixes = self.destination.prefixes()?;
        let mut names = prefixes.names(self, oldest, random);
        if let Some(template) = &self.destination.key_template {
            let (time, unique) = (prefixes.zoned(oldest), random.uuid());
            let (name, id, extension) = (&*self.name, &*self.id, extension(self));
            names.data = KeyTemplate::parse(template)?.key(Values {
                name,
                id,
                time: &time,
                extension,
                unique: &unique,
            })?;
        }
        Ok(names)
    }
}

fn extension(stream: &StreamRecord) -> &str {
    let own = stream.destination.extension.as_deref().filter(|extension| !extension.is_empty());
    own.unwrap_or(stream.destination.compression.extension())
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

fn parts(mut text: &str, which: Which) -> Result<Vec<Part>, PrefixError> {
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

fn part(expression: &str, which: Which) -> Result<Part, PrefixError> {
    match expression.split_once(':') {
        Some(("timestamp", text)) if !text.is_empty() => {
            Pattern::parse(text).map(Part::Time).map_err(|error| PrefixError::Pattern(which, error))
        }
        Some(("firehose", "random-string")) => Ok(Part::Random),
        Some(("firehose", "error-output-type")) => Ok(Part::ErrorType),
        Some(("partitionKeyFromQuery" | "partitionKeyFromLambda", _)) => {
            Err(PrefixError::Unsupported(format!("!{{{expression}}}")))
        }
        Some(("firehose" | "timestamp", _)) => Err(PrefixError::Value(which, format!("!{{{expression}}}"))),
        Some((namespace, _)) => Err(PrefixError::Namespace(namespace.to_owned())),
        None => Err(PrefixError::Usage(format!("!{{{expression}}}"))),
    }
}

fn evaluate(parts: &[Part], time: &Zoned, random: &mut dyn FnMut() -> String) -> String {
    let mut out = String::new();
    for part in parts {
        match part {
            Part::Literal(text) => out.push_str(text),
            Part::Time(pattern) => out.push_str(&pattern.format(time)),
            Part::Random => out.push_str(&random()),
            Part::ErrorType => out.push_str(ERROR_TYPE),
        }
    }
    out
}

fn random_string(random: &dyn Random) -> String {
    let letter = || char::from(ALPHABET[(random.next_u64() % ALPHABET.len() as u64) as usize]);
    std::iter::repeat_with(letter).take(RANDOM_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use headwater_env::SeededRandom;
    use proptest::prelude::*;

    use super::*;
    use crate::{Compression, testing::stream};

    /// 2018-08-27T10:11:12Z
    const TIME: Millis = Millis(1_535_364_672_999);

    fn evaluated(data: Option<&str>, errors: Option<&str>) -> Result<(String, String), PrefixError> {
        let prefixes = Prefixes::parse(data, errors, None)?;
        let write = |parts| evaluate(parts, &prefixes.zoned(TIME), &mut || "5abf82daaa5".to_owned());
        Ok((write(&prefixes.data), write(&prefixes.errors)))
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
                Some("myFirehose/DeliveredYear=!{timestamp:yyyy}/anyMonth/rand=!{firehose:random-string}"),
                Some("fail/!{firehose:error-output-type}/!{timestamp:yyyy}/anyMonth/!{timestamp:dd}"),
            ),
            both(
                "myFirehose/DeliveredYear=2018/anyMonth/rand=5abf82daaa5",
                "fail/processing-failed/2018/anyMonth/27"
            )
        );
        assert_eq!(evaluated(Some("!{timestamp:yyyy/MM/dd}"), None), Err(PrefixError::ErrorPrefixMissing));
    }

    #[test]
    fn plain_prefixes_get_the_time_behind_them() {
        assert_eq!(
            evaluated(Some("historic-trip-events/"), None),
            both("historic-trip-events/2018/08/27/10/", "processing-failed/2018/08/27/10/")
        );
        assert_eq!(
            evaluated(Some("raw"), Some("retries/")),
            both("raw2018/08/27/10/", "retries/processing-failed/2018/08/27/10/")
        );
        assert_eq!(
            evaluated(Some("r=!{firehose:random-string}/"), Some("e/!{firehose:error-output-type}")),
            both("r=5abf82daaa5/2018/08/27/10/", "e/processing-failed")
        );
    }

    #[test]
    fn rules_are_kept() {
        let refused = |data: &str, errors: &str| evaluated(Some(data), Some(errors)).unwrap_err();
        assert_eq!(refused("!{firehose:error-output-type}/", "e/"), PrefixError::ErrorTypeMisplaced);
        assert_eq!(refused("a/", "!{timestamp:yyyy}/"), PrefixError::ErrorTypeMissing);
        assert_eq!(refused("!{time:yyyy}", "e/"), PrefixError::Namespace("time".into()));
        assert!(matches!(refused("!{timestamp:yyyy", "e/"), PrefixError::Usage(_)));
        assert!(matches!(refused("a/", "!{firehose:name}"), PrefixError::Value(Which::Errors, _)));
        assert!(matches!(refused("!{timestamp:C}", "e/"), PrefixError::Pattern(Which::Data, _)));
        assert!(matches!(refused("!{partitionKeyFromQuery:id}/", "e/"), PrefixError::Unsupported(_)));
        assert_eq!(refused(&"a".repeat(513), "e/"), PrefixError::TooLong(Which::Data));
        assert!(evaluated(Some(&"a".repeat(512)), None).is_ok());
        assert!(matches!(Prefixes::parse(None, None, Some("Mars/Olympus")), Err(PrefixError::Zone(_))));
    }

    #[test]
    fn names_have_the_form_of_aws() {
        let mut stream = stream("taxi");
        stream.destination.compression = Compression::Gzip;
        let names = |stream: &StreamRecord, zone| {
            let prefixes = Prefixes::parse(Some("p/"), None, zone).unwrap();
            prefixes.names(stream, TIME, &SeededRandom::new(1))
        };
        let key = names(&stream, None).data;
        let start = "p/2018/08/27/10/taxi-1-2018-08-27-10-11-12-";
        assert!(key.starts_with(start) && key.ends_with(".gz"), "{key}");
        assert_eq!(key.len(), start.len() + 36 + 3);
        assert!(
            names(&stream, None)
                .errors
                .starts_with("processing-failed/2018/08/27/10/taxi-1-2018-08-27-10-11-12-")
        );
        assert!(
            names(&stream, Some("Asia/Tokyo"))
                .data
                .starts_with("p/2018/08/27/19/taxi-1-2018-08-27-19-11-12-")
        );
        stream.destination.extension = Some(".jsonl".into());
        assert!(names(&stream, None).data.ends_with(".jsonl"));
    }

    proptest! {
        #[test]
        fn any_text_is_a_prefix_or_an_error(data in ".{0,40}", errors in proptest::option::of(".{0,40}")) {
            if let Ok(prefixes) = Prefixes::parse(Some(&data), errors.as_deref(), None) {
                prefixes.names(&stream("s"), TIME, &SeededRandom::new(1));
            }
        }

        #[test]
        fn expressions_never_panic(data in "[a-z/!{}:'yMdH-]{0,40}") {
            if let Ok(prefixes) = Prefixes::parse(Some(&data), Some("!{firehose:error-output-type}"), None) {
                prefixes.names(&stream("s"), TIME, &SeededRandom::new(1));
            }
        }
    }
}
