//! Refusals in AWS's words. (Sources: answers of Kinesis and DynamoDB recorded by kinesalite's and dynalite's authors;
//! for S3 its API reference, Ceph's s3-tests, and answers quoted in public reports.)

use headwater_types::Millis;

use headwater_shapes::ApiError;

use crate::{
    sign::{amz_date, iso_date},
    verify::{Refusal, ScopeError},
};

const MISSING: &str = "MissingAuthenticationTokenException";
const INCOMPLETE: &str = "IncompleteSignatureException";
const UNRECOGNIZED: &str = "UnrecognizedClientException";
const INVALID: &str = "InvalidSignatureException";

/// Whether an error is one of these: the layer in front of the JSON services, which gives them, knows no members but
/// the text.
pub fn is_refusal(code: &str) -> bool {
    [MISSING, INCOMPLETE, UNRECOGNIZED, INVALID].contains(&code)
}

impl Refusal {
    /// As the JSON services say it; Kinesis, Firehose and Logs with status 400, Lambda with 403.
    pub fn json(self, status: u16) -> ApiError {
        let (code, text) = match self {
            Refusal::Missing => (MISSING, "Missing Authentication Token".to_owned()),
            Refusal::Both => (
                INVALID,
                "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."
                    .to_owned(),
            ),
            Refusal::Scheme(whole) => (INCOMPLETE, header_lacks(&PARTS, false, &whole)),
            Refusal::Header { parts, date, whole } => (INCOMPLETE, header_lacks(&parts, date, &whole)),
            Refusal::Query(names) => (INCOMPLETE, query_lacks(&names)),
            Refusal::Lifetime(text) => (INCOMPLETE, text.to_owned()),
            Refusal::Date(given) => (
                INCOMPLETE,
                format!(
                    "Date must be in ISO-8601 'basic format'. Got '{given}'. See http://en.wikipedia.org/wiki/ISO_8601"
                ),
            ),
            Refusal::Algorithm(given) => (
                INCOMPLETE,
                format!("Unsupported AWS 'algorithm': '{given}' (only AWS4-HMAC-SHA256 for now). "),
            ),
            Refusal::Credential(given) => (
                INCOMPLETE,
                format!(
                    "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, \
                     got '{given}'"
                ),
            ),
            Refusal::Scope(wrong) => (INVALID, wrong.iter().map(scope_json).collect::<Vec<_>>().join(" ")),
            Refusal::Unsigned(_) => {
                (INVALID, "'Host' must be a 'SignedHeader' in the AWS Authorization.".to_owned())
            }
            Refusal::UnknownKey(_) => {
                (UNRECOGNIZED, "The security token included in the request is invalid.".to_owned())
            }
            Refusal::Token(_) => {
                (UNRECOGNIZED, "The security token included in the request is invalid".to_owned())
            }
            Refusal::Mismatch { canonical_request, text_to_sign, .. } => {
                (INVALID, mismatch(&canonical_request, &text_to_sign))
            }
            Refusal::Skewed { signed, at, now, max } => (INVALID, skewed(&signed, at, now, max)),
            // S3's alone; said somehow rather than left out.
            Refusal::NoHash | Refusal::Hash(_) | Refusal::NotYet | Refusal::Expired { .. } => {
                (INVALID, "The request signature is not valid.".to_owned())
            }
        };
        ApiError::new(status, code, text)
    }

