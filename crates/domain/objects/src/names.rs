//! Names of buckets and objects.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{ObjectError, limits::KEY_BYTES_MAX};

/// A bucket's name: 3 to 63 lower-case letters, digits, dots and hyphens, by AWS's rules for general purpose buckets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BucketName(String);

impl BucketName {
    const PREFIXES: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];
    const SUFFIXES: [&str; 5] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];

    /// `name`, when it keeps the rules.
    pub fn parse(name: &str) -> Result<Self, ObjectError> {
        if Self::keeps_rules(name) {
            Ok(Self(name.to_owned()))
        } else {
            Err(ObjectError::InvalidBucketName(name.to_owned()))
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn keeps_rules(name: &str) -> bool {
        let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let bytes = name.as_bytes();
        (3..=63).contains(&bytes.len())
            && bytes
                .iter()
                .all(|&b| alphanumeric(b) || b == b'.' || b == b'-')
            && alphanumeric(bytes[0])
            && alphanumeric(bytes[bytes.len() - 1])
            && !name.contains("..")
            && name.parse::<std::net::Ipv4Addr>().is_err()
            && !Self::PREFIXES.iter().any(|p| name.starts_with(p))
            && !Self::SUFFIXES.iter().any(|s| name.ends_with(s))
    }
}

impl fmt::Display for BucketName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A bucket and a key in it: 1 to 1,024 bytes of UTF-8.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName {
    bucket: BucketName,
    key: String,
}

impl ObjectName {
    /// The object `key` of the bucket `bucket`.
    pub fn parse(bucket: &str, key: &str) -> Result<Self, ObjectError> {
        Self::new(BucketName::parse(bucket)?, key)
    }

    /// The object `key` of `bucket`.
    pub fn new(bucket: BucketName, key: &str) -> Result<Self, ObjectError> {
        match key.len() {
            0 => Err(ObjectError::EmptyKey),
            1..=KEY_BYTES_MAX => Ok(Self {
                bucket,
                key: key.to_owned(),
            }),
            len => Err(ObjectError::KeyTooLong(len)),
        }
    }

    /// The bucket.
    pub fn bucket(&self) -> &BucketName {
        &self.bucket
    }

    /// The key.
    pub fn key(&self) -> &str {
        &self.key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_names_keep_the_rules_of_aws() {
        for good in ["abc", "my-bucket.2", "0-9", &"a".repeat(63), "1.2.3.4.5"] {
            assert!(BucketName::parse(good).is_ok(), "{good}");
        }
        let bad = [
            "",
            "ab",
            "Abc",
            "a_b",
            "-ab",
            "ab-",
            "a..b",
            ".ab",
            "192.168.5.4",
            "xn--a",
            "a--x-s3",
            "a/b",
            "bück",
            &"a".repeat(64),
        ];
        for bad in bad {
            assert!(BucketName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_key_has_1_to_1024_bytes() {
        let key = |key: &str| ObjectName::parse("bucket", key);
        assert!(matches!(key(""), Err(ObjectError::EmptyKey)));
        assert!(key(&"é".repeat(512)).is_ok());
        assert!(matches!(
            key(&"é".repeat(513)),
            Err(ObjectError::KeyTooLong(1026))
        ));
    }
}
