//! Signature version 4, the server's half: whether a request was signed with a key that we know.
//!
//! Reads the signature out of the `Authorization` header or a presigned address, makes it anew with the key's secret
//! and compares in constant time. Which keys there are and who holds them is given; what holders may do is left to the
//! doors. A signature that covers a body which is yet to come is handed on as a [`Seal`], for the reader of the body to
//! check.
//!
//! The order of the checks is AWS's, as dynalite's authors saw it: form, time, host, scope, key, signature, token.

mod answer;
mod claim;
mod form;
mod refusal;
mod seal;
mod v2;

use std::{collections::HashMap, sync::Arc};

use headwater_env::Clock;
use headwater_types::{Account, Region};
use http::request::Parts;
use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use headwater_shapes::ApiError;

use crate::{
    Caller, Sessions,
    limits::{REGION_BYTES, SIGNING_KEYS},
    sessions::SessionError,
    sign::{Credentials, canonical_request, hex, hmac_matches, signing_key, text_to_sign},
};
pub use answer::is_refusal;
pub use claim::session_token;
use claim::{Claim, equal};
pub use form::{SignedForm, missing_field};
pub use refusal::{Refusal, ScopeError};
pub use seal::{Chain, Seal};

/// Checks the signatures of requests. Clones share one.
#[derive(Clone)]
pub struct Verifier(Arc<Inner>);

/// A key and who holds it.
pub struct Key {
    /// The key.
    pub credentials: Credentials,
    /// The caller whose requests are signed with it.
    pub holder: Arc<Caller>,
}

struct Inner {
    keys: HashMap<String, Arc<Key>>,
    /// The keys that expire, if there may be such.
    sessions: Option<Arc<Sessions>>,
    region: Region,
    /// Whether signatures for other regions are believed as well.
    any_region: bool,
    clock: Arc<dyn Clock>,
    /// Keys made of secrets: the same for all requests of a day.
    made: Mutex<HashMap<KeyName, [u8; 32]>>,
}

