//! Databases and tables: made, found, changed, deleted.

use std::sync::Arc;

use headwater_catalog::{Catalog, CatalogError, Change, Expect, Versioned};
use headwater_env::Env;
use headwater_types::kept::Prefix;
use serde_json::Value;

use crate::{
    Column, Database, Definition, Error, Partition, Table, limits,
    records::{table_key, version_key, within},
};

/// All databases of a server. Cheap to clone.
#[derive(Clone)]
pub struct Schemas {
    pub(crate) env: Env,
    pub(crate) catalog: Arc<dyn Catalog>,
    databases: headwater_catalog::Table<Database>,
    pub(crate) tables: headwater_catalog::Table<Table>,
    /// The versions before the latest.
    versions: headwater_catalog::Table<Table>,
    pub(crate) partitions: headwater_catalog::Table<Partition>,
    /// The ids of deleted tables' partitions, of which some may be left.
    pub(crate) partitions_deleted: headwater_catalog::Table<()>,
}

/// Which version of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// The one that it is at.
    Latest,
    /// This one.
    Version(u64),
}

/// How a table is changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// The definition that it gets.
    pub definition: Definition,
    /// Whether what it was is kept as a version.
    pub archive: bool,
    /// The version that it must be at, if that matters.
    pub expected: Option<u64>,
}

/// Entries of a listing.
type Named<T> = Vec<(String, T)>;

impl Schemas {
    /// The databases whose records are in `catalog`.
    pub fn new(env: Env, catalog: Arc<dyn Catalog>) -> Self {
        let databases = headwater_catalog::Table::new(catalog.clone(), Prefix::SchemaDatabases);
        let tables = headwater_catalog::Table::new(catalog.clone(), Prefix::SchemaTables);
        let versions = headwater_catalog::Table::new(catalog.clone(), Prefix::SchemaVersions);
        let partitions = headwater_catalog::Table::new(catalog.clone(), Prefix::SchemaPartitions);
        let deleted = Prefix::SchemaPartitionsDeleted;
        let partitions_deleted = headwater_catalog::Table::new(catalog.clone(), deleted);
        Self {
            env,
            catalog,
            databases,
            tables,
            versions,
            partitions,
            partitions_deleted,
        }
    }

    /// The columns of a table, for those who read or write data by them.
    ///
    /// # Errors
    /// [`Error::NoDatabase`], [`Error::NoTable`], [`Error::NoVersion`], or what failed below.
    pub async fn columns(
        &self,
        database: &str,
        table: &str,
        wanted: Wanted,
    ) -> Result<Vec<Column>, Error> {
        Ok(self
            .version(database, table, wanted)
            .await?
            .definition
            .columns)
    }

    /// Makes a database.
    ///
    /// # Errors
    /// [`Error::DatabaseExists`], [`Error::NamesTooLong`], or what failed below.
    pub async fn create_database(&self, name: &str, document: Value) -> Result<(), Error> {
        fits(name, "")?;
        let database = Database {
            created: self.env.clock.now(),
            document,
        };
        match self
            .commit(vec![self.databases.put(name, &database, Expect::Absent)])
            .await?
        {
            true => Ok(()),
            false => Err(Error::DatabaseExists(name.to_owned())),
        }
    }

    /// A database.
    ///
    /// # Errors
    /// [`Error::NoDatabase`], or what failed below.
    pub async fn database(&self, name: &str) -> Result<Database, Error> {
        Ok(self.find_database(name).await?.value)
    }

