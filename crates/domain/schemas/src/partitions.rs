//! Partitions of tables: made, found, changed, removed, and swept up behind a table that is deleted.

use std::collections::BTreeMap;

use headwater_catalog::{CatalogError, Change, Expect, Versioned};
use headwater_types::Millis;
use serde_json::Value;

use crate::{
    Error, Partition, Schemas, Table, limits,
    records::{partition_key, partition_values, partitions_of, table_key},
};

/// A change of one partition.
#[derive(Debug, Clone, PartialEq)]
pub enum PartitionChange {
    /// It is made, with this description.
    Create(Value),
    /// It is described anew.
    Update(Value),
    /// It is removed.
    Delete,
}

/// The outcome of each change, in their order.
type Outcomes = Vec<Result<(), Error>>;

impl Schemas {
    /// Changes partitions of a table, each by itself and all in one commit. Says of each how it went.
    ///
    /// # Errors
    /// [`Error::NoDatabase`], [`Error::NoTable`], [`Error::Changed`], or what failed below; then nothing was changed. Of
    /// a single partition [`Error::NoPartition`], [`Error::PartitionExists`] or [`Error::ValuesTooLong`].
    pub async fn change_partitions(
        &self,
        database: &str,
        table: &str,
        changes: &[(Vec<String>, PartitionChange)],
    ) -> Result<Outcomes, Error> {
        for _ in 0..limits::CONFLICTS_MAX {
            let found = self.find_table(database, table).await?;
            let id = found.value.partitions.clone();
            let id = id.unwrap_or_else(|| self.env.random.uuid());
            let mut batch = Batch::of(&id);
            for (values, change) in changes {
                batch.add(self, values, change).await?;
            }
            if batch.changes.is_empty() {
                return Ok(batch.outcomes);
            }
            let Batch {
                mut changes,
                outcomes,
                ..
            } = batch;
            changes.push(self.holding(&table_key(database, table), found, id));
            if self.commit(changes).await? {
                return Ok(outcomes);
            }
        }
        Err(Error::Changed)
    }

    /// A partition of a table.
    ///
    /// # Errors
    /// [`Error::NoDatabase`], [`Error::NoTable`], [`Error::NoPartition`], or what failed below.
    pub async fn partition(
        &self,
        database: &str,
        table: &str,
        values: &[String],
    ) -> Result<Partition, Error> {
        let Some(id) = self.find_table(database, table).await?.value.partitions else {
            return Err(Error::NoPartition);
        };
        let found = self.partitions.get(&partition_key(&id, values)).await?;
        Ok(found.ok_or(Error::NoPartition)?.value)
    }

    /// At most `limit` partitions of a table whose values come after `after`, in order of their values as text.
    ///
    /// # Errors
    /// [`Error::NoDatabase`], [`Error::NoTable`], or what failed below.
    pub async fn partitions(
        &self,
        database: &str,
        table: &str,
        after: Option<&[String]>,
        limit: usize,
    ) -> Result<Vec<(Vec<String>, Partition)>, Error> {
        let Some(id) = self.find_table(database, table).await?.value.partitions else {
            return Ok(Vec::new());
        };
        let start = partitions_of(&id);
        let after = after.map(|values| partition_key(&id, values));
        let found = self
            .partitions
            .scan(&start, after.as_deref(), limit)
            .await?;
        Ok(found
            .into_iter()
            .map(|(key, partition)| (partition_values(&key[start.len()..]), partition.value))
            .collect())
    }

    /// Removes the partitions of tables that were deleted, which a crash may have left. To be called once, at the start.
    ///
    /// # Errors
    /// When the catalog fails.
    pub async fn finish_deletions(&self) -> Result<(), Error> {
        for (id, _) in self.partitions_deleted.all().await? {
            self.sweep(&id).await?;
        }
        Ok(())
    }

    /// Removes all partitions under an id, some at a time, and then the note that they are to go.
    pub(crate) async fn sweep(&self, id: &str) -> Result<(), CatalogError> {
        loop {
            let found = self
                .partitions
                .scan(&partitions_of(id), None, limits::PARTITIONS_A_COMMIT)
                .await?;
            if found.is_empty() {
                return self.partitions_deleted.remove(id, Expect::Any).await;
            }
            let removed = found
                .iter()
                .map(|(key, _)| self.partitions.delete(key, Expect::Any));
            self.catalog.commit(removed.collect()).await?;
        }
    }

    /// The change that fails a commit whose table is not as it was found, and gives it the id of its partitions if it has
    /// none so far.
    fn holding(&self, key: &str, found: Versioned<Table>, id: String) -> Change {
        let expect = Expect::At(found.version);
        match found.value.partitions {
            Some(_) => self.tables.check(key, expect),
            None => {
                let table = Table {
                    partitions: Some(id),
                    ..found.value
                };
                self.tables.put(key, &table, expect)
            }
        }
    }
}

/// Changes of one commit: each sees those before it.
struct Batch<'a> {
    id: &'a str,
    /// The partitions as they are after the changes so far, by their keys, and what the next change expects.
    seen: BTreeMap<String, (Option<Partition>, Expect)>,
    changes: Vec<Change>,
    outcomes: Outcomes,
}

impl<'a> Batch<'a> {
    fn of(id: &'a str) -> Self {
        Self {
            id,
            seen: BTreeMap::new(),
            changes: Vec::new(),
            outcomes: Vec::new(),
        }
    }

    /// Adds a change, or its error to the outcomes.
    async fn add(
        &mut self,
        schemas: &Schemas,
        values: &[String],
        change: &PartitionChange,
    ) -> Result<(), Error> {
        let key = partition_key(self.id, values);
        let bytes = key.len() - partitions_of(self.id).len();
        if bytes > limits::VALUES_BYTES_MAX {
            self.outcomes.push(Err(Error::ValuesTooLong(bytes)));
            return Ok(());
        }
        if !self.seen.contains_key(&key) {
            let found = match schemas.partitions.get(&key).await? {
                Some(found) => (Some(found.value), Expect::At(found.version)),
                None => (None, Expect::Absent),
            };
            self.seen.insert(key.clone(), found);
        }
        let (before, expect) = &self.seen[&key];
        let outcome = match change.applied(before.as_ref(), schemas.env.clock.now()) {
            Ok(after) => {
                self.changes.push(match &after {
                    Some(partition) => schemas.partitions.put(&key, partition, *expect),
                    None => schemas.partitions.delete(&key, *expect),
                });
                self.seen.insert(key, (after, Expect::Any));
                Ok(())
            }
            Err(error) => Err(error),
        };
        self.outcomes.push(outcome);
        Ok(())
    }
}

impl PartitionChange {
    /// The partition after this change of `before`; none when it is gone.
    fn applied(&self, before: Option<&Partition>, now: Millis) -> Result<Option<Partition>, Error> {
        let with = |document: &Value, created| {
            Some(Partition {
                created,
                document: document.clone(),
            })
        };
        match (self, before) {
            (Self::Create(_), Some(_)) => Err(Error::PartitionExists),
            (Self::Update(_) | Self::Delete, None) => Err(Error::NoPartition),
            (Self::Create(document), None) => Ok(with(document, now)),
            (Self::Update(document), Some(before)) => Ok(with(document, before.created)),
            (Self::Delete, Some(_)) => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests;
