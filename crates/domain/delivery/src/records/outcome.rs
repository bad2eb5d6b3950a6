//! A group of records after a step.

use super::{
    item::{Item, Keys},
    rejected::Rejected,
    user_record::{SharedRecord, UserRecord},
};

/// A group of records after a step.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Records that go on.
    pub items: Vec<Item>,
    /// Records that do not.
    pub rejected: Vec<Rejected>,
}

impl Outcome {
    /// A group before its first step.
    pub fn of(group: Vec<UserRecord>) -> Self {
        let item = |origin: SharedRecord| Item {
            data: origin.data.clone(),
            origin,
            keys: Keys::default(),
        };
        Self {
            items: SharedRecord::all(group).map(item).collect(),
            rejected: Vec::new(),
        }
    }
}
