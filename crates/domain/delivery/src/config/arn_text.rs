//! ARNs as text in what the catalog keeps.

use headwater_types::Arn;
use serde::{Deserialize, Deserializer, Serializer, de::Error};

pub fn serialize<S: Serializer>(arn: &Arn, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(arn)
}

pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arn, D::Error> {
    String::deserialize(from)?.parse().map_err(D::Error::custom)
}
