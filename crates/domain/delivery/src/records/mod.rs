//! The forms of a record on its way: a [`UserRecord`] as it was read, an [`Item`] while it goes on, a [`Rejected`]
//! once it cannot.
//!
//! Steps take items and give items and rejections; the end of the way writes the one to the destination and the other,
//! as lines of JSON in AWS's form, under the error prefix.

mod failure;
mod item;
mod outcome;
mod rejected;
mod user_record;

pub use self::{
    failure::{ErrorKind, Failure},
    item::{Item, Keys},
    rejected::Rejected,
    user_record::UserRecord,
};
pub(crate) use self::{item::key_text, outcome::Outcome};
