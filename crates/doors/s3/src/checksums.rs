//! Checksums in requests and answers: one member an algorithm.

use base64::{Engine, engine::general_purpose::STANDARD};
use headwater_objects::{Algorithm, Checksum, Expected};
use headwater_wire::ApiError;

use crate::errors::{argument, invalid_request};

/// The members of a request that carry checksums: those that are kept here, and those that are not.
macro_rules! given {
    ($input:expr) => {
        $crate::checksums::RequestChecksums {
            kept: [
                (headwater_objects::Algorithm::Crc32, &$input.checksum_crc32),
                (
                    headwater_objects::Algorithm::Crc32c,
                    &$input.checksum_crc32c,
                ),
                (
                    headwater_objects::Algorithm::Crc64Nvme,
                    &$input.checksum_crc64nvme,
                ),
                (headwater_objects::Algorithm::Sha1, &$input.checksum_sha1),
                (
                    headwater_objects::Algorithm::Sha256,
                    &$input.checksum_sha256,
                ),
            ],
            others: [
                &$input.checksum_sha512,
                &$input.checksum_md5,
                &$input.checksum_xxhash64,
                &$input.checksum_xxhash3,
                &$input.checksum_xxhash128,
            ],
        }
    };
}

/// Sets the members of an answer that carry a checksum.
macro_rules! answer {
    ($output:expr, $checksum:expr) => {
        if let Some(checksum) = $checksum {
            let value = Some(checksum.value.clone());
            match checksum.algorithm {
                headwater_objects::Algorithm::Crc32 => $output.checksum_crc32 = value,
                headwater_objects::Algorithm::Crc32c => $output.checksum_crc32c = value,
                headwater_objects::Algorithm::Crc64Nvme => $output.checksum_crc64nvme = value,
                headwater_objects::Algorithm::Sha1 => $output.checksum_sha1 = value,
                headwater_objects::Algorithm::Sha256 => $output.checksum_sha256 = value,
            }
        }
    };
}

pub(crate) use {answer, given};

/// The names on the wire of all members that [`given`] reads, and of those that name an algorithm.
pub const MEMBERS: [&str; 12] = [
    "x-amz-sdk-checksum-algorithm",
    "x-amz-checksum-algorithm",
    "x-amz-checksum-crc32",
    "x-amz-checksum-crc32c",
    "x-amz-checksum-crc64nvme",
    "x-amz-checksum-sha1",
    "x-amz-checksum-sha256",
    "x-amz-checksum-sha512",
    "x-amz-checksum-md5",
    "x-amz-checksum-xxhash64",
    "x-amz-checksum-xxhash3",
    "x-amz-checksum-xxhash128",
];

/// A request's checksums.
pub struct RequestChecksums<'a> {
    pub kept: [(Algorithm, &'a Option<String>); 5],
    pub others: [&'a Option<String>; 5],
}

impl RequestChecksums<'_> {
    /// The one that the request has; its value is of the right length.
    pub fn one(&self) -> Result<Option<(Algorithm, String)>, ApiError> {
        let given = self.of_parts()?;
        if let Some((algorithm, value)) = &given {
            check_value(*algorithm, value)?;
        }
        Ok(given)
    }

    /// The one of a part in a list, or of an object in parts. Its value is compared, and may be any.
    pub fn of_parts(&self) -> Result<Option<(Algorithm, String)>, ApiError> {
        if self.others.iter().any(|value| value.is_some()) {
            return Err(unsupported());
        }
        let mut given = self
            .kept
            .iter()
            .filter_map(|(a, value)| Some((*a, value.as_ref()?.clone())));
        match (given.next(), given.next()) {
            (Some(_), Some(_)) => Err(invalid_request(
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
            )),
            (one, _) => Ok(one),
        }
    }

    /// The digests that a body must have: its MD5, its checksum, or just the algorithm of a checksum that comes behind it.
    pub fn expected(&self, md5: Option<&str>, named: Option<&str>) -> Result<Expected, ApiError> {
        let checksum = match (self.one()?, named) {
            (Some((algorithm, value)), _) => Some((algorithm, Some(value))),
            (None, Some(name)) => Some((algorithm(name)?, None)),
            (None, None) => None,
        };
        Ok(Expected {
            md5: md5.map(md5_value).transpose()?,
            checksum,
        })
    }
}

/// The algorithm of that name.
pub fn algorithm(name: &str) -> Result<Algorithm, ApiError> {
    Algorithm::named(name).ok_or_else(unsupported)
}

/// The checksum of what is read, for a reader who asked for it with `mode`.
pub fn wanted<'a>(checksum: &'a Option<Checksum>, mode: &Option<String>) -> Option<&'a Checksum> {
    checksum
        .as_ref()
        .filter(|_| mode.as_deref() == Some("ENABLED"))
}

