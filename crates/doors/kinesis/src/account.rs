//! The account's commitment to a minimum throughput, and the warm throughput that it unlocks.

use headwater_shapes_kinesis::MinimumThroughputBillingCommitmentOutput;
use headwater_streams::Commitment;
use headwater_types::Millis;
use headwater_wire::ApiError;

use crate::{Kinesis, describe, errors};

impl Kinesis {
    /// The warm throughput that is asked for, if it may be: in accounts with a commitment, and up to 10 GiB a second.
    pub(crate) async fn warm_throughput(&self, mib: Option<i32>) -> Result<Option<u32>, ApiError> {
        let Some(mib) = mib.map(i32::unsigned_abs) else {
            return Ok(None);
        };
        let commitment = self
            .streams
            .commitment()
            .await
            .map_err(ApiError::internal)?;
        if !commitment.is_on(self.streams.now()) {
            return Err(errors::invalid_argument(
                "WarmThroughputMiBps needs MinimumThroughputBillingCommitment to be enabled: see UpdateAccountSettings.",
            ));
        }
        if mib > MAX_WARM_MIB {
            return Err(errors::invalid_argument(format!(
                "WarmThroughputMiBps must not be over {MAX_WARM_MIB}."
            )));
        }
        Ok(Some(mib))
    }
}

const MAX_WARM_MIB: u32 = 10 * 1024;

/// A commitment as AWS describes it.
pub(crate) fn describe(
    commitment: Commitment,
    now: Millis,
) -> MinimumThroughputBillingCommitmentOutput {
    let status = match (commitment.is_on(now), commitment.ends) {
        (true, None) => "ENABLED",
        (true, Some(_)) => "ENABLED_UNTIL_EARLIEST_ALLOWED_END",
        (false, _) => "DISABLED",
    };
    let earliest = commitment.earliest_end().filter(|_| commitment.is_on(now));
    MinimumThroughputBillingCommitmentOutput {
        status: status.to_owned(),
        started_at: commitment.started.map(describe::timestamp),
        ended_at: commitment
            .ends
            .filter(|ends| *ends <= now)
            .map(describe::timestamp),
        earliest_allowed_end_at: earliest.map(describe::timestamp),
    }
}
