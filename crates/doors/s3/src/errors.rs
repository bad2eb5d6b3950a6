//! The domain's errors as S3 spells them. Codes, texts and fields are those that AWS was seen to answer with.

use base64::{Engine, engine::general_purpose::STANDARD};
use headwater_objects::{Coverage, ObjectError, limits};
use headwater_shapes_s3::errors;
use headwater_wire::ApiError;
use serde_json::Value;

use crate::{
    settings,
    times::{http_date, timestamp},
};

/// The error that a client is told.
pub fn api(error: ObjectError) -> ApiError {
    use ObjectError as E;
    match error {
        E::InvalidBucketName(name) => new(400, "InvalidBucketName", "The specified bucket is not valid.")
            .with("BucketName", name),
        E::NoSuchBucket(name) => ApiError::of(&errors::NO_SUCH_BUCKET, "The specified bucket does not exist")
            .with("BucketName", name),
        E::BucketExists(name) => ApiError::of(
            &errors::BUCKET_ALREADY_OWNED_BY_YOU,
            "Your previous request to create the named bucket succeeded and you already own it.",
        )
        .with("BucketName", name),
        E::BucketNotEmpty(name) => {
            new(409, "BucketNotEmpty", "The bucket you tried to delete is not empty").with("BucketName", name)
        }
        E::NoSuchKey(key) => no_such_key(key),
        E::NoSuchUpload(id) => ApiError::of(
            &errors::NO_SUCH_UPLOAD,
            "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted \
             or completed.",
        )
        .with("UploadId", id),
        E::EmptyKey => argument("A key must have at least one character", "Key", ""),
        E::KeyTooLong(size) => new(400, "KeyTooLongError", "Your key is too long")
            .with("Size", size.to_string())
            .with("MaxSizeAllowed", limits::KEY_BYTES_MAX.to_string()),
        E::InvalidRange { size } => new(416, "InvalidRange", "The requested range is not satisfiable")
            .with("ActualObjectSize", size.to_string()),
        E::NoSuchPart { number, count } => {
            new(416, "InvalidPartNumber", "The requested partnumber is not satisfiable")
                .with("PartNumberRequested", number.to_string())
                .with("ActualPartCount", count.to_string())
        }
        E::PreconditionFailed(condition) => precondition_failed(condition),
        E::Conflict { condition, key } => new(
            409,
            "ConditionalRequestConflict",
            "The conditional request cannot succeed due to a conflicting operation against this resource.",
        )
        .with("Condition", condition)
        .with("Key", key),
        E::NotModified { etag, modified } => new(304, "NotModified", "Not Modified")
            .with("ETag", quoted(&etag))
            .with("Last-Modified", http_date(timestamp(modified))),
        E::Busy => new(503, "SlowDown", "Please reduce your request rate."),
        E::Body(error) => broken_body(&error),
        error => version(error),
    }
}

fn no_such_key(key: String) -> ApiError {
    ApiError::of(&errors::NO_SUCH_KEY, "The specified key does not exist.").with("Key", key)
}

/// The errors of versions. What is told of a delete marker stands in headers.
fn version(error: ObjectError) -> ApiError {
    use ObjectError as E;
    match error {
        E::VersionsLeft(bucket) => new(
            409,
            "BucketNotEmpty",
            "The bucket you tried to delete is not empty. You must delete all versions in the bucket.",
        )
        .with("BucketName", bucket),
        E::InvalidVersion(id) => argument("Invalid version id specified", "versionId", &id),
        E::NoSuchVersion { key, version } => new(
            404,
            "NoSuchVersion",
            "The specified version does not exist.",
        )
        .with("Key", key)
        .with("VersionId", version),
        E::Deleted { key, version } => no_such_key(key)
            .with("header:x-amz-delete-marker", "true")
            .with("header:x-amz-version-id", version),
        E::DeleteMarker { version, modified } => not_for_markers("GET")
            .with("header:x-amz-delete-marker", "true")
            .with("header:x-amz-version-id", version)
            .with("header:Last-Modified", http_date(timestamp(modified))),
        error => upload(error),
    }
}

