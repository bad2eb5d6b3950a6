//! DeleteLogGroup.

use headwater_shapes::Nothing;
use headwater_shapes_logs::{DeleteLogGroupRequest, ops::DeleteLogGroup};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Logs, errors::api};

impl Handle<DeleteLogGroup> for Logs {
    async fn handle(
        &self,
        input: DeleteLogGroupRequest,
        _context: &Context,
    ) -> Result<Nothing, ApiError> {
        let DeleteLogGroupRequest { log_group_name } = input;
        self.groups
            .delete_group(&log_group_name)
            .await
            .map_err(api)?;
        Ok(Nothing {})
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_logs::ops::{
        DeleteLogGroup, DeleteLogStream, DescribeLogGroups, DescribeLogStreams,
    };
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn groups_and_streams_are_deleted() {
        let world = World::with_stream().await;
        let (group, stream) = (
            json!({ "logGroupName": "g" }),
            json!({ "logGroupName": "g", "logStreamName": "s" }),
        );
        world.ok::<DeleteLogStream>(stream.clone()).await;
        assert_eq!(
            world.ok::<DescribeLogStreams>(group.clone()).await,
            json!({ "logStreams": [] })
        );
        assert_eq!(
            world.refused::<DeleteLogStream>(stream).await.0,
            "ResourceNotFoundException"
        );
        world.ok::<DeleteLogGroup>(group.clone()).await;
        assert_eq!(
            world.ok::<DescribeLogGroups>(json!({})).await,
            json!({ "logGroups": [] })
        );
        assert_eq!(
            world.refused::<DeleteLogGroup>(group).await.0,
            "ResourceNotFoundException"
        );
    }
}
