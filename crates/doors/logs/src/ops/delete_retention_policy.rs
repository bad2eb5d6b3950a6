//! DeleteRetentionPolicy: events are kept for ever then.

use headwater_shapes::Nothing;
use headwater_shapes_logs::{DeleteRetentionPolicyRequest, ops::DeleteRetentionPolicy};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Logs, errors::api};

impl Handle<DeleteRetentionPolicy> for Logs {
    async fn handle(
        &self,
        input: DeleteRetentionPolicyRequest,
        _context: &Context,
    ) -> Result<Nothing, ApiError> {
        let DeleteRetentionPolicyRequest { log_group_name } = input;
        let set = self.groups.set_retention(&log_group_name, None);
        set.await.map_err(api)?;
        Ok(Nothing {})
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_logs::ops::{
        DeleteRetentionPolicy, DescribeLogGroups, PutRetentionPolicy,
    };
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn events_are_kept_for_ever_again() {
        let world = World::with_stream().await;
        let days = json!({ "logGroupName": "g", "retentionInDays": 7 });
        world.ok::<PutRetentionPolicy>(days).await;
        world
            .ok::<DeleteRetentionPolicy>(json!({ "logGroupName": "g" }))
            .await;
        let found = world.ok::<DescribeLogGroups>(json!({})).await;
        assert_eq!(found["logGroups"][0].get("retentionInDays"), None);
        let none = json!({ "logGroupName": "none" });
        assert_eq!(
            world.refused::<DeleteRetentionPolicy>(none).await.0,
            "ResourceNotFoundException"
        );
    }
}
