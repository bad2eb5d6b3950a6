//! A signature as a request carries it: taken apart, and checked in all that needs no key.

use std::{borrow::Cow, time::Duration};

use headwater_types::Millis;
use http::{header, request::Parts};
use percent_encoding::percent_decode_str;

use crate::{
    sign::{
        ALGORITHM, AUTHORITY, CONTENT_SHA256, DATE, SECURITY_TOKEN, UNSIGNED_PAYLOAD, amz_date,
        parse_amz_date,
    },
    verify::{Refusal, ScopeError, seal},
};

/// How far a signature's time may be from ours: a quarter of an hour for S3, as its errors document.
const S3_SKEW: Duration = Duration::from_secs(15 * 60);
/// The same for all other services, as their errors tell.
const SKEW: Duration = Duration::from_secs(5 * 60);
/// How long a presigned address may be valid: seven days, as AWS documents.
const PRESIGNED_SECONDS: i64 = 7 * 24 * 3600;

const TERMINATOR: &str = "aws4_request";

/// A signature, and what it is said to be made with and for.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) access_key_id: String,
    pub(super) day: String,
    pub(super) region: String,
    service: String,
    terminator: String,
    pub(super) signed_headers: Vec<String>,
    pub(super) signature: String,
    /// As `20150830T123600Z`.
    pub(super) time: String,
    at: Millis,
    pub(super) token: Option<String>,
    /// Of a presigned address: how long it is valid, where it says so.
    presigned: Option<Option<Duration>>,
}

/// The parts of a signature as texts.
pub(super) struct Texts<'a> {
    pub(super) algorithm: Cow<'a, str>,
    pub(super) credential: Cow<'a, str>,
    pub(super) signed_headers: Cow<'a, str>,
    pub(super) signature: Cow<'a, str>,
    pub(super) date: Cow<'a, str>,
    pub(super) token: Option<Cow<'a, str>>,
    pub(super) presigned: Option<Option<Duration>>,
}

/// Whether the signature of a request, if any, is in its address.
pub(super) fn is_presigned(head: &Parts) -> bool {
    !head.headers.contains_key(header::AUTHORIZATION) && query(head, "X-Amz-Algorithm").is_some()
}

/// The value of `x-amz-content-sha256` that an S3 request's signature covers: a hash, or a word for an unsigned or
/// chunked body.
pub(super) fn s3_payload(head: &Parts, presigned: bool) -> Result<String, Refusal> {
    let claimed = match text(head, CONTENT_SHA256.as_str()) {
        Some(claimed) => claimed,
        None if presigned => return Ok(UNSIGNED_PAYLOAD.to_owned()),
        None => return Err(Refusal::NoHash),
    };
    let words = [
        UNSIGNED_PAYLOAD,
        seal::UNSIGNED_CHUNKS,
        seal::CHUNKS,
        seal::CHUNKS_AND_TRAILER,
    ];
    let hash = claimed.len() == 64 && claimed.bytes().all(|byte| byte.is_ascii_hexdigit());
    match hash || words.contains(&&*claimed) {
        true => Ok(claimed.into_owned()),
        false => Err(Refusal::Hash(claimed.into_owned())),
    }
}

impl Claim {
    pub(super) fn of(head: &Parts, service: &str) -> Result<Self, Refusal> {
        let presigned = query(head, "X-Amz-Algorithm").is_some();
        let texts = match head.headers.get(header::AUTHORIZATION) {
            Some(_) if presigned => return Err(Refusal::Both),
            Some(value) => {
                let value = std::str::from_utf8(value.as_bytes())
                    .map_err(|_| Refusal::Scheme(String::new()));
                of_header(head, value?, service)?
            }
            None if presigned => of_query(head, service)?,
            None => return Err(Refusal::Missing),
        };
        Self::new(texts)
    }

