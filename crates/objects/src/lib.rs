//! Buckets and objects over a directory or an S3-compatible store.
