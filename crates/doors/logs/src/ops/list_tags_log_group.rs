//! ListTagsLogGroup, which AWS has replaced by ListTagsForResource.

use headwater_shapes_logs::{
    ListTagsLogGroupRequest, ListTagsLogGroupResponse, ops::ListTagsLogGroup,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::Logs;

impl Handle<ListTagsLogGroup> for Logs {
    async fn handle(
        &self,
        input: ListTagsLogGroupRequest,
        _context: &Context,
    ) -> Result<ListTagsLogGroupResponse, ApiError> {
        let ListTagsLogGroupRequest { log_group_name } = input;
        Ok(ListTagsLogGroupResponse {
            tags: Some(self.tags(&log_group_name).await?),
        })
    }
}