    pub(super) fn new(texts: Texts<'_>) -> Result<Self, Refusal> {
        let at = parse_amz_date(&texts.date).or_else(|| parse_http_date(&texts.date));
        let at = at.ok_or_else(|| Refusal::Date(texts.date.clone().into_owned()))?;
        let mut signed_headers: Vec<String> = texts
            .signed_headers
            .split(';')
            .map(str::to_ascii_lowercase)
            .collect();
        signed_headers.sort();
        if texts.algorithm != ALGORITHM {
            return Err(Refusal::Algorithm(texts.algorithm.into_owned()));
        }
        // A key id may hold slashes, the four parts behind it do not.
        let mut parts = texts.credential.rsplitn(5, '/');
        let mut next = || parts.next().map(str::to_owned);
        let parts = (next(), next(), next(), next(), next());
        let (Some(terminator), Some(service), Some(region), Some(day), Some(access_key_id)) = parts
        else {
            return Err(Refusal::Credential(texts.credential.into_owned()));
        };
        Ok(Self {
            access_key_id,
            day,
            region,
            service,
            terminator,
            signed_headers,
            signature: texts.signature.into_owned(),
            time: amz_date(at),
            at,
            token: texts.token.map(Cow::into_owned),
            presigned: texts.presigned,
        })
    }

    pub(super) fn is_presigned(&self) -> bool {
        self.presigned.is_some()
    }

    /// The scope of the signing key: day, region, service and terminator, as they are signed.
    pub(super) fn place(&self) -> String {
        format!("{}/{}/{}/{TERMINATOR}", self.day, self.region, self.service)
    }

    /// Whether the signature's time is near enough to ours.
    pub(super) fn check_time(&self, now: Millis, service: &str) -> Result<(), Refusal> {
        let (s3, at) = (service == "s3", self.at);
        let skew = if s3 { S3_SKEW } else { SKEW };
        let skewed = |max| {
            Err(Refusal::Skewed {
                signed: self.time.clone(),
                at,
                now,
                max,
            })
        };
        let valid_for = self.presigned.flatten();
        match valid_for {
            _ if at > now.plus(skew) && s3 && valid_for.is_some() => Err(Refusal::NotYet),
            _ if at > now.plus(skew) => skewed(skew),
            Some(valid_for) if s3 && at.plus(valid_for) < now => Err(Refusal::Expired {
                valid_for: Some(valid_for),
                at: at.plus(valid_for),
                now,
            }),
            Some(valid_for) if at.plus(valid_for) < now => skewed(valid_for),
            None if at.plus(skew) < now => skewed(skew),
            _ => Ok(()),
        }
    }

    /// Whether it is made for this request's kind: what must be signed is, and all is for us and for today.
    pub(super) fn check_scope(
        &self,
        head: &Parts,
        region: &str,
        service: &str,
    ) -> Result<(), Refusal> {
        let unsigned = self.unsigned(head, service);
        if !unsigned.is_empty() {
            return Err(Refusal::Unsigned(unsigned));
        }
        let wrong = self.wrong_scope(region, service);
        if wrong.is_empty() {
            Ok(())
        } else {
            Err(Refusal::Scope(wrong))
        }
    }

    /// All that it is made for and should not be.
    pub(super) fn wrong_scope(&self, region: &str, service: &str) -> Vec<ScopeError> {
        let mut wrong = Vec::new();
        if self.region != region {
            wrong.push(ScopeError::Region {
                given: self.region.clone(),
                expected: region.to_owned(),
            });
        }
        if self.service != service {
            wrong.push(ScopeError::Service {
                given: self.service.clone(),
                expected: service.to_owned(),
            });
        }
        if self.terminator != TERMINATOR {
            wrong.push(ScopeError::Terminator {
                given: self.terminator.clone(),
            });
        }
        if self.day != self.time[..8] {
            wrong.push(ScopeError::Day {
                given: self.day.clone(),
                time: self.time.clone(),
            });
        }
        wrong
    }

    /// The headers that the signature does not cover and must: the host for all, for S3 everything that is AWS's,
    /// with the one exception of a hash next to a presigned address.
    fn unsigned(&self, head: &Parts, service: &str) -> Vec<String> {
        let must = |name: &str| {
            service == "s3"
                && (name.starts_with("x-amz-") || name == "content-md5")
                && !(self.is_presigned() && name == CONTENT_SHA256.as_str())
        };
        let names = head
            .headers
            .keys()
            .map(|name| name.as_str())
            .filter(|name| must(name));
        let signed = |name: &str| self.signed_headers.iter().any(|signed| signed == name);
        let host = (!signed(AUTHORITY)).then_some("host");
        host.into_iter()
            .chain(names)
            .filter(|name| !signed(name))
            .map(str::to_owned)
            .collect()
    }
}

