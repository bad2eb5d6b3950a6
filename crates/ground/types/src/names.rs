//! Names of streams and shards.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Invalid, digits::write_digits};

/// A stream's name: 1 to 128 of `[a-zA-Z0-9_.-]` (Kinesis API reference, `StreamName`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StreamName(String);

impl StreamName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for StreamName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
        if (1..=128).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::new("stream name", text))
        }
    }
}

impl TryFrom<String> for StreamName {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<StreamName> for String {
    fn from(name: StreamName) -> String {
        name.0
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A shard's place in its stream, counted from 0 over the stream's life; its text is AWS's shard id,
/// `shardId-000000000003`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ShardIndex(pub u32);

impl fmt::Display for ShardIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut id = *b"shardId-000000000000";
        write_digits(self.0.into(), &mut id[8..]);
        f.write_str(str::from_utf8(&id).expect("all of it is ASCII"))
    }
}

impl FromStr for ShardIndex {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let digits = text
            .strip_prefix("shardId-")
            .filter(|d| d.len() == 12 && d.bytes().all(|b| b.is_ascii_digit()));
        digits
            .and_then(|d| d.parse().ok())
            .map(ShardIndex)
            .ok_or_else(|| Invalid::new("shard id", text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_id_reads_back() {
        assert_eq!(ShardIndex(3).to_string(), "shardId-000000000003");
        assert_eq!("shardId-000000000003".parse(), Ok(ShardIndex(3)));
        assert!("shardId-3".parse::<ShardIndex>().is_err());
        assert!("shardId-999999999999".parse::<ShardIndex>().is_err());
    }

    #[test]
    fn a_stream_name_has_only_its_letters() {
        assert!("taxi_trips-2018.raw".parse::<StreamName>().is_ok());
        for bad in ["", "a b", "a/b", "é", &"a".repeat(129)] {
            assert!(bad.parse::<StreamName>().is_err(), "{bad}");
        }
    }
}
