//! Signature version 4, the server's half: whether a request was signed with a key that we know.
//!
//! Reads the signature out of the `Authorization` header or a presigned address, makes it anew with the key's secret
//! and compares in constant time. Which keys there are is given by the caller; what the holder of a key may do, and
//! how a door words a refusal, is theirs too. The body is claimed by its hash here and checked where it is read.

use std::{collections::HashMap, sync::Arc, time::Duration};

use headwater_types::Millis;
use http::{header, request::Parts};
use percent_encoding::percent_decode_str;

use crate::sign::{
    ALGORITHM, CONTENT_SHA256, Credentials, DATE, SECURITY_TOKEN, Scope, UNSIGNED_PAYLOAD, canonical_request,
    hex, hmac, parse_amz_date, signing_key, text_to_sign,
};

/// How far a signature's time may be from ours, in both directions: AWS's documented fifteen minutes, five for most.
pub const SKEW_MAX: Duration = Duration::from_secs(15 * 60);
/// How long a presigned address may be valid: seven days, as AWS documents.
pub const PRESIGNED_MAX: Duration = Duration::from_secs(7 * 24 * 3600);

/// The keys that callers may sign with.
#[derive(Debug, Clone, Default)]
pub struct Keys(Arc<HashMap<String, Credentials>>);

impl Keys {
    /// These keys, found by their public half.
    pub fn new(keys: impl IntoIterator<Item = Credentials>) -> Self {
        Self(Arc::new(keys.into_iter().map(|key| (key.access_key_id.clone(), key)).collect()))
    }
}

/// Who signed, and what was said of the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The public half of the key.
    pub access_key_id: String,
    /// The region that the signature is for.
    pub region: String,
    /// The service that the signature is for.
    pub service: String,
    /// The body's SHA-256 in hexadecimal, when the signature covers it: whoever reads the body must compare.
    pub payload_sha256: Option<String>,
}

/// Why a signature is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is none.
    #[error("the request is not signed")]
    Missing,
    /// A part of it is missing or malformed.
    #[error("{0}")]
    Incomplete(String),
    /// No such key, or another session's token.
    #[error("the key {0} is not known")]
    UnknownKey(String),
    /// It was made with another secret or for another request.
    #[error("the signature does not match")]
    Mismatch {
        /// What should have been signed, for the client's author to compare.
        canonical_request: String,
        /// The text made of it.
        text_to_sign: String,
    },
    /// Its time is too far from ours.
    #[error("the signature of {signed} is too far from the time")]
    Skewed {
        /// When it was made, as `20150830T123600Z`.
        signed: String,
        /// Our time.
        now: Millis,
    },
    /// The presigned address is no longer valid.
    #[error("the address expired")]
    Expired {
        /// When it expired.
        at: Millis,
        /// Our time.
        now: Millis,
    },
}

/// A signature as the request carries it.
struct Claim {
    access_key_id: String,
    day: String,
    region: String,
    service: String,
    signed_headers: Vec<String>,
    signature: String,
    time: String,
    token: Option<String>,
    /// Of a presigned address: how long it is valid.
    valid_for: Option<Duration>,
}

/// Whether `request`, whose body hashes to `body_sha256` where it is known already, was signed with one of `keys`.
pub fn verify(
    request: &Parts,
    body_sha256: Option<&str>,
    keys: &Keys,
    now: Millis,
) -> Result<Verified, Refusal> {
    let claim = Claim::of(request)?;
    let known = keys.0.get(&claim.access_key_id).filter(|key| key.session_token == claim.token);
    let key = known.ok_or_else(|| Refusal::UnknownKey(claim.access_key_id.clone()))?;
    let at = claim.check_time(now)?;
    let payload = claim.payload(request, body_sha256);
    let names: Vec<&str> = claim.signed_headers.iter().map(String::as_str).collect();
    let canonical_request = canonical_request(request, &names, &payload, &claim.service);
    let scope = Scope { service: &claim.service, region: &claim.region, at };
    let place = format!("{}/{}/{}/aws4_request", claim.day, claim.region, claim.service);
    let text_to_sign = text_to_sign(&claim.time, &place, &canonical_request);
    let signature = hex(&hmac(&signing_key(key, &claim.day, &scope), text_to_sign.as_bytes()));
    if !equal(signature.as_bytes(), claim.signature.as_bytes()) {
        return Err(Refusal::Mismatch { canonical_request, text_to_sign });
    }
    let covered = payload.len() == 64 && payload.bytes().all(|b| b.is_ascii_hexdigit());
    Ok(Verified {
        access_key_id: claim.access_key_id,
        region: claim.region,
        service: claim.service,
        payload_sha256: covered.then_some(payload),
    })
}

