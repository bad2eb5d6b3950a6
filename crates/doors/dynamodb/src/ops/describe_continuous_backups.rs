//! DescribeContinuousBackups.

use headwater_shapes_dynamodb::{
    ContinuousBackupsDescription, DescribeContinuousBackupsInput, DescribeContinuousBackupsOutput,
    PointInTimeRecoveryDescription, errors::TABLE_NOT_FOUND_EXCEPTION,
    ops::DescribeContinuousBackups,
};
use headwater_tables::TableRecord;
use headwater_wire::{ApiError, Context, Handle};

use crate::Dynamo;

impl Handle<DescribeContinuousBackups> for Dynamo {
    async fn handle(
        &self,
        input: DescribeContinuousBackupsInput,
        context: &Context,
    ) -> Result<DescribeContinuousBackupsOutput, ApiError> {
        let DescribeContinuousBackupsInput { table_name } = input;
        let table = self.table(&table_name, context);
        let table = table.map_err(|error| of_backups(error, &table_name))?;
        Ok(DescribeContinuousBackupsOutput {
            continuous_backups_description: Some(show(&table)),
        })
    }
}

/// An error as operations on backups have it: theirs for a table that is not there is another.
pub(super) fn of_backups(error: ApiError, table: &str) -> ApiError {
    match error.code() {
        "ResourceNotFoundException" => {
            let text = format!("Table not found: {table}");
            ApiError::of(&TABLE_NOT_FOUND_EXCEPTION, text)
        }
        _ => error,
    }
}

/// Whether a table is set to be recovered. No times are shown that it could be recovered to, since it cannot be.
pub(super) fn show(table: &TableRecord) -> ContinuousBackupsDescription {
    let status = match table.recovery_days {
        Some(_) => "ENABLED",
        None => "DISABLED",
    };
    ContinuousBackupsDescription {
        // AWS has it so for every table that is some seconds old.
        continuous_backups_status: "ENABLED".to_owned(),
        point_in_time_recovery_description: Some(PointInTimeRecoveryDescription {
            point_in_time_recovery_status: Some(status.to_owned()),
            recovery_period_in_days: table.recovery_days.and_then(|days| days.try_into().ok()),
            earliest_restorable_date_time: None,
            latest_restorable_date_time: None,
        }),
    }
}