/// The refusal of a request for what a delete marker does not have.
pub fn not_for_markers(method: &str) -> ApiError {
    new(
        405,
        "MethodNotAllowed",
        "The specified method is not allowed against this resource.",
    )
    .with("Method", method)
    .with("ResourceType", "DeleteMarker")
    .with("header:Allow", "DELETE")
}

/// The errors of bodies, and of what was told about them.
fn upload(error: ObjectError) -> ApiError {
    use ObjectError as E;
    match error {
        E::Md5Mismatch { expected, computed } => new(
            400,
            "BadDigest",
            "The Content-MD5 you specified did not match what we received.",
        )
        .with("ExpectedDigest", base64_of_hex(&expected))
        .with("CalculatedDigest", base64_of_hex(&computed)),
        E::ChecksumMismatch(algorithm) => bad_digest(format!(
            "The {algorithm} you specified did not match the calculated checksum."
        )),
        E::WholeMismatch(algorithm) => bad_digest(format!(
            "The {} you specified did not match the calculated checksum.",
            lower(algorithm)
        )),
        E::PartChecksumMismatch { algorithm, number } => bad_digest(format!(
            "The {} you specified for part {number} did not match what we received.",
            lower(algorithm)
        )),
        E::MissingPartChecksum { algorithm, number } => invalid_request(format!(
            "The upload was created using a {} checksum. The complete request must include the checksum for each \
             part. It was missing for part {number} in the request.",
            lower(algorithm)
        )),
        E::OtherAlgorithm { expected, actual } => invalid_request(format!(
            "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
            lower(expected),
            lower(actual)
        )),
        E::OtherCoverage(coverage) => invalid_request(format!(
            "The upload was created using the {} checksum mode. The complete request must use the same checksum \
             mode.",
            coverage.map_or("null", coverage_name)
        )),
        E::NotComposable(algorithm) => invalid_request(format!(
            "The FULL_OBJECT checksum type cannot be used with the {} checksum algorithm.",
            lower(algorithm)
        )),
        E::NotComposite(algorithm) => invalid_request(format!(
            "The COMPOSITE checksum type cannot be used with the {} checksum algorithm.",
            lower(algorithm)
        )),
        E::WrongSize { expected, actual } => invalid_request(format!(
            "The provided 'x-amz-mp-object-size' header value {expected} does not match what was computed: {actual}"
        )),
        E::TooLarge { limit } => new(
            400,
            "EntityTooLarge",
            "Your proposed upload exceeds the maximum allowed size",
        )
        .with("MaxSizeAllowed", limit.to_string()),
        E::WrongLength { expected, actual } => new(
            400,
            "IncompleteBody",
            "You did not provide the number of bytes specified by the Content-Length HTTP header",
        )
        .with("NumberBytesExpected", expected.to_string())
        .with("NumberBytesProvided", actual.to_string()),
        error => parts(error),
    }
}

