//! A consumer as its reader holds it.

use std::sync::Arc;

use headwater_types::{Millis, StreamName};

use crate::{ConsumerRecord, StreamRecord, Tags};

/// A consumer of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumer {
    /// The stream's name.
    pub stream: StreamName,
    /// The stream's number: another stream of the same name has other consumers.
    pub number: u32,
    /// Its name, unique in the stream.
    pub name: String,
    /// When it was registered, in whole seconds: another consumer of the same name has another time.
    pub created: Millis,
    /// Its tags.
    pub tags: Tags,
    /// The policy of its use, as its owner wrote it.
    pub policy: Option<Arc<str>>,
}

impl Consumer {
    pub(crate) fn new(stream: &StreamRecord, name: &str, record: &ConsumerRecord) -> Self {
        Self {
            stream: stream.name.clone(),
            number: stream.number,
            name: name.to_owned(),
            created: record.created,
            tags: record.tags.clone(),
            policy: record.policy.clone(),
        }
    }
}