    /// At most `limit` databases whose names come after `after`, in order of their names.
    ///
    /// # Errors
    /// When the catalog fails.
    pub async fn databases(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Named<Database>, Error> {
        let found = self.databases.scan("", after, limit).await?;
        Ok(found
            .into_iter()
            .map(|(name, database)| (name, database.value))
            .collect())
    }

    /// Changes what is said of a database.
    ///
    /// # Errors
    /// [`Error::NoDatabase`], [`Error::Changed`], or what failed below.
    pub async fn update_database(&self, name: &str, document: Value) -> Result<(), Error> {
        for _ in 0..limits::CONFLICTS_MAX {
            let found = self.find_database(name).await?;
            let database = Database {
                document: document.clone(),
                ..found.value
            };
            if self
                .commit(vec![self.databases.put(
                    name,
                    &database,
                    Expect::At(found.version),
                )])
                .await?
            {
                return Ok(());
            }
        }
        Err(Error::Changed)
    }

    /// Deletes a database with its tables, their versions and their partitions.
    ///
    /// # Errors
    /// [`Error::NoDatabase`], [`Error::Changed`], or what failed below.
    pub async fn delete_database(&self, name: &str) -> Result<(), Error> {
        let (this, name) = (self.clone(), name.to_owned());
        let work = async move {
            for _ in 0..limits::CONFLICTS_MAX {
                let found = this.find_database(&name).await?;
                let mut changes = vec![this.databases.delete(&name, Expect::At(found.version))];
                let tables = this.tables.scan(&within(&name), None, usize::MAX).await?;
                changes.extend(
                    tables
                        .iter()
                        .map(|(key, table)| this.tables.delete(key, Expect::At(table.version))),
                );
                let tables = tables.into_iter().map(|(_, table)| table.value);
                if this
                    .commit_deletion(&within(&name), tables, changes)
                    .await?
                {
                    return Ok(());
                }
            }
            Err(Error::Changed)
        };
        self.env.to_the_end(work).await
    }

    /// Makes a table.
    ///
    /// # Errors
    /// [`Error::NoDatabase`], [`Error::TableExists`], [`Error::NamesTooLong`], or what failed below.
    pub async fn create_table(
        &self,
        database: &str,
        name: &str,
        definition: Definition,
        created_by: &str,
    ) -> Result<(), Error> {
        fits(database, name)?;
        let now = self.env.clock.now();
        let created_by = created_by.to_owned();
        let table = Table {
            version: 0,
            archived: 0,
            created: now,
            updated: now,
            created_by,
            partitions: None,
            definition,
        };
        let key = table_key(database, name);
        for _ in 0..limits::CONFLICTS_MAX {
            let touched = self.touch(database).await?;
            if self.tables.get(&key).await?.is_some() {
                return Err(Error::TableExists(name.to_owned()));
            }
            if self
                .commit(vec![touched, self.tables.put(&key, &table, Expect::Absent)])
                .await?
            {
                return Ok(());
            }
        }
        Err(Error::Changed)
    }

    /// At most `limit` tables of a database whose names come after `after`, in order of their names.
    ///
    /// # Errors
    /// [`Error::NoDatabase`], or what failed below.
    pub async fn tables(
        &self,
        database: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Named<Table>, Error> {
        self.find_database(database).await?;
        let start = within(database);
        let after = after.map(|name| table_key(database, name));
        let found = self.tables.scan(&start, after.as_deref(), limit).await?;
        Ok(found
            .into_iter()
            .map(|(key, table)| (key[start.len()..].to_owned(), table.value))
            .collect())
    }

    /// Changes a table, which makes a new version of it.
    ///
    /// # Errors
    /// [`Error::NoDatabase`], [`Error::NoTable`], [`Error::Changed`], [`Error::TooManyVersions`], or what failed below.
    pub async fn update_table(
        &self,
        database: &str,
        name: &str,
        update: &Update,
    ) -> Result<(), Error> {
        let key = table_key(database, name);
        for _ in 0..limits::CONFLICTS_MAX {
            let found = self.find_table(database, name).await?;
            if update
                .expected
                .is_some_and(|expected| expected != found.value.version)
            {
                return Err(Error::Changed);
            }
            let archived = found.value.archived + usize::from(update.archive);
            if archived > limits::VERSIONS_MAX {
                return Err(Error::TooManyVersions(found.value.archived));
            }
            let table = Table {
                version: found.value.version + 1,
                archived,
                updated: self.env.clock.now(),
                definition: update.definition.clone(),
                ..found.value.clone()
            };
            let mut changes = vec![self.tables.put(&key, &table, Expect::At(found.version))];
            if update.archive {
                let version = version_key(database, name, found.value.version);
                changes.push(self.versions.put(&version, &found.value, Expect::Any));
            }
            if self.commit(changes).await? {
                return Ok(());
            }
        }
        Err(Error::Changed)
    }

    /// Deletes a table with its versions and its partitions.
    ///
    /// # Errors
    /// [`Error::NoDatabase`], [`Error::NoTable`], [`Error::Changed`], or what failed below.
    pub async fn delete_table(&self, database: &str, name: &str) -> Result<(), Error> {
        let (this, database, name) = (self.clone(), database.to_owned(), name.to_owned());
        let work = async move {
            let key = table_key(&database, &name);
            for _ in 0..limits::CONFLICTS_MAX {
                let found = this.find_table(&database, &name).await?;
                let changes = vec![this.tables.delete(&key, Expect::At(found.version))];
                let tables = std::iter::once(found.value);
                if this.commit_deletion(&within(&key), tables, changes).await? {
                    return Ok(());
                }
            }
            Err(Error::Changed)
        };
        self.env.to_the_end(work).await
    }

    /// A version of a table.
    ///
    /// # Errors
    /// [`Error::NoDatabase`], [`Error::NoTable`], [`Error::NoVersion`], or what failed below.
    pub async fn version(
        &self,
        database: &str,
        table: &str,
        wanted: Wanted,
    ) -> Result<Table, Error> {
        let latest = self.find_table(database, table).await?.value;
        match wanted {
            Wanted::Version(version) if version != latest.version => {
                let found = self
                    .versions
                    .get(&version_key(database, table, version))
                    .await?;
                Ok(found.ok_or(Error::NoVersion(version))?.value)
            }
            _ => Ok(latest),
        }
    }

    /// At most `limit` versions of a table that are older than `before`, the newest first.
    ///
    /// # Errors
    /// [`Error::NoDatabase`], [`Error::NoTable`], or what failed below.
    pub async fn versions(
        &self,
        database: &str,
        table: &str,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Table>, Error> {
        let latest = self.find_table(database, table).await?.value;
        let after = before.map(|version| version_key(database, table, version));
        let start = within(&table_key(database, table));
        let archived = self.versions.scan(&start, after.as_deref(), limit).await?;
        let latest =
            Some(latest).filter(|latest| before.is_none_or(|before| latest.version < before));
        Ok(latest
            .into_iter()
            .chain(archived.into_iter().map(|(_, table)| table.value))
            .take(limit)
            .collect())
    }

    /// Deletes a version of a table that is not the latest.
    ///
    /// # Errors
    /// [`Error::NoDatabase`], [`Error::NoTable`], [`Error::NoVersion`], [`Error::LatestVersion`],
    /// [`Error::Changed`], or what failed below.
    pub async fn delete_version(
        &self,
        database: &str,
        table: &str,
        version: u64,
    ) -> Result<(), Error> {
        let key = version_key(database, table, version);
        for _ in 0..limits::CONFLICTS_MAX {
            let found = self.find_table(database, table).await?;
            if found.value.version == version {
                return Err(Error::LatestVersion(version));
            }
            let archived = self
                .versions
                .get(&key)
                .await?
                .ok_or(Error::NoVersion(version))?;
            let latest = Table {
                archived: found.value.archived.saturating_sub(1),
                ..found.value
            };
            let changes = vec![
                self.tables.put(
                    &table_key(database, table),
                    &latest,
                    Expect::At(found.version),
                ),
                self.versions.delete(&key, Expect::At(archived.version)),
            ];
            if self.commit(changes).await? {
                return Ok(());
            }
        }
        Err(Error::Changed)
    }

    async fn find_database(&self, name: &str) -> Result<Versioned<Database>, Error> {
        self.databases
            .get(name)
            .await?
            .ok_or_else(|| Error::NoDatabase(name.to_owned()))
    }

    /// Deletes the versions whose keys begin with `start` in one commit with `changes`, and then the tables' partitions.
    async fn commit_deletion(
        &self,
        start: &str,
        tables: impl Iterator<Item = Table>,
        mut changes: Vec<Change>,
    ) -> Result<bool, Error> {
        let versions = self.versions.scan(start, None, usize::MAX).await?;
        let deleted = versions.iter();
        changes.extend(deleted.map(|(key, _)| self.versions.delete(key, Expect::Any)));
        let partitions: Vec<String> = tables.filter_map(|table| table.partitions).collect();
        let noted = partitions.iter();
        changes.extend(noted.map(|id| self.partitions_deleted.put(id, &(), Expect::Any)));
        let committed = self.commit(changes).await?;
        for id in partitions.iter().filter(|_| committed) {
            // Those that this fails to remove are removed at the next start.
            if let Err(error) = self.sweep(id).await {
                tracing::warn!(id, %error, "partitions of a deleted table are left");
            }
        }
        Ok(committed)
    }

    pub(crate) async fn find_table(
        &self,
        database: &str,
        name: &str,
    ) -> Result<Versioned<Table>, Error> {
        match self.tables.get(&table_key(database, name)).await? {
            Some(found) => Ok(found),
            None => {
                self.find_database(database).await?;
                Err(Error::NoTable(name.to_owned()))
            }
        }
    }

    /// Writes a database as it is, so that a deletion of it that runs beside takes notice of what was added.
    async fn touch(&self, database: &str) -> Result<Change, Error> {
        let found = self.find_database(database).await?;
        Ok(self
            .databases
            .put(database, &found.value, Expect::At(found.version)))
    }

    /// Makes changes, unless somebody came first.
    pub(crate) async fn commit(&self, changes: Vec<Change>) -> Result<bool, Error> {
        match self.catalog.commit(changes).await {
            Ok(_) => Ok(true),
            Err(CatalogError::Conflict { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

fn fits(database: &str, table: &str) -> Result<(), Error> {
    let bytes = database.len() + table.len();
    if bytes > limits::NAMES_BYTES_MAX {
        Err(Error::NamesTooLong(bytes))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
