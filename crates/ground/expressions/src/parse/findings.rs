//! What is found while a text is read that is wrong, but no fault of its syntax.

use crate::Invalid;

/// The families of what can be found.
#[derive(Debug, Clone, Copy)]
pub enum Finding {
    /// Parentheses around nothing but parentheses.
    Parentheses,
    /// An index that is too large.
    Index,
    /// A function that does not exist, or not in such an expression.
    Function,
    /// A function at a place where it cannot be.
    Place,
    /// A reserved word as a name.
    Reserved,
    /// A section of an update that comes twice.
    Section,
}

/// The first of each family.
#[derive(Debug, Default)]
pub struct Findings([Option<Invalid>; 6]);

impl Findings {
    /// Keeps what was found, unless there is something of its family.
    pub fn note(&mut self, finding: Finding, why: impl FnOnce() -> Invalid) {
        if let Some(slot) = self.0.get_mut(finding as usize) {
            slot.get_or_insert_with(why);
        }
    }

    /// Speaks of what was found, of the first of these families that has something.
    ///
    /// # Errors
    /// That.
    pub fn check(&mut self, order: &[Finding]) -> Result<(), Invalid> {
        let found = order
            .iter()
            .find_map(|&finding| self.0.get_mut(finding as usize)?.take());
        found.map_or(Ok(()), Err)
    }
}
