//! Settings that are kept with a bucket. Which of them are acted on, and where: the encryption of objects that ask for
//! none by the store; the rest by whoever answers for the bucket.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Encryption;

/// All settings of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketSettings {
    /// Tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// What pages of other origins may do, the first rule that fits; none where they may do nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cors: Vec<CorsRule>,
    /// The encryption of objects that ask for none; without one, [`Encryption::DEFAULT`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<Encryption>,
    /// The owner of objects.
    pub ownership: Option<Ownership>,
    /// What is kept from the public.
    pub public_access: Option<PublicAccess>,
}

/// A setting to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    /// The tags.
    Tags(BTreeMap<String, String>),
    /// The rules for pages of other origins.
    Cors(Vec<CorsRule>),
    /// The encryption of objects that ask for none.
    Encryption(Option<Encryption>),
    /// The owner of objects.
    Ownership(Option<Ownership>),
    /// What is kept from the public.
    PublicAccess(Option<PublicAccess>),
}

/// What pages of some origins may do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorsRule {
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Headers that may be sent, each with at most one `*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_headers: Vec<String>,
    /// Methods of requests.
    pub allowed_methods: Vec<String>,
    /// Origins, each with at most one `*`.
    pub allowed_origins: Vec<String>,
    /// Headers of answers that may be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expose_headers: Vec<String>,
    /// How long an answer holds, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age_seconds: Option<i32>,
}

/// Whose the objects are that others write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ownership {
    /// The bucket's owner's, always; there are no lists of who may do what.
    BucketOwnerEnforced,
    /// The bucket's owner's, where the writer grants it.
    BucketOwnerPreferred,
    /// The writer's.
    ObjectWriter,
}

/// What is kept from the public, whatever lists and policies say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicAccess {
    /// New public lists are refused.
    pub block_lists: bool,
    /// Public lists mean nothing.
    pub ignore_lists: bool,
    /// New public policies are refused.
    pub block_policies: bool,
    /// Public policies mean nothing.
    pub restrict_policies: bool,
}

impl Default for BucketSettings {
    /// The settings of a new bucket, as AWS makes them since 2023.
    fn default() -> Self {
        Self {
            tags: BTreeMap::new(),
            cors: Vec::new(),
            encryption: None,
            ownership: Some(Ownership::BucketOwnerEnforced),
            public_access: Some(PublicAccess {
                block_lists: true,
                ignore_lists: true,
                block_policies: true,
                restrict_policies: true,
            }),
        }
    }
}

impl BucketSettings {
    /// Changes one of them.
    pub fn set(&mut self, setting: Setting) {
        match setting {
            Setting::Tags(tags) => self.tags = tags,
            Setting::Cors(rules) => self.cors = rules,
            Setting::Encryption(encryption) => self.encryption = encryption,
            Setting::Ownership(ownership) => self.ownership = ownership,
            Setting::PublicAccess(access) => self.public_access = access,
        }
    }
}

impl Ownership {
    const ALL: [Self; 3] = [
        Self::BucketOwnerEnforced,
        Self::BucketOwnerPreferred,
        Self::ObjectWriter,
    ];

    /// Its name in requests and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::BucketOwnerEnforced => "BucketOwnerEnforced",
            Self::BucketOwnerPreferred => "BucketOwnerPreferred",
            Self::ObjectWriter => "ObjectWriter",
        }
    }

    /// The ownership of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}
