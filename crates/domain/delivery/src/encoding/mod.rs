//! The bytes of objects: records one behind the other, compressed, or rows of a table.

mod encoder;
mod form;
mod gzip;

pub use self::{
    encoder::{Encoded, Encoder},
    form::{Columns, Form},
};
