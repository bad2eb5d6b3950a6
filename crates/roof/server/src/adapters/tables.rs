//! The columns of tables, for deliveries.

use async_trait::async_trait;
use headwater_delivery::{TableError, TableVersion, Tables};
use headwater_schemas::{Error, Schemas, Wanted};

/// The tables of this server's data catalog.
pub struct SchemaTables(pub Schemas);

#[async_trait]
impl Tables for SchemaTables {
    async fn version(
        &self,
        database: &str,
        table: &str,
        version: Option<u64>,
    ) -> Result<TableVersion, TableError> {
        let wanted = version.map_or(Wanted::Latest, Wanted::Version);
        let found = self
            .0
            .version(database, table, wanted)
            .await
            .map_err(|error| match error {
                Error::Catalog(error) => TableError::Failed(error.to_string()),
                other => TableError::NotFound(other.to_string()),
            })?;
        let columns = found.definition.columns.into_iter();
        Ok(TableVersion {
            version: found.version,
            columns: columns
                .map(|column| (column.name, column.data_type))
                .collect(),
        })
    }
}
