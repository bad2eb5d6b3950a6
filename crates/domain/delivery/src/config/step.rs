//! The steps that each record goes through on its way to the destination.

use bytes::Bytes;
use headwater_types::Arn;
use serde::{Deserialize, Serialize};

use super::arn_text;

/// One step of a record's way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// It is looked at, and each ends in a newline.
    Check(Format),
    /// It is unpacked.
    Decompress,
    /// Of a record of CloudWatch Logs, the messages are taken.
    LogEvents,
    /// It is taken apart.
    Deaggregate(Deaggregation),
    /// It goes through a function.
    Function(Function),
    /// Partition keys are looked for in it, by a query of jq.
    Query(String),
    /// These bytes stand behind each.
    Append(Bytes),
}

/// A function that records go through.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Function {
    /// The function, perhaps with a version or alias.
    #[serde(with = "arn_text")]
    pub arn: Arn,
    /// How often a failed call is made again.
    pub retries: u32,
    /// Bytes of data that one call takes.
    pub batch_bytes: usize,
    /// Seconds that may lie between the arrivals of the first and the last record of one call.
    #[serde(default = "interval_before_it_was_kept")]
    pub interval_s: u32,
}

/// AWS's default, which functions had while this was not a setting.
fn interval_before_it_was_kept() -> u32 {
    60
}

/// The format that records have to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// UTF-8; each ends in a newline.
    Text,
    /// JSON; each ends in a newline.
    Json,
}

/// The separator of the records in a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deaggregation {
    /// Nothing, or white space: they are JSON values, one behind the other.
    Json,
    /// These bytes; never empty.
    Delimited(Bytes),
}

/// Steps as the catalog keeps them. Earlier releases kept a `function` and a `format` in their place.
pub(super) mod steps_as_stored {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Format, Function, Step};

    #[derive(Serialize)]
    struct Stored<'a> {
        steps: &'a [Step],
    }

    #[derive(Deserialize)]
    struct Found {
        steps: Option<Vec<Step>>,
        function: Option<Function>,
        format: Option<EarlierFormat>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum EarlierFormat {
        Bytes,
        Text,
        Json,
    }

    pub fn serialize<S: Serializer>(steps: &[Step], to: S) -> Result<S::Ok, S::Error> {
        Stored { steps }.serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Step>, D::Error> {
        let found = Found::deserialize(from)?;
        let check = match found.format {
            None | Some(EarlierFormat::Bytes) => None,
            Some(EarlierFormat::Text) => Some(Step::Check(Format::Text)),
            Some(EarlierFormat::Json) => Some(Step::Check(Format::Json)),
        };
        let earlier = || {
            found
                .function
                .map(Step::Function)
                .into_iter()
                .chain(check)
                .collect()
        };
        Ok(found.steps.unwrap_or_else(earlier))
    }
}