    /// As S3 says it; `presigned` is whether the signature was in the address.
    pub fn s3(self, presigned: bool) -> ApiError {
        match self {
            Refusal::Missing => denied("Access Denied"),
            Refusal::Unsigned(names) => {
                denied("There were headers present in the request which were not signed")
                    .with("HeadersNotSigned", names.join(", "))
            }
            Refusal::UnknownKey(id) => ApiError::new(
                403,
                "InvalidAccessKeyId",
                "The AWS Access Key Id you provided does not exist in our records.",
            )
            .with("AWSAccessKeyId", id),
            Refusal::Token(token) => ApiError::new(
                400,
                "InvalidToken",
                "The provided token is malformed or otherwise invalid.",
            )
            .with("Token-0", token),
            Refusal::Mismatch {
                access_key_id,
                signature,
                canonical_request,
                text_to_sign,
            } => s3_mismatch(access_key_id, signature, &canonical_request, &text_to_sign),
            Refusal::Skewed {
                signed, now, max, ..
            } => ApiError::new(
                403,
                "RequestTimeTooSkewed",
                "The difference between the request time and the current time is too large.",
            )
            .with("RequestTime", signed)
            .with("ServerTime", iso_date(now))
            .with("MaxAllowedSkewMilliseconds", max.as_millis().to_string()),
            Refusal::NotYet => denied("Request is not valid yet"),
            Refusal::Expired { valid_for, at, now } => {
                let error = denied("Request has expired")
                    .with("Expires", iso_date(at))
                    .with("ServerTime", iso_date(now));
                match valid_for {
                    Some(valid_for) => error.with("X-Amz-Expires", valid_for.as_secs().to_string()),
                    None => error,
                }
            }
            form if presigned => form.s3_query(),
            form => form.s3_header(),
        }
    }

    /// S3's error for a presigned address of a wrong form.
    fn s3_query(self) -> ApiError {
        let text = match self {
            Refusal::Lifetime(text) => text.to_owned(),
            Refusal::Date(_) => {
                "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"".to_owned()
            }
            Refusal::Algorithm(_) => "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"".to_owned(),
            Refusal::Credential(_) => format!("{QUERY_CREDENTIAL}{CREDENTIAL_FORM}"),
            Refusal::Scope(wrong) => format!("{QUERY_CREDENTIAL}{}", scope_s3(&wrong)),
            Refusal::Hash(given) => return bad_hash(given),
            _ => "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, \
                  X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
                .to_owned(),
        };
        ApiError::new(400, "AuthorizationQueryParametersError", text)
    }

    /// S3's error for an `Authorization` header of a wrong form.
    fn s3_header(self) -> ApiError {
        let invalid = |text: &str| ApiError::new(400, "InvalidRequest", text);
        let malformed = |text: &str| {
            let text = format!("The authorization header is malformed; {text}");
            ApiError::new(400, "AuthorizationHeaderMalformed", text)
        };
        match self {
            Refusal::Both => invalid(
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string \
                 parameter or the Authorization header should be specified",
            ),
            Refusal::Scheme(whole) if !whole.starts_with("AWS ") => {
                ApiError::new(400, "InvalidArgument", "Unsupported Authorization Type")
                    .with("ArgumentName", "Authorization")
                    .with("ArgumentValue", whole)
            }
            Refusal::Scheme(_) | Refusal::Algorithm(_) => invalid(
                "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
            ),
            Refusal::Header { parts, .. } if !parts.is_empty() => malformed(&format!(
                "the authorization header requires three components: Credential, SignedHeaders, and Signature. \
                 Missing: {}.",
                parts.join(", ")
            )),
            Refusal::Credential(_) => malformed(CREDENTIAL_FORM),
            Refusal::Scope(wrong) => {
                let error = malformed(&scope_s3(&wrong));
                match wrong.last() {
                    Some(ScopeError::Region { expected, .. }) => {
                        error.with("Region", expected.as_str())
                    }
                    _ => error,
                }
            }
            Refusal::NoHash => {
                invalid("Missing required header for this request: x-amz-content-sha256")
            }
            Refusal::Hash(given) => bad_hash(given),
            _ => denied("AWS authentication requires a valid Date or x-amz-date header"),
        }
    }
}

/// An address signed in version 2 lacks parameters.
pub(super) fn version_2_lacks() -> ApiError {
    denied(
        "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters",
    )
}

const QUERY_CREDENTIAL: &str = "Error parsing the X-Amz-Credential parameter; ";
const CREDENTIAL_FORM: &str =
    "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".";

fn denied(text: &str) -> ApiError {
    ApiError::new(403, "AccessDenied", text)
}

fn bad_hash(given: String) -> ApiError {
    ApiError::new(
        400,
        "InvalidArgument",
        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, \
         STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
    )
    .with("ArgumentName", "x-amz-content-sha256")
    .with("ArgumentValue", given)
}

