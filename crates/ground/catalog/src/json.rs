//! Records as JSON: how tables and single records keep them.

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use crate::{CatalogError, Versioned};

/// The value of a record.
pub fn encode(record: &impl Serialize) -> Bytes {
    Bytes::from(serde_json::to_vec(record).expect("a record of ours is always JSON"))
}

/// The record of a value, which is that of `key`.
pub fn decode<T: DeserializeOwned>(
    key: &str,
    found: Versioned,
) -> Result<Versioned<T>, CatalogError> {
    let value = serde_json::from_slice(&found.value).map_err(|e| CatalogError::Damaged {
        key: key.to_owned(),
        what: e.to_string(),
    })?;
    Ok(Versioned {
        value,
        version: found.version,
    })
}
