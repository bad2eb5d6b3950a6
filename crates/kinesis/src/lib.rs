//! The kinesis door: AWS's operations over the streams domain, one file an operation.
