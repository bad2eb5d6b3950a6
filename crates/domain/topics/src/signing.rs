//! Signatures of messages: an RSA key, made when the first message needs one, and a certificate of its own for it.
//!
//! The text that is signed and the two hashes are those that AWS documents ("Verifying the signatures of Amazon SNS
//! messages"), so that clients' own code for it holds here too.

use std::{collections::HashMap, collections::VecDeque, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use headwater_catalog::{CatalogError, Expect, Single};
use headwater_env::Env;
use headwater_types::Millis;
use parking_lot::Mutex;
use rcgen::{CertificateParams, DnType, PublicKeyData, SignatureAlgorithm};
use rsa::{
    Pkcs1v15Sign, RsaPrivateKey, RsaPublicKey,
    pkcs1::EncodeRsaPublicKey,
    pkcs8::{DecodePrivateKey, EncodePrivateKey},
    rand_core::{self, CryptoRng, RngCore},
};
use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};
use sha2::Sha256;
use tokio::sync::OnceCell;

use crate::{Error, limits::SIGNATURES_KEPT, record::hex};

const KEY_BITS: usize = 2048;
const CERTIFICATE_YEARS: i32 = 10;
/// The DER of a hash's name, as a signature has it before the hash (RFC 8017, 9.2).
const SHA1_NAME: [u8; 15] = [
    0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14,
];
const SHA256_NAME: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

/// The key as the catalog keeps it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SigningKey {
    /// PKCS #8, in base64.
    key: String,
    /// PEM.
    certificate: String,
    /// Names the certificate in its address.
    id: String,
}

/// The key, ready to sign.
pub(crate) struct Key {
    key: RsaPrivateKey,
    pub certificate: String,
    pub id: String,
}

/// Signs messages.
pub(crate) struct Signer {
    env: Env,
    kept: Single<SigningKey>,
    key: OnceCell<Arc<Key>>,
    made: Mutex<Made>,
}

/// A message and the version of a signature of it.
type Signed = (u64, u64, u8);

/// Signatures that were made: a message's is the same for all subscriptions.
#[derive(Default)]
struct Made {
    all: HashMap<Signed, Arc<OnceCell<String>>>,
    /// The oldest first.
    order: VecDeque<Signed>,
}

impl Signer {
    pub fn new(env: Env, kept: Single<SigningKey>) -> Self {
        Self {
            env,
            kept,
            key: OnceCell::new(),
            made: Mutex::default(),
        }
    }

    /// The key. It is made where there is none.
    pub async fn key(&self) -> Result<Arc<Key>, Error> {
        self.key.get_or_try_init(|| self.open()).await.cloned()
    }

    /// The certificate, where there is one already.
    pub async fn known(&self) -> Result<Option<Arc<Key>>, Error> {
        match self.key.get() {
            Some(key) => Ok(Some(key.clone())),
            None => match self.kept.get().await? {
                Some(_) => Ok(Some(self.key().await?)),
                None => Ok(None),
            },
        }
    }

