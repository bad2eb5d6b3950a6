//! Settings that AWS has and this does not: refused by name, whatever they say.

use headwater_shapes_dynamodb::{SSESpecification, WarmThroughput};
use headwater_wire::ApiError;

use crate::errors::invalid;

/// Refuses a setting that is there.
pub(crate) fn absent<T>(setting: Option<T>, name: &str) -> Result<(), ApiError> {
    match setting {
        None => Ok(()),
        Some(_) => Err(ApiError::not_supported(name)),
    }
}

/// Refuses throughput that is asked for ahead of its use.
pub(crate) fn warm(setting: Option<WarmThroughput>) -> Result<(), ApiError> {
    absent(setting, "WarmThroughput")
}

/// Refuses encryption under a key of the caller's. What is asked for without one is what there always is.
pub(crate) fn encryption(setting: Option<SSESpecification>) -> Result<(), ApiError> {
    let Some(setting) = setting else {
        return Ok(());
    };
    let SSESpecification {
        enabled,
        sse_type,
        kms_master_key_id,
    } = setting;
    let is_off = enabled == Some(false);
    match (sse_type.as_deref(), kms_master_key_id) {
        (Some(_), _) if is_off => Err(invalid("SSEType can not be specified if Enabled is false")),
        (_, Some(_)) if is_off => Err(invalid(
            "KMSMasterKeyId can not be specified if Enabled is false",
        )),
        (Some("AES256"), _) => Err(invalid("SSEType AES256 is not supported")),
        (None, None) if enabled != Some(true) => Ok(()),
        _ => Err(ApiError::not_supported(
            "SSESpecification with keys of AWS KMS",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encryption_without_a_key_is_what_there_is() {
        let with = |enabled, kind: Option<&str>| {
            encryption(Some(SSESpecification {
                enabled,
                sse_type: kind.map(str::to_owned),
                kms_master_key_id: None,
            }))
        };
        assert_eq!(with(Some(false), None), Ok(()));
        assert_eq!(with(None, None), Ok(()));
        assert_eq!(with(Some(true), None).unwrap_err().code(), "NotImplemented");
        assert_eq!(
            with(None, Some("KMS")).unwrap_err().code(),
            "NotImplemented"
        );
        assert_eq!(
            with(Some(false), Some("KMS")).unwrap_err().message(),
            "One or more parameter values were invalid: SSEType can not be specified if Enabled is false"
        );
    }
}
