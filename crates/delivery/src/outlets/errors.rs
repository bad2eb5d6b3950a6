//! The objects for what fails: one a kind of error, with a line a record.

use std::collections::BTreeMap;

use headwater_types::Millis;

use crate::{
    config::Compression,
    form::Form,
    item::{ErrorKind, Rejected},
    log_lines::ErrorLog,
    object::ObjectWriter,
    ports::{Objects, ObjectsError},
    store::Intent,
};

/// Writes what fails in one execution.
pub struct Errors<'a> {
    log: ErrorLog<'a>,
    writers: BTreeMap<ErrorKind, ObjectWriter>,
}

impl<'a> Errors<'a> {
    /// Writers under the names that `intent` has for what fails; what is not written to, is no object.
    pub fn of(intent: &Intent, objects: &std::sync::Arc<dyn Objects>, log: ErrorLog<'a>) -> Self {
        let bucket = log.stream.destination.error_bucket();
        let writer = |key: &str| {
            ObjectWriter::new(log.env.clone(), objects.clone(), bucket, key, Form::Bytes(Compression::None))
        };
        let writers = intent.error_keys().map(|(kind, key)| (kind, writer(key))).collect();
        Self { log, writers }
    }

    /// The time.
    pub fn now(&self) -> Millis {
        self.log.env.clock.now()
    }

    /// Writes lines about records that failed, and logs why.
    pub async fn take(&mut self, rejected: Vec<Rejected>) -> Result<(), ObjectsError> {
        self.log.rejected(&rejected).await;
        let mut lines: BTreeMap<ErrorKind, Vec<_>> = BTreeMap::new();
        for rejected in &rejected {
            // An intent of an earlier release has a name for one kind alone.
            let has_name = self.writers.contains_key(&rejected.kind);
            let kind = if has_name { rejected.kind } else { ErrorKind::Processing };
            lines.entry(kind).or_default().push(rejected.line());
        }
        for (kind, lines) in lines {
            if let Some(writer) = self.writers.get_mut(&kind) {
                writer.write(lines).await?;
            }
        }
        Ok(())
    }

    /// Completes the objects: the keys of those that there are.
    pub async fn finish(self) -> Result<Vec<String>, ObjectsError> {
        let keys: Vec<String> = self.writers.values().map(|writer| writer.key().to_owned()).collect();
        // All are waited for before one's error is told: no put of this run may outlive it.
        let finished = self.writers.into_values().map(ObjectWriter::finish);
        let finished = futures_util::future::join_all(finished).await;
        let written: Vec<bool> = finished.into_iter().collect::<Result<_, _>>()?;
        Ok(keys.into_iter().zip(written).filter_map(|(key, written)| written.then_some(key)).collect())
    }
}
