//! The bounds of this crate.

/// Keys and prefixes of one page of a listing, as on AWS.
pub const MAX_KEYS: i32 = 1000;
/// Parts of one page, as on AWS.
pub const MAX_PARTS: i32 = 1000;
/// Uploads of one page, as on AWS.
pub const MAX_UPLOADS: i32 = 1000;
/// Buckets of one page, as on AWS.
pub const MAX_BUCKETS: i32 = 10_000;
/// Objects of one DeleteObjects, as on AWS.
pub const DELETE_MAX: usize = 1000;
/// Objects that one DeleteObjects removes at once.
pub const DELETE_AT_ONCE: usize = 16;
/// Rules of a lifecycle, as on AWS.
pub const RULES_MAX: usize = 1000;
/// Characters of a rule's name, as on AWS.
pub const RULE_ID_MAX: usize = 255;
/// Versions that a rule may keep of each key, as on AWS.
pub const NEWER_VERSIONS_MAX: u32 = 100;
/// Bytes of a bucket's rules for pages of other origins, as on AWS (64 KB).
pub const CORS_BYTES_MAX: usize = 64 << 10;
/// Rules for pages of other origins of a bucket, as on AWS.
pub const CORS_RULES_MAX: usize = 100;
/// Tags of a bucket, as on AWS.
pub const BUCKET_TAGS_MAX: usize = 50;
/// Bytes of a posted form before its file, as on AWS.
pub const FORM_BYTES: usize = 20 << 10;
/// Tags of an object, as on AWS.
pub const TAGS_MAX: usize = 10;
/// Bytes of all user metadata of an object, names and values, as on AWS.
pub const METADATA_BYTES_MAX: usize = 2048;
