//! UpdateTimeToLive.

use headwater_shapes_dynamodb::{
    TimeToLiveSpecification, UpdateTimeToLiveInput, UpdateTimeToLiveOutput, ops::UpdateTimeToLive,
};
use headwater_tables::{TableRecord, TimeToLive};
use headwater_types::Millis;
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Dynamo,
    errors::{check_state, validation},
};

impl Handle<UpdateTimeToLive> for Dynamo {
    /// Items expire, or do so no more, from when this returns: unlike AWS, which lets it be changed once in half an hour,
    /// nothing has to be waited for.
    async fn handle(
        &self,
        input: UpdateTimeToLiveInput,
        context: &Context,
    ) -> Result<UpdateTimeToLiveOutput, ApiError> {
        let UpdateTimeToLiveInput {
            table_name,
            time_to_live_specification,
        } = input;
        let TimeToLiveSpecification {
            enabled,
            attribute_name,
        } = &time_to_live_specification;
        let table = self.table(&table_name, context)?;
        let now = self.clock.now();
        self.alter(&table.name, |table| {
            check_state(table, now)?;
            set(*enabled, attribute_name, table, now)
        })
        .await?;
        Ok(UpdateTimeToLiveOutput {
            time_to_live_specification: Some(time_to_live_specification),
        })
    }
}

/// Has items expire, or not any more. Which attribute counts cannot be changed while one does.
fn set(
    enabled: bool,
    attribute: &str,
    table: &mut TableRecord,
    now: Millis,
) -> Result<(), ApiError> {
    let current = table.time_to_live.as_ref().filter(|set| set.enabled);
    match current {
        None if !enabled => return Err(validation("TimeToLive is already disabled")),
        Some(current) if current.attribute != attribute => {
            return Err(validation(format!(
                "TimeToLive is active on a different AttributeName: current AttributeName is {}",
                current.attribute
            )));
        }
        Some(_) if enabled => return Err(validation("TimeToLive is already enabled")),
        None | Some(_) => {}
    }
    table.time_to_live = Some(TimeToLive {
        attribute: attribute.to_owned(),
        enabled,
        changed: now,
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::{CREATED, record};

    #[test]
    fn one_attribute_counts_at_a_time() {
        let mut table = record();
        let mut set = |enabled, attribute: &str| {
            let done = super::set(enabled, attribute, &mut table, CREATED);
            done.map_err(|error| error.message().to_owned())
        };
        let other = "TimeToLive is active on a different AttributeName: current AttributeName is a";
        assert_eq!(
            set(false, "a"),
            Err("TimeToLive is already disabled".to_owned())
        );
        assert_eq!(set(true, "a"), Ok(()));
        assert_eq!(
            set(true, "a"),
            Err("TimeToLive is already enabled".to_owned())
        );
        assert_eq!(set(true, "b"), Err(other.to_owned()));
        assert_eq!(set(false, "b"), Err(other.to_owned()));
        assert_eq!(set(false, "a"), Ok(()));
        assert_eq!(set(true, "b"), Ok(()));
    }
}