/// The errors of parts, and those that are the store's own.
fn parts(error: ObjectError) -> ApiError {
    use ObjectError as E;
    match error {
        E::PartNumber(number) => argument(
            "Part number must be an integer between 1 and 10000, inclusive",
            "partNumber",
            &number.to_string(),
        ),
        E::PartTooSmall { number, size, etag } => {
            new(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
                .with("ETag", etag)
                .with("MinSizeAllowed", limits::PART_BYTES_MIN.to_string())
                .with("PartNumber", number.to_string())
                .with("ProposedSize", size.to_string())
        }
        E::InvalidPart { number, etag } => new(
            400,
            "InvalidPart",
            "One or more of the specified parts could not be found.  The part may not have been uploaded, or the \
             specified entity tag may not match the part's entity tag.",
        )
        .with("PartNumber", number.to_string())
        .with("ETag", etag.trim_matches('"')),
        E::PartOrder => new(
            400,
            "InvalidPartOrder",
            "The list of parts was not in ascending order. Parts must be ordered by part number.",
        ),
        E::Encryption(method) => settings::unsupported(&format!("x-amz-server-side-encryption: {}", method.name())),
        E::EncryptionKey(key) => new(400, "KMS.NotFoundException", format!("Invalid keyId '{key}'")),
        E::Elsewhere(what) => ApiError::not_supported(format_args!(
            "{what} with --objects s3, where they are for the store behind"
        )),
        E::NoParts => invalid_request("You must specify at least one part"),
        E::DiskFull => new(503, "ServiceUnavailable", error.to_string()),
        error => {
            tracing::error!(%error, "the object store failed");
            new(500, "InternalError", "We encountered an internal error. Please try again.")
        }
    }
}

/// A condition of a request does not hold; `condition` is the header's name.
pub fn precondition_failed(condition: &str) -> ApiError {
    new(
        412,
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
    )
    .with("Condition", condition)
}

/// An argument's value is wrong.
pub fn argument(message: impl Into<String>, name: &str, value: &str) -> ApiError {
    new(400, "InvalidArgument", message)
        .with("ArgumentName", name)
        .with("ArgumentValue", value)
}

/// A request contradicts itself or what it is for.
pub fn invalid_request(message: impl Into<String>) -> ApiError {
    ApiError::of(&errors::INVALID_REQUEST, message)
}

/// A body is not what its schema asks for.
pub fn malformed_xml() -> ApiError {
    new(
        400,
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )
}

/// An ETag as headers have it.
pub fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}

/// The error that broke a body off: the protocol's, which has its own words, or the connection's.
pub fn broken_body(error: &std::io::Error) -> ApiError {
    let inner = error.get_ref();
    if let Some(error) = inner.and_then(|inner| inner.downcast_ref::<ApiError>()) {
        return error.clone();
    }
    if let Some(error) = inner.and_then(|inner| inner.downcast_ref::<ObjectError>()) {
        return api(error.clone());
    }
    new(
        400,
        "IncompleteBody",
        "The request body terminated unexpectedly",
    )
}

fn new(status: u16, code: &str, message: impl Into<String>) -> ApiError {
    ApiError::new(status, code, message)
}

fn bad_digest(message: String) -> ApiError {
    new(400, "BadDigest", message)
}

fn lower(algorithm: headwater_objects::Algorithm) -> String {
    algorithm.name().to_ascii_lowercase()
}

/// A checksum's coverage, as AWS names it.
pub fn coverage_name(coverage: Coverage) -> &'static str {
    match coverage {
        Coverage::FullObject => "FULL_OBJECT",
        Coverage::Composite => "COMPOSITE",
    }
}

fn base64_of_hex(hex: &str) -> Value {
    let byte = |i: usize| {
        hex.get(i..i + 2)
            .and_then(|pair| u8::from_str_radix(pair, 16).ok())
    };
    let bytes: Option<Vec<u8>> = (0..hex.len()).step_by(2).map(byte).collect();
    bytes.map_or(Value::Null, |bytes| STANDARD.encode(bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_shown_in_base64() {
        let md5 = "437b930db84b8079c2dd804a71936b5f".to_owned();
        let error = api(ObjectError::Md5Mismatch {
            expected: md5.clone(),
            computed: md5,
        });
        assert_eq!(
            error.fields()["CalculatedDigest"],
            "Q3uTDbhLgHnC3YBKcZNrXw=="
        );
    }

    #[test]
    fn the_protocols_words_for_a_broken_body_are_kept() {
        let inner = ApiError::new(400, "BadDigest", "The CRC32 …");
        let broken = std::io::Error::other(inner.clone());
        assert_eq!(api(ObjectError::Body(broken.into())), inner);
        let cut = std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
        assert_eq!(api(ObjectError::Body(cut.into())).code(), "IncompleteBody");
    }
}
