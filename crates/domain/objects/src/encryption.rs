//! How a store is told to encrypt an object. A store that has keys does it; the directory keeps what it was told, tells
//! it again, and encrypts nothing.

use serde::{Deserialize, Serialize};

/// How an object is to be encrypted, as its writer gave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encryption {
    /// By which method.
    pub method: EncryptionMethod,
    /// The key's id, alias or ARN; none for the store's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Whether the store may derive keys of objects from one of their bucket, to ask its key service less often.
    #[serde(default)]
    pub bucket_key: bool,
}

/// A method of encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EncryptionMethod {
    /// Under keys of the store alone.
    StoreKeys,
    /// Under a key of a key service.
    KeyService,
    /// The same in two layers.
    KeyServiceTwice,
}

impl EncryptionMethod {
    const ALL: [Self; 3] = [Self::StoreKeys, Self::KeyService, Self::KeyServiceTwice];

    /// Its name in requests and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::StoreKeys => "AES256",
            Self::KeyService => "aws:kms",
            Self::KeyServiceTwice => "aws:kms:dsse",
        }
    }

    /// The method of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }
}
