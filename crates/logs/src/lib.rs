//! The logs door: AWS's operations over the loggroups domain, one file an operation.
