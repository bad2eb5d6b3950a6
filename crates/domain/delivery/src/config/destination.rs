//! A bucket, and how objects in it are made; what records go through on their way there.

use std::time::Duration;

use headwater_columnar::{Deserializer, Serializer};
use serde::{Deserialize, Serialize};

use super::{
    step::{Step, steps_as_stored},
    target::Target,
};
use crate::{
    limits::{
        DECOMPRESSED_BYTES_MAX, PACKED_GROUP_BYTES_MAX, PARTITIONED_BATCH_MIB, READ_BYTES_MAX,
    },
    naming::{KeyTemplate, PrefixError, Prefixes},
    records::ErrorKind,
};

/// A bucket, and how objects in it are made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Destination {
    /// The bucket's name.
    pub bucket: String,
    /// The role that it would write with.
    pub role: String,
    /// The prefix of object keys, with expressions; absent is not the same as empty when it is described.
    pub prefix: Option<String>,
    /// The same for records that failed.
    pub error_prefix: Option<String>,
    /// The time zone of names; UTC when there is none.
    pub time_zone: Option<String>,
    /// The template of whole object keys, in place of the prefix.
    #[serde(default)]
    pub key_template: Option<String>,
    /// The bucket for records that failed, where it is another.
    #[serde(default)]
    pub error_bucket: Option<String>,
    /// The ARN of the key that the store is told to encrypt objects under, those for records that failed too.
    #[serde(default)]
    pub encryption_key: Option<String>,
    /// The steps that records go through, in order.
    #[serde(flatten, with = "steps_as_stored")]
    pub steps: Vec<Step>,
    /// Whether records are partitioned by the keys that the prefix names.
    #[serde(default)]
    pub is_partitioned: bool,
    /// Seconds for which objects of partitions are tried again before their records count as failed.
    #[serde(default = "partition_retry_before_it_was_kept")]
    pub partition_retry_s: u32,
    /// The columnar format that records are converted to.
    #[serde(default)]
    pub conversion: Option<Conversion>,
    /// Where records go as they came, too.
    #[serde(default)]
    pub backup: Option<Backup>,
    /// The extension of object keys, in place of the compression's own.
    pub extension: Option<String>,
    /// When a batch is closed.
    pub buffering: Buffering,
    /// How objects are compressed.
    pub compression: Compression,
    /// Where errors are logged.
    pub logging: Option<Logging>,
    /// Where records go.
    #[serde(default)]
    pub target: Target,
}

impl Destination {
    /// Refuses names that could not be made.
    pub(crate) fn check(&self) -> Result<(), PrefixError> {
        let prefixes = self.prefixes()?;
        let (query, lambda) = prefixes.partition_keys();
        match (self.is_partitioned, query.is_empty() && lambda.is_empty()) {
            (false, false) => return Err(PrefixError::NotPartitioned),
            (true, true) => return Err(PrefixError::NoPartitionKeys),
            _ => {}
        }
        if let Some(backup) = &self.backup {
            backup.prefixes()?;
        }
        self.key_template
            .as_deref()
            .map(KeyTemplate::parse)
            .transpose()
            .map(drop)
    }

    /// The groups in which records go through the steps: those of the function, if there is one.
    pub(crate) fn group_limit(&self) -> GroupLimit {
        let function = self.steps.iter().find_map(|step| match step {
            Step::Function(function) => Some(function),
            _ => None,
        });
        let bytes = function.map_or(READ_BYTES_MAX, |function| function.batch_bytes);
        GroupLimit {
            bytes: if self.unpacks() {
                bytes.min(PACKED_GROUP_BYTES_MAX)
            } else {
                bytes
            },
            span: function.map_or(Duration::MAX, |function| {
                Duration::from_secs(function.interval_s.into())
            }),
        }
    }

    /// Bytes that a group of records has at the most, unless it is one large record.
    pub(crate) fn group_bytes(&self) -> usize {
        if self.unpacks() {
            DECOMPRESSED_BYTES_MAX
        } else {
            self.group_limit().bytes
        }
    }

    fn unpacks(&self) -> bool {
        self.steps.contains(&Step::Decompress)
    }

    /// The kinds of errors that records may meet on their way here.
    pub(crate) fn error_kinds(&self) -> Vec<ErrorKind> {
        let target = match self.target {
            Target::Bucket | Target::Redshift(_) => None,
            Target::Http(_) => Some(ErrorKind::HttpEndpoint),
            Target::Splunk(_) => Some(ErrorKind::Splunk),
            Target::OpenSearch(_) => Some(ErrorKind::OpenSearch),
        };
        let of_partitions = [ErrorKind::MetadataExtraction, ErrorKind::ActivePartitions];
        let partitioned = of_partitions.map(|kind| self.is_partitioned.then_some(kind));
        let converted = self
            .conversion
            .as_ref()
            .map(|_| ErrorKind::FormatConversion);
        let kinds = [Some(ErrorKind::Processing), converted, target]
            .into_iter()
            .chain(partitioned);
        kinds.flatten().collect()
    }

    /// Whether all that is delivered of a batch goes into one object.
    pub(crate) fn has_one_object(&self) -> bool {
        !self.is_partitioned && matches!(self.target, Target::Bucket | Target::Redshift(_))
    }

