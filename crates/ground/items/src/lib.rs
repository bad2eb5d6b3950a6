//! The values of tables: what an item is made of, how large it is, how values are ordered, and how both look as bytes.
//!
//! Owns values, numbers of 38 digits, sizes as AWS counts them, the encoding of items (`docs/format/items.md`) and that of
//! keys, whose bytes are ordered as the values are. Leaves to others which attributes a table wants, and AWS's JSON.

mod codec;
pub mod key;
pub mod limits;
mod number;
mod value;

#[cfg(test)]
mod tests;

pub use codec::{Damaged, decode, decode_shared, encode};
pub use number::{Number, NumberError};
pub use value::{Item, Kind, Value, item_size};
