//! PutRetentionPolicy.

use headwater_shapes::Nothing;
use headwater_shapes_logs::{PutRetentionPolicyRequest, ops::PutRetentionPolicy};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Logs,
    errors::{api, invalid_parameter},
};

/// The numbers of days that AWS offers (API reference, PutRetentionPolicy).
const DAYS: [u32; 22] = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
];

impl Handle<PutRetentionPolicy> for Logs {
    async fn handle(
        &self,
        input: PutRetentionPolicyRequest,
        _context: &Context,
    ) -> Result<Nothing, ApiError> {
        let PutRetentionPolicyRequest {
            log_group_name,
            retention_in_days,
        } = input;
        let days = DAYS
            .into_iter()
            .find(|days| i64::from(*days) == i64::from(retention_in_days));
        let days = days.ok_or_else(|| {
            invalid_parameter(format!(
                "1 validation error detected: Value '{}' at 'retentionInDays' failed to satisfy constraint: Member \
                 must satisfy enum value set: {DAYS:?}",
                retention_in_days
            ))
        })?;
        self.groups
            .set_retention(&log_group_name, Some(days))
            .await
            .map_err(api)?;
        Ok(Nothing {})
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_logs::ops::PutRetentionPolicy;
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn only_certain_numbers_of_days_are_offered() {
        let world = World::with_stream().await;
        let put =
            |group: &str, days: i32| json!({ "logGroupName": group, "retentionInDays": days });
        world.ok::<PutRetentionPolicy>(put("g", 30)).await;
        assert_eq!(
            world.refused::<PutRetentionPolicy>(put("none", 30)).await.0,
            "ResourceNotFoundException"
        );
        for days in [0, 2, -1, i32::MAX] {
            assert_eq!(
                world.refused::<PutRetentionPolicy>(put("g", days)).await.0,
                "InvalidParameterException"
            );
        }
    }
}
