//! The firehose door: AWS's operations over the delivery domain, one file an operation.