/// Version 2 has no canonical request.
fn s3_mismatch(
    key: String,
    signature: String,
    canonical_request: &str,
    text_to_sign: &str,
) -> ApiError {
    let error = ApiError::new(
        403,
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. Check your key and signing \
         method.",
    )
    .with("AWSAccessKeyId", key)
    .with("StringToSign", text_to_sign)
    .with("SignatureProvided", signature)
    .with("StringToSignBytes", bytes(text_to_sign));
    match canonical_request {
        "" => error,
        text => error
            .with("CanonicalRequest", text)
            .with("CanonicalRequestBytes", bytes(text)),
    }
}

const PARTS: [&str; 3] = ["Credential", "Signature", "SignedHeaders"];

/// AWS lists everything that is missing.
fn header_lacks(parts: &[&str], date: bool, whole: &str) -> String {
    let parts: String = parts
        .iter()
        .map(|part| format!("Authorization header requires '{part}' parameter. "))
        .collect();
    let date = match date {
        true => {
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
        }
        false => "",
    };
    format!("{parts}{date}Authorization={whole}")
}

fn query_lacks(names: &[&str]) -> String {
    let names: String = names
        .iter()
        .map(|name| format!("AWS query-string parameters must include '{name}'. "))
        .collect();
    format!("{names}Re-examine the query-string parameters.")
}

fn scope_json(wrong: &ScopeError) -> String {
    match wrong {
        ScopeError::Region { given, .. } => {
            format!("Credential should be scoped to a valid region, not '{given}'.")
        }
        ScopeError::Service { expected, .. } => {
            format!("Credential should be scoped to correct service: '{expected}'.")
        }
        ScopeError::Terminator { given } => {
            format!(
                "Credential should be scoped with a valid terminator: 'aws4_request', not '{given}'."
            )
        }
        ScopeError::Day { given, time } => format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{given}' != \
             '{}', from '{time}'.",
            &time[..8]
        ),
    }
}

/// S3 names only one thing that is wrong.
fn scope_s3(wrong: &[ScopeError]) -> String {
    match wrong.last() {
        Some(ScopeError::Day { given, time }) => format!(
            "Invalid credential date \"{given}\". This date is not the same as X-Amz-Date: \"{}\".",
            &time[..8]
        ),
        Some(ScopeError::Terminator { given }) => {
            format!("incorrect terminal \"{given}\". This endpoint uses \"aws4_request\".")
        }
        Some(ScopeError::Service { given, expected }) => {
            format!("incorrect service \"{given}\". This endpoint belongs to \"{expected}\".")
        }
        Some(ScopeError::Region { given, expected }) => {
            format!("the region '{given}' is wrong; expecting '{expected}'")
        }
        None => CREDENTIAL_FORM.to_owned(),
    }
}

fn mismatch(canonical_request: &str, text_to_sign: &str) -> String {
    format!(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
         Key and signing method. Consult the service documentation for details.\n\nThe Canonical String for this \
         request should have been\n'{canonical_request}'\n\nThe String-to-Sign should have been\n'{text_to_sign}'\n"
    )
}

fn skewed(signed: &str, at: Millis, now: Millis, max: std::time::Duration) -> String {
    let span = match max.as_secs() {
        seconds if seconds.is_multiple_of(60) => format!("{} min.", seconds / 60),
        seconds => format!("{seconds} sec."),
    };
    let our = amz_date(now);
    match at > now {
        true => format!(
            "Signature not yet current: {signed} is still later than {} ({our} + {span})",
            amz_date(now.plus(max))
        ),
        false => format!(
            "Signature expired: {signed} is now earlier than {} ({our} - {span})",
            amz_date(now.minus(max))
        ),
    }
}

/// `47 45 54`, as S3 shows texts whose invisible characters matter.
fn bytes(text: &str) -> String {
    text.bytes()
        .map(|byte| format!("{byte:02x}"))
        .collect::<Vec<_>>()
        .join(" ")
}
