//! What several operations answer: credentials, and refusals.

use headwater_auth::sessions::Temporary;
use headwater_shapes::Timestamp;
use headwater_shapes_sts::Credentials;
use headwater_wire::ApiError;

/// A session's key as STS shows it.
pub(crate) fn credentials(begun: Temporary) -> Credentials {
    let Temporary {
        credentials,
        expires,
    } = begun;
    Credentials {
        access_key_id: credentials.access_key_id,
        secret_access_key: credentials.secret_access_key,
        session_token: credentials.session_token.unwrap_or_default(),
        // AWS's end at a whole second.
        expiration: Timestamp(i64::try_from(expires.seconds() * 1000).unwrap_or(i64::MAX)),
    }
}

/// An input that STS does not take.
pub(crate) fn invalid(text: impl Into<String>) -> ApiError {
    ApiError::new(400, "ValidationError", text)
}

/// A call that its caller may not make.
pub(crate) fn denied(text: impl Into<String>) -> ApiError {
    ApiError::new(403, "AccessDenied", text)
}

/// Refuses settings that are given and that nothing here would heed.
pub(crate) fn refuse(given: &[(&str, bool)]) -> Result<(), ApiError> {
    match given.iter().find(|(_, given)| *given) {
        Some((name, _)) => Err(ApiError::not_supported(format_args!(
            "STS's setting {name}"
        ))),
        None => Ok(()),
    }
}