fn of_header<'a>(head: &'a Parts, whole: &'a str, service: &str) -> Result<Texts<'a>, Refusal> {
    let (algorithm, rest) = whole.split_once(' ').unwrap_or((whole, ""));
    if service == "s3" && !algorithm.starts_with("AWS4-") {
        return Err(Refusal::Scheme(whole.to_owned()));
    }
    let part = |name: &str| {
        let parts = rest
            .split([',', ' '])
            .filter_map(|part| part.trim().split_once('='));
        let mut values = parts.filter(|(key, value)| *key == name && !value.is_empty());
        values.next().map(|(_, value)| value)
    };
    let date = text(head, DATE.as_str()).or_else(|| text(head, header::DATE.as_str()));
    let (credential, signature, signed_headers) =
        (part("Credential"), part("Signature"), part("SignedHeaders"));
    match (credential, signature, signed_headers, date) {
        (Some(credential), Some(signature), Some(signed_headers), Some(date)) => Ok(Texts {
            algorithm: algorithm.into(),
            credential: credential.into(),
            signed_headers: signed_headers.into(),
            signature: signature.into(),
            date,
            token: text(head, SECURITY_TOKEN.as_str()),
            presigned: None,
        }),
        (credential, signature, signed_headers, date) => {
            let given = [
                ("Credential", credential.is_some()),
                ("Signature", signature.is_some()),
                ("SignedHeaders", signed_headers.is_some()),
            ];
            let parts = given
                .into_iter()
                .filter(|(_, given)| !given)
                .map(|(name, _)| name)
                .collect();
            Err(Refusal::Header {
                parts,
                date: date.is_none(),
                whole: whole.to_owned(),
            })
        }
    }
}

fn of_query<'a>(head: &'a Parts, service: &str) -> Result<Texts<'a>, Refusal> {
    const NAMES: [&str; 5] = [
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Signature",
        "X-Amz-SignedHeaders",
        "X-Amz-Date",
    ];
    let found = NAMES.map(|name| query(head, name).filter(|value| !value.is_empty()));
    let expires = query(head, "X-Amz-Expires");
    let lacking = |(name, value): (&'static str, &Option<_>)| value.is_none().then_some(name);
    let missing: Vec<_> = NAMES.into_iter().zip(&found).filter_map(lacking).collect();
    let [
        Some(algorithm),
        Some(credential),
        Some(signature),
        Some(signed_headers),
        Some(date),
    ] = found
    else {
        return Err(Refusal::Query(missing));
    };
    if service == "s3" && expires.is_none() {
        return Err(Refusal::Query(vec!["X-Amz-Expires"]));
    }
    let valid_for = expires.map(|text| lifetime(&text)).transpose()?;
    let token = query(head, "X-Amz-Security-Token");
    let presigned = Some(valid_for);
    Ok(Texts {
        algorithm,
        credential,
        signed_headers,
        signature,
        date,
        token,
        presigned,
    })
}

fn lifetime(text: &str) -> Result<Duration, Refusal> {
    match text.parse::<i64>() {
        Err(_) => Err(Refusal::Lifetime("X-Amz-Expires should be a number")),
        Ok(seconds) if seconds < 0 => Err(Refusal::Lifetime("X-Amz-Expires must be non-negative")),
        Ok(seconds) if seconds > PRESIGNED_SECONDS => Err(Refusal::Lifetime(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less \
             than 604800 seconds",
        )),
        Ok(seconds) => Ok(Duration::from_secs(seconds.unsigned_abs())),
    }
}

fn text<'a>(head: &'a Parts, name: &str) -> Option<Cow<'a, str>> {
    head.headers
        .get(name)
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
}

/// A query parameter, decoded; one without `=` is empty.
fn query<'a>(head: &'a Parts, name: &str) -> Option<Cow<'a, str>> {
    let pairs = head
        .uri
        .query()?
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let (_, value) = pairs.into_iter().find(|(key, _)| *key == name)?;
    Some(percent_decode_str(value).decode_utf8_lossy())
}

/// `Sun, 30 Aug 2015 12:36:00 GMT`.
fn parse_http_date(text: &str) -> Option<Millis> {
    let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    u64::try_from(at.as_millisecond()).ok().map(Millis)
}

/// Comparison whose time does not tell where the first difference is.
pub(super) fn equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len()
        && a.iter()
            .zip(b)
            .fold(0, |difference, (x, y)| difference | (x ^ y))
            == 0
}
