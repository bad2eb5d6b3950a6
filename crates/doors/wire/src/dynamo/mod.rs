//! How DynamoDB and its streams speak AWS JSON otherwise than other services do: the checksum of their answers, and answers
//! that are packed. Values of wrong types are told of in `validate`.
//!
//! All of it is as the tests of dynalite and of Alternator recorded it on AWS.

use crc_fast::CrcAlgorithm;
use headwater_shapes::Service;
use http::{HeaderMap, HeaderName};

use crate::ApiError;

/// The type of bodies that name none: DynamoDB takes them for AWS JSON.
pub(crate) const PLAIN_JSON: &str = "application/json";
/// The namespace of what DynamoDB's model names.
pub(crate) const OWN: &str = "com.amazonaws.dynamodb.v20120810";
const CHECKSUM: HeaderName = HeaderName::from_static("x-amz-crc32");

/// Whether a service is DynamoDB, or that of its streams.
pub(crate) fn is_meant(service: &Service) -> bool {
    service.signing_name == "dynamodb"
}

/// Whether an error has its text in `Message` rather than in `message`.
pub(crate) fn is_spelled_large(code: &str) -> bool {
    matches!(
        code,
        "AccessDeniedException" | "TransactionCanceledException"
    )
}

/// Adds the checksum of a body as it is sent.
pub(crate) fn add_checksum(headers: &mut HeaderMap, body: &[u8]) {
    let crc = crc_fast::checksum(CrcAlgorithm::Crc32IsoHdlc, body);
    headers.insert(CHECKSUM, crc.into());
}

/// The error of a body that is not packed as its head says: AWS takes it for a failure of its own.
pub(crate) fn not_packed() -> ApiError {
    ApiError::new(500, "InternalServerError", "Internal server error")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_services_are_not_meant() {
        assert!(is_meant(&headwater_shapes_dynamodb::SERVICE));
        assert!(!is_meant(&headwater_shapes_kinesis::SERVICE));
    }

    #[test]
    fn a_checksum_is_that_of_gzip() {
        let mut headers = HeaderMap::new();
        add_checksum(
            &mut headers,
            br#"{"__type":"com.amazon.coral.service#SerializationException"}"#,
        );
        assert_eq!(headers["x-amz-crc32"], "3948637019");
    }
}
