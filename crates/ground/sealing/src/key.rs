//! The installation's key, and the keys derived from it.

use std::sync::Arc;

use headwater_catalog::{Catalog, CatalogError, Expect, Single};
use headwater_env::Env;
use headwater_types::kept;
use ring::{
    aead::{AES_256_GCM, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, Salt},
};
use serde::{Deserialize, Serialize};

use crate::Tokens;

/// The key of an installation that all others are derived from, as the catalog keeps it.
#[derive(Clone, Serialize, Deserialize)]
pub struct InstallationKey {
    /// Random; tells this key from that of another installation.
    id: u32,
    secret: [u8; 32],
}

impl InstallationKey {
    /// The key that the catalog keeps, made when there is none.
    pub async fn open(env: &Env, catalog: &Arc<dyn Catalog>) -> Result<Self, CatalogError> {
        let row = Single::<Self>::new(catalog.clone(), kept::Single::RecordKey);
        loop {
            if let Some(found) = row.get().await? {
                return Ok(found.value);
            }
            match row.write(&Self::new(env), Expect::Absent).await {
                // Another node made it: the next round finds it.
                Ok(_) | Err(CatalogError::Conflict { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub(crate) fn new(env: &Env) -> Self {
        let mut secret = [0; 32];
        env.random.fill(&mut secret);
        Self {
            id: env.random.next_u64() as u32,
            secret,
        }
    }

    /// The number that tells this key from that of another installation; no secret.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The tokens that are given for `purpose` alone.
    pub fn tokens(&self, purpose: &[u8]) -> Tokens {
        let secret = Salt::new(HKDF_SHA256, &[]).extract(&self.secret);
        let info = [purpose];
        let mut key = [0; 32];
        secret
            .expand(&info, HKDF_SHA256)
            .and_then(|expanded| expanded.fill(&mut key))
            .expect("32 bytes are within HKDF's bound");
        Tokens::new(&key)
    }

    /// The key that is used with `salt` alone, and for `purpose` alone.
    pub(crate) fn derive(&self, salt: [u8; 16], purpose: &[u8]) -> LessSafeKey {
        let secret = Salt::new(HKDF_SHA256, &salt).extract(&self.secret);
        let info = [purpose];
        let expanded = secret
            .expand(&info, &AES_256_GCM)
            .expect("32 bytes are within HKDF's bound");
        LessSafeKey::new(UnboundKey::from(expanded))
    }
}

/// Data that is not what was written, or was written by another installation.
#[derive(Debug, PartialEq, Eq)]
pub struct Undecryptable;

/// The nonce of this number, which must be used once with a key.
pub(crate) fn nonce(number: u64) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    nonce[..8].copy_from_slice(&number.to_le_bytes());
    Nonce::assume_unique_for_key(nonce)
}