    /// When a batch is closed: at what comes first for any of the places where it goes. Hints of size are for each
    /// partition, and how much goes into which is known once the batch is carried out; until then there is room for
    /// many that fill at once.
    pub(crate) fn batch(&self) -> Buffering {
        let size_mib = if self.is_partitioned {
            PARTITIONED_BATCH_MIB
        } else {
            self.buffering.size_mib
        };
        let own = Buffering {
            size_mib,
            ..self.buffering
        };
        let Some(backup) = &self.backup else {
            return own;
        };
        Buffering {
            size_mib: own.size_mib.min(backup.buffering.size_mib),
            interval_s: own.interval_s.min(backup.buffering.interval_s),
        }
    }

    /// Where records that failed go.
    pub(crate) fn error_bucket(&self) -> &str {
        self.error_bucket.as_deref().unwrap_or(&self.bucket)
    }

    /// The prefixes, parsed.
    pub fn prefixes(&self) -> Result<Prefixes, PrefixError> {
        Prefixes::parse(
            self.prefix.as_deref(),
            self.error_prefix.as_deref(),
            self.time_zone.as_deref(),
        )
    }
}

/// How records become rows of columnar files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conversion {
    /// The table's database.
    pub database: String,
    /// The table whose columns files have.
    pub table: String,
    /// Its version; the newest when a batch is closed, where there is none.
    pub version: Option<u64>,
    /// The table's region, for lines about records that do not fit …
    pub region: String,
    /// … and its catalog.
    pub catalog: Option<String>,
    /// How records are read.
    pub read: Deserializer,
    /// How files are written.
    pub write: Serializer,
}

/// When a group is cut.
#[derive(Debug, Clone, Copy)]
pub struct GroupLimit {
    /// Bytes of data that it may have.
    pub bytes: usize,
    /// Time that may lie between the first and the last arrival in it.
    pub span: Duration,
}

/// A bucket for the records as they came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Backup {
    /// The bucket's name.
    pub bucket: String,
    /// The prefix of object keys, with expressions.
    pub prefix: Option<String>,
    /// The prefix for records that failed: none does, but it may be what makes the other one valid.
    pub error_prefix: Option<String>,
    /// The time zone of names; UTC when there is none.
    pub time_zone: Option<String>,
    /// When a batch is closed at the latest.
    pub buffering: Buffering,
    /// How objects are compressed.
    pub compression: Compression,
    /// The ARN of the key that the store is told to encrypt objects under.
    #[serde(default)]
    pub encryption_key: Option<String>,
}

impl Backup {
    /// The prefixes, parsed.
    pub(crate) fn prefixes(&self) -> Result<Prefixes, PrefixError> {
        let (data, errors) = (self.prefix.as_deref(), self.error_prefix.as_deref());
        let prefixes = Prefixes::parse(data, errors, self.time_zone.as_deref())?;
        match prefixes.partition_keys() {
            (query, lambda) if query.is_empty() && lambda.is_empty() => Ok(prefixes),
            _ => Err(PrefixError::NotPartitioned),
        }
    }
}

/// When a batch is closed: whichever comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buffering {
    /// MiB of incoming data, 1 to 128.
    pub size_mib: u32,
    /// Seconds since the oldest record arrived, 0 to 900.
    pub interval_s: u32,
}

impl Buffering {
    /// The size hint in bytes.
    pub fn bytes(&self) -> u64 {
        u64::from(self.size_mib) * 1024 * 1024
    }

    /// The interval hint.
    pub fn interval(&self) -> Duration {
        Duration::from_secs(self.interval_s.into())
    }
}

/// AWS's default, which partitioned streams have that were made while this was not kept.
fn partition_retry_before_it_was_kept() -> u32 {
    300
}

/// How objects are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// Not at all.
    None,
    /// One gzip member an object.
    Gzip,
    /// One Zstandard frame an object.
    Zstd,
    /// A ZIP archive with one file.
    Zip,
    /// Snappy in the blocks of snappy-java, behind its head.
    Snappy,
    /// Blocks as Hadoop's codec for Snappy writes them.
    HadoopSnappy,
}

impl Compression {
    /// The extension of an object's name where no other is configured.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
            Self::Zip => ".zip",
            Self::Snappy | Self::HadoopSnappy => ".snappy",
        }
    }
}

/// Where errors are logged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Logging {
    /// The log group.
    pub group: String,
    /// The log stream.
    pub stream: String,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Format;
    use crate::testing::{destination, function};

    #[test]
    fn what_earlier_releases_kept_is_read() {
        let steps = function(1024, 3);
        let now = Destination {
            steps: steps.clone(),
            ..destination()
        };
        let stored = serde_json::to_value(&now).unwrap();
        assert_eq!(
            serde_json::from_value::<Destination>(stored.clone()).unwrap(),
            now
        );
        let mut earlier = stored;
        let members = earlier.as_object_mut().unwrap();
        members.remove("steps").unwrap();
        let Step::Function(kept) = &steps[0] else {
            panic!("a function")
        };
        members.insert("function".into(), serde_json::to_value(kept).unwrap());
        assert_eq!(
            serde_json::from_value::<Destination>(earlier.clone()).unwrap(),
            now
        );
        let members = earlier.as_object_mut().unwrap();
        members.insert("function".into(), json!(null));
        members.insert("format".into(), json!("json"));
        let checked = serde_json::from_value::<Destination>(earlier.clone()).unwrap();
        assert_eq!(checked.steps, [Step::Check(Format::Json)]);
        earlier
            .as_object_mut()
            .unwrap()
            .insert("format".into(), json!("bytes"));
        assert_eq!(
            serde_json::from_value::<Destination>(earlier)
                .unwrap()
                .steps,
            []
        );
    }
}
