//! DescribeLimits.

use headwater_shapes_dynamodb::{DescribeLimitsInput, DescribeLimitsOutput, ops::DescribeLimits};
use headwater_wire::{ApiError, Context, Handle};

use crate::Dynamo;

/// Units of an account. (Source: the developer guide, "Quotas in Amazon DynamoDB".)
const ACCOUNT: i64 = 80_000;
/// Units of a table. (Source: as above.)
const TABLE: i64 = 40_000;

impl Handle<DescribeLimits> for Dynamo {
    /// AWS's first limits: clients that plan with them get the same plans.
    async fn handle(
        &self,
        input: DescribeLimitsInput,
        _context: &Context,
    ) -> Result<DescribeLimitsOutput, ApiError> {
        let DescribeLimitsInput {} = input;
        Ok(DescribeLimitsOutput {
            account_max_read_capacity_units: Some(ACCOUNT),
            account_max_write_capacity_units: Some(ACCOUNT),
            table_max_read_capacity_units: Some(TABLE),
            table_max_write_capacity_units: Some(TABLE),
        })
    }
}
