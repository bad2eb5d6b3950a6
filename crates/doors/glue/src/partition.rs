//! Partitions between Glue's shapes and the domain's records, for all operations on them.

use headwater_schemas::{self as domain, PartitionChange, Wanted};
use headwater_shapes::Tree;
use headwater_shapes_glue::{Column, ErrorDetail, PartitionError, PartitionInput, TableInput};
use headwater_wire::{ApiError, Context};
use serde_json::Value;

use crate::{
    Glue,
    errors::{api, invalid_input},
    name::{check_catalog, folded},
    show,
    table_input::refuse_schema_reference,
};

/// The values of a partition.
pub(crate) type Values = Vec<String>;

/// A table whose partitions a request is about: its names as they are kept, and the keys that it is partitioned by.
pub(crate) struct Place {
    pub database: String,
    pub table: String,
    pub keys: Vec<Column>,
}

impl Glue {
    /// The table that a request names.
    pub(crate) async fn place(
        &self,
        catalog: Option<&str>,
        database: &str,
        table: &str,
        context: &Context,
    ) -> Result<Place, ApiError> {
        check_catalog(catalog, context)?;
        let (database, table) = (folded(database), folded(table));
        let found = self
            .schemas
            .version(&database, &table, Wanted::Latest)
            .await
            .map_err(api)?;
        let input: TableInput = show::read(found.definition.document)?;
        Ok(Place {
            database,
            table,
            keys: input.partition_keys.unwrap_or_default(),
        })
    }

    /// Makes changes of partitions, and says of each how it went.
    pub(crate) async fn change(
        &self,
        place: &Place,
        changes: &[(Values, PartitionChange)],
    ) -> Result<Vec<Result<(), domain::Error>>, ApiError> {
        let Place {
            database, table, ..
        } = place;
        self.schemas
            .change_partitions(database, table, changes)
            .await
            .map_err(api)
    }

    /// Makes one change of a partition.
    pub(crate) async fn change_one(
        &self,
        place: &Place,
        values: Values,
        change: PartitionChange,
    ) -> Result<(), ApiError> {
        let outcomes = self.change(place, &[(values, change)]).await?;
        outcomes
            .into_iter()
            .try_for_each(|outcome| outcome.map_err(api))
    }
}

impl Place {
    /// Refuses values that are not one for each of the table's keys.
    pub fn check(&self, values: &[String]) -> Result<(), ApiError> {
        match values.len() == self.keys.len() {
            true => Ok(()),
            false => Err(invalid_input(
                "The number of partition keys do not match the number of partition values",
            )),
        }
    }

    /// The values of an input, and the document that is kept beside them.
    pub fn described(&self, input: PartitionInput) -> Result<(Values, Value), ApiError> {
        let PartitionInput {
            values,
            last_access_time,
            storage_descriptor,
            parameters,
            last_analyzed_time,
        } = input;
        let values = values.unwrap_or_default();
        self.check(&values)?;
        if let Some(storage) = &storage_descriptor {
            refuse_schema_reference(storage)?;
        }
        let kept = PartitionInput {
            values: None,
            last_access_time,
            storage_descriptor,
            parameters,
            last_analyzed_time,
        };
        Ok((values, kept.to_value()))
    }

    /// The document of an input that describes the partition of `values` anew. They stay: a partition of others is made
    /// and this one deleted, as AWS's reference says of UpdatePartition.
    pub fn described_anew(
        &self,
        values: &[String],
        input: PartitionInput,
    ) -> Result<Value, ApiError> {
        let (named, document) = self.described(input)?;
        match named == values {
            true => Ok(document),
            false => Err(invalid_input("The values of a partition can't be changed.")),
        }
    }
}

/// The errors of a batch, beside the values of those partitions that they are about.
pub(crate) fn failures(
    values: impl Iterator<Item = Values>,
    outcomes: Vec<Result<(), domain::Error>>,
) -> Vec<PartitionError> {
    failed(values, outcomes)
        .map(|(values, detail)| PartitionError {
            partition_values: Some(values),
            error_detail: Some(detail),
        })
        .collect()
}

/// The values of the partitions of a batch that failed, and why.
pub(crate) fn failed(
    values: impl Iterator<Item = Values>,
    outcomes: Vec<Result<(), domain::Error>>,
) -> impl Iterator<Item = (Values, ErrorDetail)> {
    let failed = values.zip(outcomes);
    failed.filter_map(|(values, outcome)| {
        let error = match outcome.err()? {
            domain::Error::NoPartition => crate::errors::not_found("Partition not found."),
            error => api(error),
        };
        let detail = ErrorDetail {
            error_code: Some(error.code().to_owned()),
            error_message: Some(error.message().to_owned()),
        };
        Some((values, detail))
    })
}
