//! DescribeAccountSettings. Tested with UpdateAccountSettings.

use headwater_shapes_kinesis::{
    DescribeAccountSettingsInput, DescribeAccountSettingsOutput, ops::DescribeAccountSettings,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, account, errors};

impl Handle<DescribeAccountSettings> for Kinesis {
    async fn handle(
        &self,
        input: DescribeAccountSettingsInput,
        context: &Context,
    ) -> Result<DescribeAccountSettingsOutput, ApiError> {
        let DescribeAccountSettingsInput {} = input;
        let commitment = self
            .streams
            .commitment()
            .await
            .map_err(|error| errors::api(error, context))?;
        let described = account::describe(commitment, self.streams.now());
        Ok(DescribeAccountSettingsOutput {
            minimum_throughput_billing_commitment: Some(described),
        })
    }
}
