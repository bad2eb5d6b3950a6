//! A delivery stream as the catalog keeps it: its name, its source, its destination.

use std::collections::BTreeMap;

use headwater_types::{Arn, Millis};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{arn_text, destination::Destination};

/// A delivery stream as the catalog keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "as_stored::Found")]
pub struct StreamRecord {
    /// Its name.
    pub name: String,
    /// Its ARN.
    #[serde(with = "arn_text")]
    pub arn: Arn,
    /// An id that no stream made later under the same name has; its progress is kept under it.
    pub id: String,
    /// When it was made.
    pub created: Millis,
    /// When its destination or its encryption was changed last; none where neither was.
    #[serde(default)]
    pub updated: Option<Millis>,
    /// Counts its configurations, from 1.
    pub version: u64,
    /// Where its records come from.
    pub origin: Origin,
    /// Where they go.
    pub destination: Destination,
    /// The door's description of all that: its own document, which is kept beside the rest and not looked at.
    pub description: Value,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Whether what is put into it waits encrypted.
    #[serde(default)]
    pub encryption: Option<Encryption>,
    /// When that was changed of late.
    #[serde(default)]
    pub encryption_changes: Vec<Millis>,
}

/// The key that a delivery stream's records are encrypted under, as the caller knows it. It is kept and told, and plays
/// no part in the encryption, which goes by the installation's own key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encryption {
    /// The key's ARN; none where it is the service's own.
    pub key: Option<String>,
}

/// Where a delivery stream's records come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// They are put into it; they wait in a log shard of its own.
    Direct {
        /// The shard's number in the log.
        shard: u64,
    },
    /// It reads a stream.
    Stream {
        /// The stream.
        #[serde(with = "arn_text")]
        arn: Arn,
        /// The role that it would read with.
        role: String,
        /// The [`identity`](crate::Source::identity) that the stream had.
        identity: String,
    },
}

impl Origin {
    /// The stream that is read, if one is.
    pub fn stream(&self) -> Option<&Arn> {
        match self {
            Self::Direct { .. } => None,
            Self::Stream { arn, .. } => Some(arn),
        }
    }
}

/// The origin of a stream to be made.
#[derive(Debug, Clone, PartialEq)]
pub enum NewOrigin {
    /// Records will be put into it.
    Direct,
    /// It will read a stream from its present end on.
    Stream {
        /// The stream.
        arn: Arn,
        /// The role that it would read with.
        role: String,
    },
}

/// Delivery streams as the catalog keeps them. Earlier releases kept the description as `described` in the destination.
mod as_stored {
    use super::*;

    #[derive(Deserialize)]
    pub struct Found {
        name: String,
        #[serde(with = "arn_text")]
        arn: Arn,
        id: String,
        created: Millis,
        #[serde(default)]
        updated: Option<Millis>,
        version: u64,
        origin: Origin,
        destination: FoundDestination,
        description: Option<Value>,
        tags: BTreeMap<String, String>,
        #[serde(default)]
        encryption: Option<Encryption>,
        #[serde(default)]
        encryption_changes: Vec<Millis>,
    }

    #[derive(Deserialize)]
    struct FoundDestination {
        #[serde(flatten)]
        destination: Destination,
        #[serde(default)]
        described: Value,
    }

    impl From<Found> for StreamRecord {
        fn from(found: Found) -> Self {
            let FoundDestination {
                destination,
                described,
            } = found.destination;
            Self {
                name: found.name,
                arn: found.arn,
                id: found.id,
                created: found.created,
                updated: found.updated,
                version: found.version,
                origin: found.origin,
                destination,
                description: found.description.unwrap_or(described),
                tags: found.tags,
                encryption: found.encryption,
                encryption_changes: found.encryption_changes,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing;

    #[test]
    fn a_description_that_an_earlier_release_kept_in_the_destination_is_read() {
        let now = StreamRecord {
            description: json!({"a": 1}),
            ..testing::stream("d")
        };
        let mut kept = serde_json::to_value(&now).unwrap();
        assert_eq!(kept["description"], json!({"a": 1}));
        let read = |kept: &Value| serde_json::from_value::<StreamRecord>(kept.clone()).unwrap();
        assert_eq!(read(&kept), now);
        let description = kept.as_object_mut().unwrap().remove("description").unwrap();
        kept["destination"]["described"] = description;
        assert_eq!(read(&kept), now);
    }
}
