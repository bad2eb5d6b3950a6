//! Streams whose records are encrypted at rest: switching it on and off. How a record is encrypted is in `seal`.

use std::sync::Arc;

use headwater_types::{Millis, StreamName};

use crate::{
    Error, Streams,
    limits::{ENCRYPTION_CHANGES_PERIOD, MAX_ENCRYPTION_CHANGES},
};

impl Streams {
    /// Encrypts the records that come from now on. `key_id` is the name of the key as the caller knows it: it is kept
    /// and told, and plays no part in the encryption, which goes by the installation's own key.
    pub async fn start_encryption(
        self: &Arc<Self>,
        name: StreamName,
        key_id: String,
    ) -> Result<(), Error> {
        let limits = self.options.limits;
        self.alter(name, move |record, now| {
            if record.encryption.as_ref() == Some(&key_id) {
                return Ok(());
            }
            count_change(&mut record.encryption_starts, &record.name, now, limits)?;
            record.encryption = Some(key_id.clone());
            Ok(())
        })
        .await
    }

    /// Leaves the records that come from now on as they are; those that were encrypted stay so, and are read as before.
    pub async fn stop_encryption(self: &Arc<Self>, name: StreamName) -> Result<(), Error> {
        let limits = self.options.limits;
        self.alter(name, move |record, now| {
            if record.encryption.is_none() {
                return Ok(());
            }
            count_change(&mut record.encryption_stops, &record.name, now, limits)?;
            record.encryption = None;
            Ok(())
        })
        .await
    }
}

fn count_change(
    changes: &mut Vec<Millis>,
    stream: &StreamName,
    now: Millis,
    limits: bool,
) -> Result<(), Error> {
    changes.retain(|at| now.since(*at) < ENCRYPTION_CHANGES_PERIOD);
    if changes.len() >= MAX_ENCRYPTION_CHANGES {
        if limits {
            return Err(Error::EncryptionChangedTooOften(stream.clone()));
        }
        changes.remove(0);
    }
    changes.push(now);
    Ok(())
}
