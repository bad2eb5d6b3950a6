//! UpdateContinuousBackups.

use headwater_shapes_dynamodb::{
    PointInTimeRecoverySpecification, UpdateContinuousBackupsInput, UpdateContinuousBackupsOutput,
    ops::UpdateContinuousBackups,
};
use headwater_wire::{ApiError, Context, Handle};

use super::describe_continuous_backups::{of_backups, show};
use crate::{Dynamo, errors::validation};

/// Days that backups go back where nothing else is asked for. (Source: the API reference, "PointInTimeRecoverySpecification".)
const DAYS: u32 = 35;

impl Handle<UpdateContinuousBackups> for Dynamo {
    /// What is asked for is kept and told.
    async fn handle(
        &self,
        input: UpdateContinuousBackupsInput,
        context: &Context,
    ) -> Result<UpdateContinuousBackupsOutput, ApiError> {
        let UpdateContinuousBackupsInput {
            table_name,
            point_in_time_recovery_specification,
        } = input;
        let days = days(point_in_time_recovery_specification)?;
        let table = self.table(&table_name, context);
        let table = table.map_err(|error| of_backups(error, &table_name))?;
        let altered = self.alter(&table.name, |table| {
            // A change of something else leaves the days that were set: they begin anew only when it was off.
            table.recovery_days = days;
            Ok(())
        });
        Ok(UpdateContinuousBackupsOutput {
            continuous_backups_description: Some(show(&altered.await?)),
        })
    }
}

/// The days that a specification asks for; none where it asks for no recovery.
fn days(sent: PointInTimeRecoverySpecification) -> Result<Option<u32>, ApiError> {
    let PointInTimeRecoverySpecification {
        point_in_time_recovery_enabled,
        recovery_period_in_days,
    } = sent;
    match (point_in_time_recovery_enabled, recovery_period_in_days) {
        (true, None) => Ok(Some(DAYS)),
        (true, Some(days)) => Ok(Some(days.unsigned_abs())),
        (false, None) => Ok(None),
        (false, Some(_)) => Err(validation(
            "Invalid Request: Cannot specify RecoveryPeriodInDays when disabling point-in-time recovery.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_recovery() {
        let days = |enabled, days| {
            let sent = PointInTimeRecoverySpecification {
                point_in_time_recovery_enabled: enabled,
                recovery_period_in_days: days,
            };
            super::days(sent).ok()
        };
        assert_eq!(days(true, None), Some(Some(35)));
        assert_eq!(days(true, Some(7)), Some(Some(7)));
        assert_eq!(days(false, None), Some(None));
        assert_eq!(days(false, Some(7)), None);
    }
}
