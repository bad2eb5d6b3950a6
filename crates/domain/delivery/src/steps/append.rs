//! AppendDelimiterToRecord: what stands behind each record in an object.

use bytes::{Bytes, BytesMut};

use super::pure::Pure;
use crate::records::{Failure, Item};

/// Appends these bytes to each record, whatever it ends in (as on AWS).
pub struct Append(pub Bytes);

impl Pure for Append {
    fn apply(&self, mut item: Item, out: &mut Vec<Item>) -> Result<(), Failure> {
        item.data = append(&item.data, &self.0);
        out.push(item);
        Ok(())
    }
}

/// `data` with `tail` behind it.
pub fn append(data: &[u8], tail: &[u8]) -> Bytes {
    let mut whole = BytesMut::with_capacity(data.len() + tail.len());
    whole.extend_from_slice(data);
    whole.extend_from_slice(tail);
    whole.freeze()
}
