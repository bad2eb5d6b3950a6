//! How an object is encrypted at rest: what its writer may ask for, and what a store answers.
//!
//! A directory encrypts every object under the installation's key; a key that is named is kept and told, not used. A
//! store behind this one is asked as its writer asked, and answers for itself.

use serde::{Deserialize, Serialize};

/// How an object is encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encryption {
    /// The method.
    pub method: EncryptionMethod,
    /// The key's id, alias or ARN; none for the store's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Whether the store may derive keys of objects from one of their bucket, to ask its key service less often; none: as
    /// the bucket says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket_key: Option<bool>,
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

impl Encryption {
    /// Under the store's own keys: the encryption of an object whose writer asks for none.
    pub const DEFAULT: Self = Self {
        method: EncryptionMethod::StoreKeys,
        key: None,
        bucket_key: None,
    };

    /// Whether the key, where there is one, has the form of a name of AWS KMS: a key's id, `alias/` and a name, or an
    /// ARN. Which key is meant cannot be known without a key service.
    pub fn names_key(&self) -> bool {
        let is_id = |text: &str| {
            let hex = text.strip_prefix("mrk-").unwrap_or(text).replace('-', "");
            hex.len() == 32 && hex.bytes().all(|b| b.is_ascii_hexdigit())
        };
        let is_named = |text: &str, prefix: &str| {
            text.strip_prefix(prefix)
                .is_some_and(|name| !name.is_empty())
        };
        self.key
            .as_deref()
            .is_none_or(|key| is_id(key) || is_named(key, "alias/") || is_named(key, "arn:"))
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_named_by_id_alias_or_arn() {
        let names = |key: &str| {
            let key = Some(key.to_owned());
            Encryption {
                key,
                ..Encryption::DEFAULT
            }
            .names_key()
        };
        assert!(Encryption::DEFAULT.names_key());
        for good in [
            "134f2428-cec1-4b25-a1ae-9048164dba47",
            "mrk-134f2428cec14b25a1ae9048164dba47",
            "alias/aws/s3",
            "arn:aws:kms:us-east-1:000000000000:key/k",
            "arn:aws:kms:us-east-1:000000000000:alias/a",
        ] {
            assert!(names(good), "{good}");
        }
        for bad in ["", "fake-key-id", "alias/", "arn:"] {
            assert!(!names(bad), "{bad}");
        }
    }
}
