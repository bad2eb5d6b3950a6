//! The s3 door: AWS's operations over the objects domain, one file an operation.
