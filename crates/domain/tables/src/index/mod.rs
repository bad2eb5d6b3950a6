//! The index: rows of bytes in the order of their keys, written in batches and read as they were at one moment.
//!
//! All that is in it follows from the change logs, so a batch need not be durable when it is written: after a crash the
//! index is as it was after some batch, none later than the last and none earlier than the last sync. Owns how rows are
//! kept; leaves what they mean to `keys`.

mod fjall;
mod journal;
mod late;
mod memory;
#[cfg(test)]
mod tests;

use bytes::Bytes;

pub use fjall::FjallIndex;
pub use late::LateIndex;
pub use memory::MemoryIndex;

use crate::Error;

/// Rows to write: none in place of a value removes the row. The index keeps them in memory for a while, so that their
/// bytes are to have no room to spare.
pub type Batch = Vec<(Bytes, Option<Bytes>)>;

/// Rows in the order in which they were asked for.
pub type Rows<'a> = Box<dyn Iterator<Item = Result<(Bytes, Bytes), Error>> + 'a>;

/// Keys from one on, up to another that is not among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The first.
    pub from: Vec<u8>,
    /// Behind the last.
    pub to: Vec<u8>,
}

impl Span {
    /// All keys that begin with `prefix`, which has a byte that is not 255.
    pub fn of_prefix(prefix: Vec<u8>) -> Self {
        Self {
            to: behind_all(prefix.clone()),
            from: prefix,
        }
    }

    /// No keys.
    pub fn empty() -> Self {
        Self {
            from: Vec::new(),
            to: Vec::new(),
        }
    }

    /// Whether no key can be in it.
    pub fn is_empty(&self) -> bool {
        self.from >= self.to
    }
}

/// The first key behind all that begin with `prefix`.
pub fn behind_all(mut prefix: Vec<u8>) -> Vec<u8> {
    while let Some(last) = prefix.pop() {
        if let Some(next) = last.checked_add(1) {
            prefix.push(next);
            break;
        }
    }
    prefix
}

/// The first key behind `key`.
pub fn behind(mut key: Vec<u8>) -> Vec<u8> {
    key.push(0);
    key
}

/// Rows that are found by their keys.
pub trait Lookup {
    /// The value of a key. Waits for the disk.
    ///
    /// # Errors
    /// When the engine fails.
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error>;
}

/// Rows that are kept: they are found as they are now, one by one. Its calls may wait for the disk.
pub trait Index: Lookup + Send + Sync {
    /// The rows as they are now, and stay for the view.
    fn view(&self) -> Box<dyn View>;

    /// Writes all rows of a batch or none. A later view shows them; they are durable after the next [`Self::sync`].
    ///
    /// # Errors
    /// When the engine fails: then nobody may rely on what it has.
    fn write(&self, batch: Batch) -> Result<(), Error>;

    /// Makes durable all that was written before.
    ///
    /// # Errors
    /// When the engine fails.
    fn sync(&self) -> Result<(), Error>;

    /// Whether it takes writes. After one that failed it does not, until it is opened anew. Waits for the disk.
    ///
    /// # Errors
    /// The reason.
    fn health(&self) -> Result<(), Error> {
        Ok(())
    }
}

/// Rows as they were at one moment.
pub trait View: Lookup + Send {
    /// The rows of a span, in order, or from its end.
    fn range(&self, span: &Span, descending: bool) -> Rows<'_>;
}