impl Claim {
    fn of(request: &Parts) -> Result<Self, Refusal> {
        match request.headers.get(header::AUTHORIZATION) {
            Some(value) => Self::of_header(request, &String::from_utf8_lossy(value.as_bytes())),
            None if query(request, "X-Amz-Algorithm").is_some() => Self::of_query(request),
            None => Err(Refusal::Missing),
        }
    }

    fn of_header(request: &Parts, text: &str) -> Result<Self, Refusal> {
        let (algorithm, rest) = text.split_once(' ').unwrap_or((text, ""));
        if algorithm != ALGORITHM {
            return Err(Refusal::Incomplete(format!(
                "Unsupported algorithm in the Authorization header: {algorithm}"
            )));
        }
        let parts: HashMap<&str, &str> =
            rest.split(',').filter_map(|part| part.trim().split_once('=')).collect();
        let date = text_header(request, DATE.as_str());
        // AWS lists everything that is missing, in this order.
        let missing: String = [
            (parts.contains_key("Credential"), "Authorization header requires 'Credential' parameter. "),
            (parts.contains_key("Signature"), "Authorization header requires 'Signature' parameter. "),
            (
                parts.contains_key("SignedHeaders"),
                "Authorization header requires 'SignedHeaders' parameter. ",
            ),
            (
                date.is_some(),
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ",
            ),
        ]
        .iter()
        .filter(|(there, _)| !there)
        .map(|(_, words)| *words)
        .collect();
        if !missing.is_empty() {
            return Err(Refusal::Incomplete(format!("{missing}Authorization={text}")));
        }
        Self::new(
            parts["Credential"],
            parts["SignedHeaders"],
            parts["Signature"],
            date.unwrap_or_default(),
            text_header(request, SECURITY_TOKEN.as_str()),
            None,
        )
    }

    fn of_query(request: &Parts) -> Result<Self, Refusal> {
        let need = |name: &str| {
            query(request, name).ok_or_else(|| {
                Refusal::Incomplete(format!("AWS query-string parameters must include {name}"))
            })
        };
        if need("X-Amz-Algorithm")? != ALGORITHM {
            return Err(Refusal::Incomplete(format!("X-Amz-Algorithm only supports \"{ALGORITHM}\"")));
        }
        let seconds: u64 = need("X-Amz-Expires")?
            .parse()
            .map_err(|_| Refusal::Incomplete("X-Amz-Expires should be a number".to_owned()))?;
        let valid_for = Duration::from_secs(seconds);
        if valid_for > PRESIGNED_MAX {
            return Err(Refusal::Incomplete("X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds".to_owned()));
        }
        Self::new(
            &need("X-Amz-Credential")?,
            &need("X-Amz-SignedHeaders")?,
            &need("X-Amz-Signature")?,
            need("X-Amz-Date")?,
            query(request, "X-Amz-Security-Token"),
            Some(valid_for),
        )
    }

    fn new(
        credential: &str,
        signed_headers: &str,
        signature: &str,
        time: String,
        token: Option<String>,
        valid_for: Option<Duration>,
    ) -> Result<Self, Refusal> {
        // A key id may hold slashes, the four parts behind it do not.
        let mut parts = credential.rsplitn(5, '/');
        let mut next = || parts.next().filter(|part| !part.is_empty()).map(str::to_owned);
        let parts = (next(), next(), next(), next(), next());
        let (Some(end), Some(service), Some(region), Some(day), Some(access_key_id)) = parts else {
            return Err(malformed(credential));
        };
        let same_day = day.len() == 8 && time.starts_with(&day);
        if end != "aws4_request" || !same_day {
            return Err(malformed(credential));
        }
        let mut signed_headers: Vec<String> =
            signed_headers.split(';').map(str::to_ascii_lowercase).collect();
        signed_headers.sort();
        if !signed_headers.iter().any(|name| name == "host") {
            return Err(Refusal::Incomplete(
                "'Host' must be a 'SignedHeader' in the AWS Authorization.".to_owned(),
            ));
        }
        let signature = signature.to_owned();
        Ok(Self { access_key_id, day, region, service, signed_headers, signature, time, token, valid_for })
    }