    async fn open(&self) -> Result<Arc<Key>, Error> {
        if let Some(kept) = self.kept.get().await? {
            return Key::read(&kept.value).map(Arc::new);
        }
        let env = self.env.clone();
        let made = self.env.blocking(move || make(&env)).await?;
        match self.kept.write(&made, Expect::Absent).await {
            Ok(_) => Key::read(&made).map(Arc::new),
            // Another node was faster.
            Err(CatalogError::Conflict { .. }) => match self.kept.get().await? {
                Some(kept) => Key::read(&kept.value).map(Arc::new),
                None => Err(Error::Conflict),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// The signature of a message of a topic, which is made once for all who ask.
    pub async fn sign_message(
        &self,
        (topic, offset): (u64, u64),
        version: u8,
        text: impl FnOnce() -> String,
    ) -> Result<String, Error> {
        let cell = self.made.lock().of((topic, offset, version));
        let signature = cell.get_or_try_init(|| self.sign(version, text()));
        signature.await.cloned()
    }

    /// The signature of a text, in base64.
    pub async fn sign(&self, version: u8, text: String) -> Result<String, Error> {
        let (key, env) = (self.key().await?, self.env.clone());
        let sign = move || key.sign(&env, version, text.as_bytes());
        self.env.blocking(sign).await
    }
}

impl Made {
    fn of(&mut self, signed: Signed) -> Arc<OnceCell<String>> {
        if let Some(cell) = self.all.get(&signed) {
            return cell.clone();
        }
        if self.order.len() >= SIGNATURES_KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.all.remove(&oldest);
        }
        self.order.push_back(signed);
        self.all.entry(signed).or_default().clone()
    }
}

impl Key {
    fn read(kept: &SigningKey) -> Result<Self, Error> {
        let der = STANDARD.decode(&kept.key).map_err(failed)?;
        Ok(Self {
            key: RsaPrivateKey::from_pkcs8_der(&der).map_err(failed)?,
            certificate: kept.certificate.clone(),
            id: kept.id.clone(),
        })
    }

    fn sign(&self, env: &Env, version: u8, text: &[u8]) -> Result<String, Error> {
        let (name, hash) = match version {
            2 => (&SHA256_NAME[..], Sha256::digest(text).to_vec()),
            _ => (&SHA1_NAME[..], Sha1::digest(text).to_vec()),
        };
        let scheme = Pkcs1v15Sign {
            hash_len: Some(hash.len()),
            prefix: name.into(),
        };
        let signature = self.key.sign_with_rng(&mut Chance(env), scheme, &hash);
        Ok(STANDARD.encode(signature.map_err(failed)?))
    }
}

/// A new key with a certificate that it signs itself.
fn make(env: &Env) -> Result<SigningKey, Error> {
    let key = RsaPrivateKey::new(&mut Chance(env), KEY_BITS).map_err(failed)?;
    let public = RsaPublicKey::from(&key).to_pkcs1_der().map_err(failed)?;
    let mut id = [0; 16];
    env.random.fill(&mut id);
    let mut params =
        CertificateParams::new(vec!["sns.amazonaws.com".to_owned()]).map_err(failed)?;
    params
        .distinguished_name
        .push(DnType::CommonName, "sns.amazonaws.com");
    set_validity(&mut params, env.clock.now());
    let signing = Certifying {
        key: &key,
        public: public.as_bytes(),
        env,
    };
    let certificate = params.self_signed(&signing).map_err(failed)?;
    Ok(SigningKey {
        key: STANDARD.encode(key.to_pkcs8_der().map_err(failed)?.as_bytes()),
        certificate: certificate.pem(),
        id: hex(&id),
    })
}

/// From the day before, for clocks that are a little behind.
fn set_validity(params: &mut CertificateParams, now: Millis) {
    let now = i64::try_from(now.0).ok();
    let now = now.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    let today = now
        .unwrap_or_default()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date();
    let from = today.yesterday().unwrap_or(today);
    // The 28th exists in every February.
    let date = |years: i32| {
        let day = from.day().min(28);
        rcgen::date_time_ymd(
            i32::from(from.year()).saturating_add(years),
            from.month().unsigned_abs(),
            day.unsigned_abs(),
        )
    };
    (params.not_before, params.not_after) = (date(0), date(CERTIFICATE_YEARS));
}

fn failed(error: impl ToString) -> Error {
    Error::Signing(error.to_string())
}

/// The key as it signs its certificate.
struct Certifying<'a> {
    key: &'a RsaPrivateKey,
    public: &'a [u8],
    env: &'a Env,
}

impl PublicKeyData for Certifying<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.public
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_RSA_SHA256
    }
}

impl rcgen::SigningKey for Certifying<'_> {
    fn sign(&self, text: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let scheme = Pkcs1v15Sign {
            hash_len: Some(32),
            prefix: SHA256_NAME.into(),
        };
        let hash = Sha256::digest(text);
        let signature = self.key.sign_with_rng(&mut Chance(self.env), scheme, &hash);
        signature.map_err(|_| rcgen::Error::RemoteKeyError)
    }
}

/// The machine's randomness, as this library asks for it.
struct Chance<'a>(&'a Env);

impl RngCore for Chance<'_> {
    fn next_u32(&mut self) -> u32 {
        (self.0.random.next_u64() >> 32) as u32
    }

    fn next_u64(&mut self) -> u64 {
        self.0.random.next_u64()
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.random.fill(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.0.random.fill(bytes);
        Ok(())
    }
}

impl CryptoRng for Chance<'_> {}