fn check_value(algorithm: Algorithm, value: &str) -> Result<(), ApiError> {
    match STANDARD.decode(value) {
        Ok(bytes) if bytes.len() == algorithm.value_len() => Ok(()),
        _ => Err(invalid_request(format!(
            "Value for x-amz-checksum-{} header is invalid.",
            algorithm.name().to_ascii_lowercase()
        ))),
    }
}

fn md5_value(text: &str) -> Result<[u8; 16], ApiError> {
    let bytes = STANDARD
        .decode(text)
        .ok()
        .and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| {
        ApiError::new(
            400,
            "InvalidDigest",
            "The Content-MD5 you specified was invalid.",
        )
        .with("Content-MD5", text)
    })
}

fn unsupported() -> ApiError {
    invalid_request(
        "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, \
         CRC64NVME, SHA1, SHA256]",
    )
}

/// A checksum type of a request.
pub fn coverage(name: &str) -> Result<headwater_objects::Coverage, ApiError> {
    match name {
        "FULL_OBJECT" => Ok(headwater_objects::Coverage::FullObject),
        "COMPOSITE" => Ok(headwater_objects::Coverage::Composite),
        _ => Err(argument(
            "Value for x-amz-checksum-type header is invalid.",
            "x-amz-checksum-type",
            name,
        )),
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_s3::PutObjectRequest;

    use super::*;

    fn expected(change: impl FnOnce(&mut PutObjectRequest)) -> Result<Expected, ApiError> {
        let mut input = PutObjectRequest::default();
        change(&mut input);
        given!(input).expected(
            input.content_md5.as_deref(),
            input.checksum_algorithm.as_deref(),
        )
    }

    #[test]
    fn one_checksum_is_taken_as_given() {
        let crc = "DUoRhQ==".to_owned();
        let found = expected(|input| input.checksum_crc32 = Some(crc.clone())).unwrap();
        assert_eq!(found.checksum, Some((Algorithm::Crc32, Some(crc.clone()))));
        let later = expected(|input| input.checksum_algorithm = Some("CRC64NVME".into())).unwrap();
        assert_eq!(later.checksum, Some((Algorithm::Crc64Nvme, None)));
        let two = expected(|input| {
            input.checksum_crc32 = Some(crc.clone());
            input.checksum_crc32c = Some(crc.clone());
        });
        assert!(two.unwrap_err().message().starts_with("Expecting a single"));
        let short = expected(|input| input.checksum_sha1 = Some(crc)).unwrap_err();
        assert_eq!(
            short.message(),
            "Value for x-amz-checksum-sha1 header is invalid."
        );
        let other = expected(|input| input.checksum_xxhash3 = Some("AAAA".into())).unwrap_err();
        assert!(other.message().contains("unsupported"));
    }

    #[test]
    fn an_md5_has_sixteen_bytes() {
        let found =
            expected(|input| input.content_md5 = Some("Q3uTDbhLgHnC3YBKcZNrXw==".into())).unwrap();
        assert_eq!(found.md5.unwrap()[0], 0x43);
        let bad = expected(|input| input.content_md5 = Some("__invalid__".into())).unwrap_err();
        assert_eq!(bad.code(), "InvalidDigest");
    }
}