    /// The signature's time, when it is near enough to ours.
    fn check_time(&self, now: Millis) -> Result<Millis, Refusal> {
        let skewed = || Refusal::Skewed { signed: self.time.clone(), now };
        let at = parse_amz_date(&self.time).ok_or_else(skewed)?;
        if at > now.plus(SKEW_MAX) {
            return Err(skewed());
        }
        match self.valid_for {
            Some(valid_for) if at.plus(valid_for) < now => {
                Err(Refusal::Expired { at: at.plus(valid_for), now })
            }
            None if at.plus(SKEW_MAX) < now => Err(skewed()),
            _ => Ok(at),
        }
    }

    /// What stands for the body in the signed text.
    fn payload(&self, request: &Parts, body_sha256: Option<&str>) -> String {
        let claimed = text_header(request, CONTENT_SHA256.as_str());
        match (self.valid_for, claimed, body_sha256) {
            (_, Some(claimed), _) => claimed,
            (Some(_), None, _) if self.service == "s3" => UNSIGNED_PAYLOAD.to_owned(),
            (_, None, body) => body.unwrap_or(EMPTY_SHA256).to_owned(),
        }
    }
}

const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn malformed(credential: &str) -> Refusal {
    Refusal::Incomplete(format!(
        "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{credential}'"
    ))
}

fn text_header(request: &Parts, name: &str) -> Option<String> {
    request.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// A query parameter, decoded.
fn query(request: &Parts, name: &str) -> Option<String> {
    let pairs = request.uri.query()?.split('&');
    let value = pairs.filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name)?.1;
    Some(percent_decode_str(value).decode_utf8_lossy().into_owned())
}

