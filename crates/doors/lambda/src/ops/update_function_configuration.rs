//! UpdateFunctionConfiguration.

use headwater_shapes_lambda::{
    FunctionConfiguration, UpdateFunctionConfigurationRequest, ops::UpdateFunctionConfiguration,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Lambda,
    describe::{self, Stage},
    errors, layers, settings,
    target::Target,
};

impl Handle<UpdateFunctionConfiguration> for Lambda {
    async fn handle(
        &self,
        mut input: UpdateFunctionConfigurationRequest,
        context: &Context,
    ) -> Result<FunctionConfiguration, ApiError> {
        let options = self.functions.options();
        let target = Target::whole(&input.function_name, options)?;
        let revision = input.revision_id.take();
        let layers = layers::resolve(&self.functions, input.layers.take(), context).await?;
        let place = settings::dead_letters(input.dead_letter_config.clone())?.flatten();
        self.check_dead_letters(place.as_ref(), &target).await?;
        let change = settings::update(input, layers, &target)?;
        let updated = self
            .functions
            .update_configuration(&target.name, revision.as_deref(), change)
            .await;
        let function = updated.map_err(|error| errors::api(error, &target.arn))?;
        let arn = target.arn.to_string();
        Ok(describe::configuration(
            &function,
            arn,
            options,
            Stage::Updating,
        ))
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_lambda::ops::{CreateFunction, UpdateFunctionConfiguration};
    use serde_json::json;

    use crate::testing::{World, function};

    #[tokio::test]
    async fn what_is_given_changes_and_the_rest_stays() {
        let world = World::new().await;
        let made = world.ok::<CreateFunction>(function("f")).await;
        let change = json!({
            "FunctionName": "f", "Timeout": 30, "Description": "d", "Environment": { "Variables": { "AB": "c" } },
        });
        let mut expected = made.clone();
        let changed = world.ok::<UpdateFunctionConfiguration>(change).await;
        for (member, value) in [
            ("Timeout", json!(30)),
            ("Description", json!("d")),
            ("Environment", json!({ "Variables": { "AB": "c" } })),
            ("RevisionId", changed["RevisionId"].clone()),
            ("LastModified", changed["LastModified"].clone()),
            ("State", json!("Active")),
            ("LastUpdateStatus", json!("InProgress")),
            ("LastUpdateStatusReason", made["StateReason"].clone()),
            (
                "LastUpdateStatusReasonCode",
                made["StateReasonCode"].clone(),
            ),
        ] {
            expected[member] = value;
        }
        for member in ["StateReason", "StateReasonCode"] {
            expected.as_object_mut().unwrap().remove(member);
        }
        assert_eq!(changed, expected);
        assert_ne!(changed["RevisionId"], made["RevisionId"]);
        for (member, value, code) in [
            (
                "Layers",
                json!(["arn:aws:lambda:us-east-1:000000000000:layer:l:1"]),
                "InvalidParameterValueException",
            ),
            ("Timeout", json!(0), "InvalidParameterValueException"),
            ("RevisionId", json!("stale"), "PreconditionFailedException"),
        ] {
            let refused = world
                .refused::<UpdateFunctionConfiguration>(
                    json!({ "FunctionName": "f", member: value }),
                )
                .await;
            assert_eq!(refused.0, code);
        }
    }
}
