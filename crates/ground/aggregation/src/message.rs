//! The protobuf messages, by hand: a handful of fields do not need a compiler.
//!
//! Members that the format requires are optional here, so that their absence is noticed.

use bytes::Bytes;

/// The message between magic and digest.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AggregatedRecord {
    /// Partition keys that records name by their index.
    #[prost(string, repeated, tag = "1")]
    pub partition_key_table: Vec<String>,
    /// Explicit hash keys that records name by their index.
    #[prost(string, repeated, tag = "2")]
    pub explicit_hash_key_table: Vec<String>,
    /// The user records, in order.
    #[prost(message, repeated, tag = "3")]
    pub records: Vec<Record>,
}

/// One user record.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Record {
    /// Required.
    #[prost(uint64, optional, tag = "1")]
    pub partition_key_index: Option<u64>,
    /// Where the record has an explicit hash key.
    #[prost(uint64, optional, tag = "2")]
    pub explicit_hash_key_index: Option<u64>,
    /// Required.
    #[prost(bytes = "bytes", optional, tag = "3")]
    pub data: Option<Bytes>,
    /// Never written by any known producer; read so that a broken one is noticed.
    #[prost(message, repeated, tag = "4")]
    pub tags: Vec<Tag>,
}

/// A name and a value that a producer may attach.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Tag {
    /// Required.
    #[prost(string, optional, tag = "1")]
    pub key: Option<String>,
    /// The value.
    #[prost(string, optional, tag = "2")]
    pub value: Option<String>,
}