/// Comparison whose time does not tell where the first difference is.
fn equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (x, y)| difference | (x ^ y)) == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::sign::{Payload, sign};

    const NOW: Millis = Millis(1_440_938_160_000);

    fn key(secret: &str, token: Option<&str>) -> Credentials {
        Credentials {
            access_key_id: "AKID/EXAMPLE".into(),
            secret_access_key: secret.into(),
            session_token: token.map(str::to_owned),
        }
    }

    fn keys(token: Option<&str>) -> Keys {
        Keys::new([key("secret", token)])
    }

    fn signed(service: &str, uri: &str, body: &[u8], key: &Credentials) -> Parts {
        let (mut parts, ()) =
            http::Request::post(uri).header("X-Amz-Target", "a.B").body(()).unwrap().into_parts();
        sign(&mut parts, Payload::Bytes(body), key, &Scope { service, region: "eu-west-1", at: NOW });
        parts
    }

    fn hash(body: &[u8]) -> String {
        hex(&Sha256::digest(body))
    }

    #[test]
    fn what_was_signed_is_believed_and_nothing_else() {
        for (service, uri) in
            [("kinesis", "http://127.0.0.1:4566/"), ("s3", "http://127.0.0.1:4566/b/a%20b?x=1&a=%2F")]
        {
            let parts = signed(service, uri, b"{}", &key("secret", None));
            let believed = verify(&parts, Some(&hash(b"{}")), &keys(None), NOW).unwrap();
            assert_eq!((believed.region.as_str(), believed.service.as_str()), ("eu-west-1", service));
            assert_eq!(believed.payload_sha256, Some(hash(b"{}")));
            let mut other = signed(service, uri, b"{}", &key("secret", None));
            other.headers.insert("X-Amz-Target", "a.C".parse().unwrap());
            assert!(matches!(
                verify(&other, Some(&hash(b"{}")), &keys(None), NOW),
                Err(Refusal::Mismatch { .. })
            ));
            let forged = signed(service, uri, b"{}", &key("guess", None));
            assert!(matches!(
                verify(&forged, Some(&hash(b"{}")), &keys(None), NOW),
                Err(Refusal::Mismatch { .. })
            ));
        }
        let parts = signed("kinesis", "http://127.0.0.1:4566/", b"{}", &key("secret", None));
        assert!(matches!(
            verify(&parts, Some(&hash(b"[]")), &keys(None), NOW),
            Err(Refusal::Mismatch { .. })
        ));
    }

    #[test]
    fn a_session_needs_its_token() {
        let parts = signed("kinesis", "http://h/", b"", &key("secret", Some("token")));
        assert!(verify(&parts, Some(EMPTY_SHA256), &keys(Some("token")), NOW).is_ok());
        let refused = verify(&parts, Some(EMPTY_SHA256), &keys(None), NOW);
        assert_eq!(refused, Err(Refusal::UnknownKey("AKID/EXAMPLE".into())));
    }

    #[test]
    fn a_clock_may_be_a_quarter_of_an_hour_off() {
        let parts = signed("kinesis", "http://h/", b"", &key("secret", None));
        let at = |now| verify(&parts, Some(EMPTY_SHA256), &keys(None), now).map(drop);
        assert_eq!(at(NOW.plus(SKEW_MAX)), Ok(()));
        assert_eq!(at(NOW.minus(SKEW_MAX)), Ok(()));
        let second = Duration::from_secs(1);
        assert!(matches!(at(NOW.plus(SKEW_MAX + second)), Err(Refusal::Skewed { .. })));
        assert!(matches!(at(NOW.minus(SKEW_MAX + second)), Err(Refusal::Skewed { .. })));
    }

    /// From the S3 API reference, "Authenticating Requests: Using Query Parameters".
    #[test]
    fn the_presigned_example_of_the_s3_reference() {
        let uri = "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&\
                   X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&\
                   X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&\
                   X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
        let request = http::Request::get(uri).header("host", "examplebucket.s3.amazonaws.com");
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let keys = Keys::new([Credentials {
            access_key_id: "AKIAIOSFODNN7EXAMPLE".into(),
            secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(),
            session_token: None,
        }]);
        let signed = Millis(1_369_353_600_000);
        assert!(verify(&parts, None, &keys, signed.plus(Duration::from_secs(86_400))).is_ok());
        let late = verify(&parts, None, &keys, signed.plus(Duration::from_secs(86_401)));
        assert!(matches!(late, Err(Refusal::Expired { .. })));
    }

    #[test]
    fn what_is_missing_is_named() {
        let parts = |authorization: &str| {
            let request = http::Request::get("http://h/").header("authorization", authorization);
            request.body(()).unwrap().into_parts().0
        };
        let refusal =
            |authorization| verify(&parts(authorization), None, &keys(None), NOW).unwrap_err().to_string();
        assert!(refusal("AWS4-HMAC-SHA256 Signature=a").starts_with(
            "Authorization header requires 'Credential' parameter. Authorization header requires 'SignedHeaders' parameter."
        ));
        assert!(refusal("Basic abc").contains("Basic"));
        let (unsigned, ()) = http::Request::get("http://h/").body(()).unwrap().into_parts();
        assert_eq!(verify(&unsigned, None, &keys(None), NOW), Err(Refusal::Missing));
    }

    proptest! {
        #[test]
        fn any_header_and_query_is_answered(authorization in "[ -~]{0,80}", date in "[0-9TZ]{0,20}", query in "[a-zA-Z0-9=&%-]{0,80}") {
            let request = http::Request::get(format!("http://h/?X-Amz-Algorithm=AWS4-HMAC-SHA256&{query}"))
                .header("x-amz-date", date);
            let (mut parts, ()) = request.body(()).unwrap().into_parts();
            prop_assert!(verify(&parts, None, &keys(None), NOW).is_err());
            let whole = format!("AWS4-HMAC-SHA256 Credential=a/20150830/b/c/aws4_request, SignedHeaders=host, {authorization}");
            parts.headers.insert(header::AUTHORIZATION, whole.parse().unwrap());
            prop_assert!(verify(&parts, None, &keys(None), NOW).is_err());
        }
    }
}
