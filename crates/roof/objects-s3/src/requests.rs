//! Members of requests out of the domain's values: one member an algorithm, an attribute, a condition.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use headwater_objects::{Attributes, ByteRange, ObjectError, WriteCondition};
use headwater_shapes::Timestamp;
use headwater_types::Millis;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Sets the member of a request that carries a checksum's value.
macro_rules! set_checksum {
    ($input:expr, $checksum:expr) => {
        if let Some((algorithm, value)) = $checksum {
            match algorithm {
                headwater_objects::Algorithm::Crc32 => $input.checksum_crc32 = Some(value),
                headwater_objects::Algorithm::Crc32c => $input.checksum_crc32c = Some(value),
                headwater_objects::Algorithm::Crc64Nvme => $input.checksum_crc64nvme = Some(value),
                headwater_objects::Algorithm::Sha1 => $input.checksum_sha1 = Some(value),
                headwater_objects::Algorithm::Sha256 => $input.checksum_sha256 = Some(value),
            }
        }
    };
}

/// Sets the members of a request that carry attributes.
macro_rules! set_attributes {
    ($input:expr, $attributes:expr) => {{
        let attributes: &headwater_objects::Attributes = $attributes;
        let header = |name: &str| attributes.headers.get(name).cloned();
        $input.cache_control = header("cache-control");
        $input.content_disposition = header("content-disposition");
        $input.content_encoding = header("content-encoding");
        $input.content_language = header("content-language");
        $input.content_type = header("content-type");
        $input.expires = header("expires");
        $input.metadata = $crate::requests::metadata(attributes);
        $input.tagging = $crate::requests::tagging(&attributes.tags);
        $input.storage_class.clone_from(&attributes.storage_class);
        if let Some(encryption) = &attributes.encryption {
            $input.server_side_encryption = Some(encryption.method.name().to_owned());
            $input.ssekms_key_id.clone_from(&encryption.key);
            $input.bucket_key_enabled = encryption.bucket_key;
        }
    }};
}

pub(crate) use {set_attributes, set_checksum};

/// The metadata, where there is some.
pub fn metadata(attributes: &Attributes) -> Option<BTreeMap<String, String>> {
    Some(attributes.metadata.clone()).filter(|metadata| !metadata.is_empty())
}

/// Tags as a header has them.
pub fn tagging(tags: &BTreeMap<String, String>) -> Option<String> {
    let escape = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let pairs: Vec<_> = tags
        .iter()
        .map(|(key, value)| format!("{}={}", escape(key), escape(value)))
        .collect();
    (!pairs.is_empty()).then(|| pairs.join("&"))
}

/// `If-Match` and `If-None-Match` of a write.
pub fn write_condition(condition: &WriteCondition) -> (Option<String>, Option<String>) {
    match condition {
        WriteCondition::None => (None, None),
        WriteCondition::IfAbsent => (None, Some("*".to_owned())),
        WriteCondition::IfMatch(etag) => (Some(etag.clone()), None),
    }
}

/// The error of a write whose condition does not hold.
pub fn failed_condition(condition: &WriteCondition) -> ObjectError {
    ObjectError::PreconditionFailed(match condition {
        WriteCondition::IfAbsent => "If-None-Match",
        _ => "If-Match",
    })
}

/// The `Range` and part number of a read.
pub fn range(range: Option<ByteRange>) -> (Option<String>, Option<i32>) {
    match range {
        None => (None, None),
        Some(ByteRange::From(first)) => (Some(format!("bytes={first}-")), None),
        Some(ByteRange::Between(first, last)) => (Some(format!("bytes={first}-{last}")), None),
        Some(ByteRange::Last(count)) => (Some(format!("bytes=-{count}")), None),
        Some(ByteRange::Part(number)) => (None, i32::try_from(number).ok()),
    }
}

/// A time of a condition.
pub fn time(at: Millis) -> Timestamp {
    Timestamp(i64::try_from(at.0).unwrap_or(i64::MAX))
}

/// An MD5 as a header has it.
pub fn md5(md5: Option<[u8; 16]>) -> Option<String> {
    md5.map(|md5| STANDARD.encode(md5))
}
