//! The domain's values out of members of answers.

use headwater_objects::{Algorithm, Checksum, Coverage, Encryption, EncryptionMethod, ObjectError};
use headwater_shapes::Timestamp;
use headwater_types::Millis;
use percent_encoding::percent_decode_str;

/// The checksum in the members of an answer.
macro_rules! checksum {
    ($output:expr) => {
        $crate::answers::one_checksum([
            (headwater_objects::Algorithm::Crc32, &$output.checksum_crc32),
            (
                headwater_objects::Algorithm::Crc32c,
                &$output.checksum_crc32c,
            ),
            (
                headwater_objects::Algorithm::Crc64Nvme,
                &$output.checksum_crc64nvme,
            ),
            (headwater_objects::Algorithm::Sha1, &$output.checksum_sha1),
            (
                headwater_objects::Algorithm::Sha256,
                &$output.checksum_sha256,
            ),
        ])
    };
}

/// The attributes in the members of an answer, without tags.
macro_rules! attributes {
    ($output:expr) => {{
        let headers = [
            ("cache-control", &$output.cache_control),
            ("content-disposition", &$output.content_disposition),
            ("content-encoding", &$output.content_encoding),
            ("content-language", &$output.content_language),
            ("content-type", &$output.content_type),
            ("expires", &$output.expires),
        ];
        let headers = headers
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
        headwater_objects::Attributes {
            headers: headers.collect(),
            metadata: $output.metadata.clone().unwrap_or_default(),
            tags: Default::default(),
            storage_class: $crate::answers::storage_class($output.storage_class.clone()),
            encryption: $crate::answers::encryption!($output),
        }
    }};
}

/// The encryption in the members of an answer.
macro_rules! encryption {
    ($output:expr) => {
        $crate::answers::encrypted(
            $output.server_side_encryption.as_deref(),
            $output.ssekms_key_id.clone(),
            $output.bucket_key_enabled,
        )
    };
}

pub(crate) use {attributes, checksum, encryption};

/// How the store says that it encrypted an object, by a method that is known here.
pub fn encrypted(
    method: Option<&str>,
    key: Option<String>,
    bucket_key: Option<bool>,
) -> Option<Encryption> {
    let method = EncryptionMethod::named(method?)?;
    Some(Encryption {
        method,
        key,
        bucket_key,
    })
}

/// The one that is there; a value with a number of parts is made of theirs.
pub fn one_checksum(members: [(Algorithm, &Option<String>); 5]) -> Option<Checksum> {
    let (algorithm, value) = members
        .into_iter()
        .find_map(|(a, value)| Some((a, value.clone()?)))?;
    let coverage = if value.contains('-') {
        Coverage::Composite
    } else {
        Coverage::FullObject
    };
    Some(Checksum {
        algorithm,
        value,
        coverage,
    })
}

/// A class of storage, where it is another than the usual one.
pub fn storage_class(class: Option<String>) -> Option<String> {
    class.filter(|class| class != "STANDARD")
}

/// An ETag without quotes.
pub fn etag(etag: &Option<String>) -> String {
    etag.as_deref()
        .unwrap_or_default()
        .trim_matches('"')
        .to_owned()
}

/// The number of parts that an ETag tells of.
pub fn parts(etag: &str) -> Option<u32> {
    etag.split_once('-')
        .and_then(|(_, parts)| parts.parse().ok())
}

/// A time of an answer.
pub fn millis(at: Option<Timestamp>) -> Millis {
    Millis(at.and_then(|at| u64::try_from(at.0).ok()).unwrap_or(0))
}

/// A size of an answer.
pub fn size(size: Option<i64>) -> u64 {
    size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0)
}

/// First byte, byte after the last, and the object's size, out of `bytes 0-9/100`.
pub fn content_range(text: &str) -> Option<(u64, u64, u64)> {
    let (range, size) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    Some((
        first.parse().ok()?,
        last.parse::<u64>().ok()?.checked_add(1)?,
        size.parse().ok()?,
    ))
}

/// A key, prefix or marker that was escaped on request.
pub fn unescaped(text: &str) -> Result<String, ObjectError> {
    let spaced = text.replace('+', " ");
    let text = percent_decode_str(&spaced).decode_utf8();
    text.map(|text| text.into_owned())
        .map_err(|_| ObjectError::Remote("a key in a listing is not UTF-8".into()))
}

/// The coverage of a checksum, out of S3's name for it.
pub fn coverage(name: Option<&str>) -> Coverage {
    match name {
        Some("COMPOSITE") => Coverage::Composite,
        _ => Coverage::FullObject,
    }
}
