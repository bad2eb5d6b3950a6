//! Topics and subscriptions as the catalog keeps them (`docs/format/topics.md`).

use std::{collections::BTreeMap, fmt, sync::Arc};

use headwater_catalog::{Catalog, Single, Table};
use headwater_log::ShardNumber;
use headwater_types::{
    Arn, Millis,
    kept::{self, Prefix, ShardSpace},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    Retries, Scope, notices::Notice, notices::Token, progress::Progress, signing::SigningKey,
};

/// A topic as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// The number of its shard, which no topic made later shares.
    pub number: u64,
    /// When it was made.
    pub created: Millis,
    /// How it is set.
    pub settings: TopicSettings,
    /// Its tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// How many of its subscriptions were deleted.
    #[serde(default)]
    pub deleted_subscriptions: u64,
}

/// How a topic is set.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TopicSettings {
    /// Its name for readers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Who may do what with it, as it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// How messages are tried again at HTTP endpoints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries: Option<Retries>,
    /// The content type of requests to HTTP endpoints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Whether subscriptions may not have retries and content types of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_overrides: Option<bool>,
    /// The version of signatures, 1 or 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature_version: Option<u8>,
    /// The most bytes of a message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_bytes_max: Option<u32>,
    /// What becomes of the publisher's trace, as it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracing: Option<String>,
}

/// The kind of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// A queue.
    Sqs,
    /// A function.
    Lambda,
    /// A delivery stream.
    Firehose,
    /// An address.
    Http,
    /// An address with TLS.
    Https,
}

impl Protocol {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sqs => "sqs",
            Self::Lambda => "lambda",
            Self::Firehose => "firehose",
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// Whether the endpoint is an address, whose owner has to confirm.
    pub fn is_web(self) -> bool {
        matches!(self, Self::Http | Self::Https)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A subscription as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// A UUID that no subscription made later shares.
    pub id: String,
    /// The topic's name.
    pub topic: String,
    /// The kind of its endpoint.
    pub protocol: Protocol,
    /// Where messages go: an ARN, or an address.
    pub endpoint: String,
    /// The account that it belongs to.
    pub owner: String,
    /// The ARN of whoever made it.
    pub principal: String,
    /// When it was made.
    pub created: Millis,
    /// Whether messages go there: not before it is confirmed.
    pub confirmed: bool,
    /// Whether whoever confirmed it was known.
    pub confirmed_by_known: bool,
    /// Whether only those who are known may cancel it.
    pub cancelled_by_known: bool,
    /// How it is set.
    pub settings: SubscriptionSettings,
}

/// How a subscription is set.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SubscriptionSettings {
    /// Whether messages come without an envelope.
    #[serde(default)]
    pub raw: bool,
    /// The pattern of messages that it wants, without blanks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// What the pattern is about.
    #[serde(default)]
    pub scope: Scope,
    /// The queue for messages that are given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_letters: Option<Arn>,
    /// How messages are tried again at an HTTP endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries: Option<Retries>,
    /// The content type of requests to an HTTP endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// The role that messages are put into a delivery stream with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

/// The rows of topics.
#[derive(Clone)]
pub(crate) struct Store {
    pub catalog: Arc<dyn Catalog>,
    /// Topics by name.
    pub topics: Table<Topic>,
    /// Subscriptions by id.
    pub subscriptions: Table<Subscription>,
    /// Ids of subscriptions by what only one may have.
    pub endpoints: Table<String>,
    /// How far subscriptions are, by id.
    pub progress: Table<Progress>,
    /// Confirmations that may come, by token.
    pub tokens: Table<Token>,
    /// Requests to confirm that are to be sent, by id.
    pub notices: Table<Notice>,
    /// The number of the next topic.
    pub next_number: Single<u64>,
    /// The key of signatures.
    pub signing: Single<SigningKey>,
}

impl Store {
    pub fn new(catalog: Arc<dyn Catalog>) -> Self {
        Self {
            topics: Table::new(catalog.clone(), Prefix::Topics),
            subscriptions: Table::new(catalog.clone(), Prefix::Subscriptions),
            endpoints: Table::new(catalog.clone(), Prefix::SubscriptionEndpoints),
            progress: Table::new(catalog.clone(), Prefix::SubscriptionProgress),
            tokens: Table::new(catalog.clone(), Prefix::SubscriptionTokens),
            notices: Table::new(catalog.clone(), Prefix::SubscriptionNotices),
            next_number: Single::new(catalog.clone(), kept::Single::TopicNumber),
            signing: Single::new(catalog.clone(), kept::Single::TopicSigning),
            catalog,
        }
    }
}

impl Topic {
    /// Its shard of the log.
    pub(crate) fn shard(&self) -> ShardNumber {
        ShardNumber::new(ShardSpace::Topics, self.number)
    }
}

impl Subscription {
    /// The name of what only one subscription may have: the topic and the endpoint.
    pub(crate) fn pair(&self) -> String {
        pair(&self.topic, self.protocol, &self.endpoint)
    }
}

/// The name of a topic's one subscription of an endpoint, which may be longer than a key.
pub(crate) fn pair(topic: &str, protocol: Protocol, endpoint: &str) -> String {
    let hash = hex(&Sha256::digest(endpoint));
    format!("{topic}/{protocol}/{hash}")
}

/// Bytes in hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
