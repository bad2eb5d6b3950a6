//! UpdateAccountSettings.

use headwater_shapes_kinesis::{
    MinimumThroughputBillingCommitmentInput, UpdateAccountSettingsInput,
    UpdateAccountSettingsOutput, ops::UpdateAccountSettings,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, account, errors};

impl Handle<UpdateAccountSettings> for Kinesis {
    async fn handle(
        &self,
        input: UpdateAccountSettingsInput,
        context: &Context,
    ) -> Result<UpdateAccountSettingsOutput, ApiError> {
        let UpdateAccountSettingsInput {
            minimum_throughput_billing_commitment,
        } = input;
        let MinimumThroughputBillingCommitmentInput { status } =
            minimum_throughput_billing_commitment;
        let on = status == "ENABLED";
        let changed = self.streams.commit_to_throughput(on).await;
        let commitment = changed.map_err(|error| errors::api(error, context))?;
        let described = account::describe(commitment, self.streams.now());
        Ok(UpdateAccountSettingsOutput {
            minimum_throughput_billing_commitment: Some(described),
        })
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_kinesis::ops;
    use serde_json::{Value, json};

    use crate::testing::World;

    const HOUR: u64 = 3_600_000;

    fn to(status: &str) -> Value {
        json!({"MinimumThroughputBillingCommitment": {"Status": status}})
    }

    #[tokio::test]
    async fn a_commitment_ends_after_a_day_at_the_earliest() {
        let world = World::new(true).await;
        let described = async || world.ok::<ops::DescribeAccountSettings>(json!({})).await;
        assert_eq!(described().await, to("DISABLED"));
        let day = 1_700_086_400;
        let commitment = |status: &str| {
            json!({"MinimumThroughputBillingCommitment": {
                "Status": status,
                "StartedAt": 1_700_000_000,
                "EarliestAllowedEndAt": day,
            }})
        };
        assert_eq!(
            world.ok::<ops::UpdateAccountSettings>(to("ENABLED")).await,
            commitment("ENABLED")
        );
        world.advance(HOUR);
        let ending = commitment("ENABLED_UNTIL_EARLIEST_ALLOWED_END");
        assert_eq!(
            world.ok::<ops::UpdateAccountSettings>(to("DISABLED")).await,
            ending
        );
        assert_eq!(described().await, ending);
        world.advance(23 * HOUR);
        let over = json!({"MinimumThroughputBillingCommitment": {
            "Status": "DISABLED",
            "StartedAt": 1_700_000_000,
            "EndedAt": day,
        }});
        assert_eq!(described().await, over);
    }
}
