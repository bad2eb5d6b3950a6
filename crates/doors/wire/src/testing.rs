//! Helpers that tests of several modules share.

use bytes::Bytes;
use headwater_shapes::{Operation, Tree};

use crate::{ApiError, aws_json::Codec, validate};

/// The input of an operation as the pipeline reads it.
pub(crate) fn read<Op: Operation>(codec: Codec, body: Bytes) -> Result<Op::Input, ApiError> {
    let tree = validate::tree(codec.read(&body)?, Op::SHAPE, Op::SERVICE)?;
    Op::Input::from_value(tree).map_err(|error| validate::unfit(Op::SHAPE, &error))
}
