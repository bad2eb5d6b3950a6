//! ARNs: AWS's names for everything, `arn:partition:service:region:account:resource`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::Invalid;

/// A region's name, such as `us-east-1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Region(pub String);

/// A twelve-digit account number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Account(pub String);

/// An AWS resource name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arn {
    /// `aws`, `aws-cn`, `aws-us-gov` …
    pub partition: String,
    /// `kinesis`, `firehose`, `lambda`, `s3` …
    pub service: String,
    /// The region, empty for S3 and other services without one.
    pub region: String,
    /// The account, empty for S3.
    pub account: String,
    /// All after the fifth colon: `stream/taxi`, `function:EnrichEvents`, `my-bucket`.
    pub resource: String,
}

impl Arn {
    /// The ARN of `resource` in the standard partition.
    pub fn new(
        service: &str,
        region: &Region,
        account: &Account,
        resource: impl Into<String>,
    ) -> Self {
        Self {
            partition: "aws".into(),
            service: service.into(),
            region: region.0.clone(),
            account: account.0.clone(),
            resource: resource.into(),
        }
    }

    /// The name of a stream, function or delivery stream: the part of the resource after `kind` and a `/` or `:`.
    pub fn name_of(&self, kind: &str) -> Option<&str> {
        self.resource
            .strip_prefix(kind)?
            .strip_prefix(['/', ':'])
            .filter(|name| !name.is_empty())
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            partition,
            service,
            region,
            account,
            resource,
        } = self;
        write!(f, "arn:{partition}:{service}:{region}:{account}:{resource}")
    }
}

impl FromStr for Arn {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let mut parts = text.splitn(6, ':');
        let mut next = || {
            parts
                .next()
                .map(str::to_owned)
                .ok_or_else(|| Invalid::new("ARN", text))
        };
        let scheme = next()?;
        let arn = Self {
            partition: next()?,
            service: next()?,
            region: next()?,
            account: next()?,
            resource: next()?,
        };
        if scheme == "arn" && !arn.service.is_empty() && !arn.resource.is_empty() {
            Ok(arn)
        } else {
            Err(Invalid::new("ARN", text))
        }
    }
}

impl Serialize for Arn {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Arn {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_reads_back_and_names_its_resource() {
        let text = "arn:aws:kinesis:us-east-1:000000000000:stream/taxi";
        let arn: Arn = text.parse().unwrap();
        assert_eq!(arn.to_string(), text);
        assert_eq!(arn.name_of("stream"), Some("taxi"));
        assert_eq!(arn.name_of("function"), None);
        assert_eq!(
            "arn:aws:s3:::my-bucket".parse::<Arn>().unwrap().resource,
            "my-bucket"
        );
        for bad in ["", "arn", "arn:aws:kinesis:us-east-1:0", "urn:aws:s3:::b"] {
            assert!(bad.parse::<Arn>().is_err(), "{bad}");
        }
    }
}
