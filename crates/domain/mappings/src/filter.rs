//! Which records a mapping is for: those that match one of its patterns, in its lane.

use headwater_log::SourceRecord;
use headwater_patterns::Pattern;
use md5::{Digest, Md5};
use serde_json::Value;

use crate::{Error, form::Form, message::filtered_message, ports::Message};

/// The patterns of a mapping.
#[derive(Debug, Default)]
pub(crate) struct Filters(Vec<Pattern>);

impl Filters {
    /// Parses the patterns.
    pub fn parse(texts: &[String]) -> Result<Self, Error> {
        let parse = |text: &String| Pattern::parse(text);
        let patterns = texts.iter().map(parse).collect::<Result<_, _>>();
        patterns
            .map(Self)
            .map_err(|error| Error::Filter(error.to_string()))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a record matches one of them, or there are none.
    pub fn match_record(&self, form: Form, shard: &str, record: &SourceRecord) -> bool {
        self.0.is_empty() || self.match_event(&form.filtered(shard, record))
    }

    /// Whether a message matches one of them, or there are none.
    pub fn match_message(&self, message: &Message) -> bool {
        self.0.is_empty() || self.match_event(&filtered_message(message))
    }

    fn match_event(&self, event: &Value) -> bool {
        self.0.iter().any(|pattern| pattern.matches(event))
    }
}

/// The lane of a shard that a key belongs to.
pub(crate) fn lane_of(partition_key: &[u8], lanes: u32) -> u32 {
    if lanes <= 1 {
        return 0;
    }
    // Not the hash's first bytes: by these the key came into this shard.
    let hash = Md5::digest(partition_key);
    let tail = u32::from_be_bytes([hash[12], hash[13], hash[14], hash[15]]);
    tail % lanes
}
