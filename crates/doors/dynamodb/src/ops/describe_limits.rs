//! DescribeLimits.

use headwater_shapes_dynamodb::{DescribeLimitsInput, DescribeLimitsOutput, ops::DescribeLimits};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Dynamo, billing::UNITS_MAX};

/// Units of an account. (Source: the developer guide, "Quotas in Amazon DynamoDB".)
const ACCOUNT: i64 = 80_000;
/// Units of a table. (Source: as above.)
const TABLE: i64 = 40_000;
/// The most units that can be asked for.
const MOST: i64 = UNITS_MAX.cast_signed();

impl Handle<DescribeLimits> for Dynamo {
    /// AWS's first limits: clients that plan with them get the same plans. Where limits do not hold, the most units that can be
    /// asked for.
    async fn handle(
        &self,
        input: DescribeLimitsInput,
        _context: &Context,
    ) -> Result<DescribeLimitsOutput, ApiError> {
        let DescribeLimitsInput {} = input;
        let (account, table) = match self.tables.is_limited() {
            true => (ACCOUNT, TABLE),
            false => (MOST, MOST),
        };
        Ok(DescribeLimitsOutput {
            account_max_read_capacity_units: Some(account),
            account_max_write_capacity_units: Some(account),
            table_max_read_capacity_units: Some(table),
            table_max_write_capacity_units: Some(table),
        })
    }
}
