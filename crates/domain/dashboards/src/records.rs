//! The form of what is kept (`docs/format/dashboards.md`).

use std::collections::BTreeMap;

use headwater_types::Millis;
use serde::{Deserialize, Serialize};

/// A dashboard without its body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dashboard {
    /// When its body was written last.
    pub modified: Millis,
    /// Bytes of its body.
    pub size: u64,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}
