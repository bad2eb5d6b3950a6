//! The objects for what fails: one a kind of error, with a line a record.

use std::collections::BTreeMap;

use headwater_types::Millis;
use serde_json::{Value, json};

use super::{error_log::ErrorLog, object::ObjectWriter};
use crate::{
    config::{Compression, StreamRecord},
    encoding::Form,
    intent::Intent,
    ports::{Objects, ObjectsError},
    records::{ErrorKind, Failure, Item, Rejected},
};

/// Writes what fails in one execution.
pub struct Errors<'a> {
    log: ErrorLog<'a>,
    writers: BTreeMap<ErrorKind, ObjectWriter>,
    /// The table that records are converted by, as lines name it.
    table: Value,
}

impl<'a> Errors<'a> {
    /// Writers under the names that `intent` has for what fails; what is not written to, is no object.
    pub fn of(intent: &Intent, objects: &std::sync::Arc<dyn Objects>, log: ErrorLog<'a>) -> Self {
        let destination = &log.stream.destination;
        let bucket = destination.error_bucket();
        let writer = |key: &str| {
            ObjectWriter::new(
                log.env.clone(),
                objects.clone(),
                bucket,
                key,
                Form::Bytes(Compression::None),
            )
            .encrypted(&destination.encryption_key)
        };
        let writers = intent
            .error_keys()
            .map(|(kind, key)| (kind, writer(key)))
            .collect();
        let table = table(intent, log.stream);
        Self {
            log,
            writers,
            table,
        }
    }

    /// The time.
    pub fn now(&self) -> Millis {
        self.log.env.clock.now()
    }

    /// A batch, or a part of it, could not be delivered, and will be tried again.
    pub async fn delivery_failed(&mut self, error: &ObjectsError) {
        self.log
            .delivery_failed(error.code(), &error.to_string())
            .await;
    }

    /// Writes lines about those of `items` that do not fit their file, by their places.
    pub async fn unfit(
        &mut self,
        items: &[Item],
        unfit: Vec<(usize, Failure)>,
    ) -> Result<(), ObjectsError> {
        let unfit = unfit
            .into_iter()
            .map(|(at, failure)| self.unfit_one(&items[at], failure))
            .collect();
        self.take(unfit).await
    }

    /// A record that did not fit its file. Its line has the data that did not fit, and not the data as it came; members
    /// as AWS's page on errors of format conversion has them.
    fn unfit_one(&self, item: &Item, failure: Failure) -> Rejected {
        let mut origin = (*item.origin).clone();
        origin.data = item.data.clone();
        let more = vec![
            ("sequenceNumber", origin.sequence_number.to_string().into()),
            ("subSequenceNumber", origin.sub.into()),
            ("dataCatalogTable", self.table.clone()),
        ];
        let (kind, ended) = (ErrorKind::FormatConversion, self.now());
        Rejected {
            origin: origin.into(),
            kind,
            failure,
            attempts: 1,
            ended,
            more,
        }
    }

    /// Writes lines about records that failed, and logs why.
    pub async fn take(&mut self, rejected: Vec<Rejected>) -> Result<(), ObjectsError> {
        self.log.rejected(&rejected).await;
        let mut lines: BTreeMap<ErrorKind, Vec<_>> = BTreeMap::new();
        for rejected in &rejected {
            // An intent of an earlier release has a name for one kind alone.
            let has_name = self.writers.contains_key(&rejected.kind);
            let kind = if has_name {
                rejected.kind
            } else {
                ErrorKind::Processing
            };
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
        let keys: Vec<String> = self
            .writers
            .values()
            .map(|writer| writer.key().to_owned())
            .collect();
        // All are waited for before one's error is told: no put of this run may outlive it.
        let finished = self.writers.into_values().map(ObjectWriter::finish);
        let finished = futures_util::future::join_all(finished).await;
        let written: Vec<bool> = finished.into_iter().collect::<Result<_, _>>()?;
        Ok(keys
            .into_iter()
            .zip(written)
            .filter_map(|(key, written)| written.then_some(key))
            .collect())
    }
}

/// The table as lines about records name it that were not converted.
fn table(intent: &Intent, stream: &StreamRecord) -> Value {
    let Some(conversion) = &stream.destination.conversion else {
        return Value::Null;
    };
    let catalog = conversion.catalog.as_ref().unwrap_or(&stream.arn.account);
    json!({
        "catalogId": catalog,
        "databaseName": conversion.database,
        "tableName": conversion.table,
        "region": conversion.region,
        "versionId": intent.table_version.map(|version| version.to_string()),
        "catalogArn": format!("arn:aws:glue:{}:{catalog}:catalog", conversion.region),
    })
}
