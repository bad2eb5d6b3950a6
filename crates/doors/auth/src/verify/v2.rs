//! Signature version 2 in addresses: what boto3 still makes by itself when it presigns for S3 in us-east-1.
//!
//! Nothing else of version 2 is taken. (Source: the S3 API reference, "Signing and authenticating REST requests".)

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use headwater_types::Millis;
use hmac::{Hmac, KeyInit, Mac};
use http::{header, request::Parts};
use sha1::Sha1;

use crate::{
    Caller, parse_query,
    verify::{Refusal, Verifier},
};

const KEY: &str = "AWSAccessKeyId";
const TOKEN: &str = "x-amz-security-token";

/// The parameters that are signed; a holder of the address may change the others.
const SIGNED: [&str; 35] = [
    "accelerate",
    "acl",
    "analytics",
    "cors",
    "defaultObjectAcl",
    "delete",
    "inventory",
    "lifecycle",
    "location",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "partNumber",
    "policy",
    "replication",
    "requestPayment",
    "restore",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "select",
    "select-type",
    "storageClass",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
];

/// Whether a request's address is signed in this way.
pub(super) fn is_signed(head: &Parts) -> bool {
    let query = head.uri.query().unwrap_or_default();
    !head.headers.contains_key(header::AUTHORIZATION)
        && query.split('&').any(|pair| {
            pair.strip_prefix(KEY)
                .is_some_and(|rest| rest.starts_with('='))
        })
}

/// The caller that signed it with one of the keys, for `path`, which begins with the bucket, while it is valid.
pub(super) fn check(verifier: &Verifier, head: &Parts, path: &str) -> Result<Arc<Caller>, Refusal> {
    let query = parse_query(head.uri.query().unwrap_or_default());
    let value = |name: &str| {
        query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    let (Some(id), Some(signature), Some(expires)) =
        (value(KEY), value("Signature"), value("Expires"))
    else {
        return Err(Refusal::Query(vec![KEY, "Signature", "Expires"]));
    };
    let at = expires
        .parse::<u64>()
        .ok()
        .and_then(|seconds| seconds.checked_mul(1000))
        .map(Millis);
    let at = at.ok_or_else(|| Refusal::Date(expires.to_owned()))?;
    let now = verifier.0.clock.now();
    if at < now {
        return Err(Refusal::Expired {
            valid_for: None,
            at,
            now,
        });
    }
    let key = verifier
        .0
        .keys
        .get(id)
        .ok_or_else(|| Refusal::UnknownKey(id.to_owned()))?;
    let text_to_sign = text_to_sign(head, path, &query, expires);
    let mut mac = Hmac::<Sha1>::new_from_slice(key.credentials.secret_access_key.as_bytes())
        .expect("HMAC takes keys of any length");
    mac.update(text_to_sign.as_bytes());
    if !STANDARD
        .decode(signature)
        .is_ok_and(|given| mac.verify_slice(&given).is_ok())
    {
        return Err(Refusal::Mismatch {
            access_key_id: id.to_owned(),
            signature: signature.to_owned(),
            canonical_request: String::new(),
            text_to_sign,
        });
    }
    verifier.check_token(&key.credentials, value(TOKEN))?;
    Ok(key.holder.clone())
}

fn text_to_sign(head: &Parts, path: &str, query: &[(String, String)], expires: &str) -> String {
    let text = |name: &str| {
        let values = head.headers.get_all(name).iter();
        values
            .map(|v| String::from_utf8_lossy(v.as_bytes()).trim().to_owned())
            .collect::<Vec<_>>()
            .join(",")
    };
    let in_headers = head
        .headers
        .keys()
        .map(|name| (name.as_str().to_owned(), text(name.as_str())));
    let in_query = query
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
    let mut amz: Vec<_> = in_headers
        .chain(in_query)
        .filter(|(name, _)| name.starts_with("x-amz-"))
        .collect();
    amz.sort();
    let amz: String = amz
        .iter()
        .map(|(name, value)| format!("{name}:{value}\n"))
        .collect();
    let mut parameters: Vec<_> = query
        .iter()
        .filter(|(name, _)| SIGNED.contains(&name.as_str()))
        .collect();
    parameters.sort();
    let pair = |(name, value): &(String, String)| match value.as_str() {
        // Without a value there is no `=` either, as clients write `?uploads`.
        "" => name.clone(),
        value => format!("{name}={value}"),
    };
    let parameters = parameters
        .into_iter()
        .map(pair)
        .collect::<Vec<_>>()
        .join("&");
    let mark = if parameters.is_empty() { "" } else { "?" };
    let (md5, kind) = (text("content-md5"), text("content-type"));
    format!(
        "{}\n{md5}\n{kind}\n{expires}\n{amz}{path}{mark}{parameters}",
        head.method
    )
}
