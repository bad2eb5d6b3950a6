//! Streams and shards: routing, limits, positions, retention.