/// Access key, day, region and service.
type KeyName = (String, String, String, &'static str);

/// A signature that is right in all but what only its key can tell.
struct Claimed {
    claim: Claim,
    key: Arc<Key>,
}

/// A signature that fits its request and what is said there of the body.
struct Valid {
    claim: Claim,
    key: Arc<Key>,
    signing_key: [u8; 32],
}

impl Verifier {
    /// Believes signatures of `keys` that are made for `region`.
    pub fn new(keys: impl IntoIterator<Item = Key>, region: Region, clock: Arc<dyn Clock>) -> Self {
        let keys = keys
            .into_iter()
            .map(|key| (key.credentials.access_key_id.clone(), Arc::new(named(key))))
            .collect();
        Self(Arc::new(Inner {
            keys,
            sessions: None,
            region,
            any_region: false,
            clock,
            made: Mutex::default(),
        }))
    }

    /// Believes signatures for every region whose name could be one.
    #[must_use]
    pub fn in_any_region(mut self) -> Self {
        self.unshared().any_region = true;
        self
    }

    /// Believes signatures with the keys of sessions, too.
    #[must_use]
    pub fn with_sessions(mut self, sessions: Arc<Sessions>) -> Self {
        self.unshared().sessions = Some(sessions);
        self
    }

    fn unshared(&mut self) -> &mut Inner {
        Arc::get_mut(&mut self.0).expect("a verifier is shared once it is complete")
    }

    /// The account of the key with this id, where it is one that lasts.
    pub fn account_of(&self, access_key_id: &str) -> Option<Account> {
        let key = self.0.keys.get(access_key_id)?;
        Some(key.holder.account.clone())
    }

    /// The region that a signature must be made for.
    fn expected_region<'a>(&'a self, claim: &'a Claim) -> &'a str {
        if self.0.any_region && is_region(&claim.region) {
            &claim.region
        } else {
            &self.0.region.0
        }
    }

    /// The caller that signed a request of AWS JSON or CBOR with this body for `service`.
    pub fn check_json(
        &self,
        head: &Parts,
        service: &'static str,
        body: &[u8],
    ) -> Result<Arc<Caller>, ApiError> {
        let claimed = self.claim(head, service);
        let hash = || hex(&Sha256::digest(body));
        let valid = claimed.and_then(|claimed| self.check(head, claimed, service, &hash()));
        let holder = valid.map(|valid| valid.key.holder.clone());
        holder.map_err(|refusal| refused(head, service, refusal).json(400))
    }

    /// The holder of the key of ours that the head of a REST-JSON request names in time; the seal tells at the body's
    /// end whether they signed it.
    pub fn check_rest_json(
        &self,
        head: &Parts,
        service: &'static str,
    ) -> Result<(Arc<Caller>, Seal), ApiError> {
        let error = |head: &Parts, refusal| refused(head, service, refusal).json(403);
        let claimed = self
            .claim(head, service)
            .map_err(|refusal| error(head, refusal))?;
        let holder = claimed.key.holder.clone();
        let (this, head) = (self.clone(), bare(head));
        let seal = Seal::Whole(
            Sha256::new(),
            Box::new(move |body| {
                let valid = this.check(&head, claimed, service, &hex(&body));
                valid.map(drop).map_err(|refusal| error(&head, refusal))
            }),
        );
        Ok((holder, seal))
    }

    /// The caller that signed an S3 request's head, and how its body is sealed. `path` begins with the bucket,
    /// wherever the request has it. A hash of the whole body is in a header, where it is compared with or without
    /// signatures.
    pub fn check_s3(&self, head: &Parts, path: &str) -> Result<(Arc<Caller>, Seal), ApiError> {
        let (version_2, presigned) = (v2::is_signed(head), claim::is_presigned(head));
        let checked = match version_2 {
            true => v2::check(self, head, path).map(|holder| (holder, Seal::None)),
            false => self.s3(head),
        };
        checked.map_err(|refusal| match (version_2, refused(head, "s3", refusal)) {
            (true, Refusal::Query(_) | Refusal::Date(_)) => answer::version_2_lacks(),
            (_, refusal) => refusal.s3(presigned),
        })
    }

    fn s3(&self, head: &Parts) -> Result<(Arc<Caller>, Seal), Refusal> {
        let claimed = self.claim(head, "s3")?;
        let payload = claim::s3_payload(head, claimed.claim.is_presigned())?;
        let Valid {
            claim,
            key,
            signing_key,
        } = self.check(head, claimed, "s3", &payload)?;
        let seal = match payload.as_str() {
            seal::CHUNKS | seal::CHUNKS_AND_TRAILER => Seal::Chunks(Chain::new(
                signing_key,
                &claim.time,
                claim.place(),
                claim.signature,
                payload == seal::CHUNKS_AND_TRAILER,
            )),
            _ => Seal::None,
        };
        Ok((key.holder.clone(), seal))
    }

    /// The key with this id: one that lasts, or that of the session whose token came with it.
    fn key(&self, id: &str, token: Option<&str>) -> Result<Arc<Key>, Refusal> {
        if let Some(key) = self.0.keys.get(id) {
            return Ok(key.clone());
        }
        let unknown = || Refusal::UnknownKey(id.to_owned());
        let (Some(sessions), Some(token)) = (&self.0.sessions, token) else {
            return Err(unknown());
        };
        let key = sessions.key(id, token).map_err(|error| match error {
            SessionError::Unknown => unknown(),
            SessionError::Expired => Refusal::ExpiredToken(token.to_owned()),
        });
        let key = key?;
        // A session ends with the key that it was begun with; one begun where no key was asked for is nobody's.
        match self.0.keys.contains_key(key.holder.key_behind()) {
            true => Ok(Arc::new(key)),
            false => Err(unknown()),
        }
    }

    /// The signature that a request carries.
    fn claim(&self, head: &Parts, service: &'static str) -> Result<Claimed, Refusal> {
        let claim = Claim::of(head, service)?;
        claim.check_time(self.0.clock.now(), service)?;
        claim.check_scope(head, self.expected_region(&claim), service)?;
        let key = self.key(&claim.access_key_id, claim.token.as_deref())?;
        Ok(Claimed { claim, key })
    }

    fn check(
        &self,
        head: &Parts,
        Claimed { claim, key }: Claimed,
        service: &'static str,
        payload: &str,
    ) -> Result<Valid, Refusal> {
        let credentials = &key.credentials;
        let names: Vec<&str> = claim.signed_headers.iter().map(String::as_str).collect();
        let canonical_request = canonical_request(head, &names, payload, service);
        let text_to_sign = text_to_sign(&claim.time, &claim.place(), &canonical_request);
        let signing_key = self.signing_key(credentials, &claim, service);
        if !hmac_matches(&signing_key, text_to_sign.as_bytes(), &claim.signature) {
            return Err(Refusal::Mismatch {
                access_key_id: claim.access_key_id,
                signature: claim.signature,
                canonical_request,
                text_to_sign,
            });
        }
        self.check_token(credentials, claim.token.as_deref())?;
        Ok(Valid {
            claim,
            key,
            signing_key,
        })
    }

    fn check_token(&self, key: &Credentials, token: Option<&str>) -> Result<(), Refusal> {
        let (expected, given) = (
            key.session_token.as_deref().unwrap_or_default(),
            token.unwrap_or_default(),
        );
        match equal(expected.as_bytes(), given.as_bytes()) {
            true => Ok(()),
            false => Err(Refusal::Token(given.to_owned())),
        }
    }

    fn signing_key(&self, key: &Credentials, claim: &Claim, service: &'static str) -> [u8; 32] {
        let mut made = self.0.made.lock();
        if made.len() >= SIGNING_KEYS {
            made.clear();
        }
        let (id, day, region) = (&key.access_key_id, &claim.day, &claim.region);
        let name = (id.clone(), day.clone(), region.clone(), service);
        *made
            .entry(name)
            .or_insert_with(|| signing_key(&key.secret_access_key, day, region, service))
    }
}

/// A key whose holder knows its id.
fn named(key: Key) -> Key {
    let mut holder = Arc::unwrap_or_clone(key.holder);
    holder
        .access_key_id
        .clone_from(&key.credentials.access_key_id);
    Key {
        holder: Arc::new(holder),
        ..key
    }
}

/// Whether a text could name a region, as `us-gov-east-1` does: lower-case words and a number, each behind a dash.
pub fn is_region(text: &str) -> bool {
    let words: Vec<&str> = text.split('-').collect();
    let (Some((number, names)), true) = (words.split_last(), text.len() <= REGION_BYTES) else {
        return false;
    };
    let is_name = |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
    names.len() >= 2
        && names.iter().all(is_name)
        && (1..=2).contains(&number.len())
        && number.bytes().all(|b| b.is_ascii_digit())
}

/// Tells the log, which has more use for the reason than the client may.
fn refused(head: &Parts, service: &str, refusal: Refusal) -> Refusal {
    tracing::debug!(service, method = %head.method, path = head.uri.path(), ?refusal, "a request was refused");
    refusal
}

/// A head without what is of no use for a signature.
fn bare(head: &Parts) -> Parts {
    let (mut bare, ()) = http::Request::new(()).into_parts();
    bare.method = head.method.clone();
    bare.uri = head.uri.clone();
    bare.version = head.version;
    bare.headers = head.headers.clone();
    bare
}

#[cfg(test)]
mod tests;
