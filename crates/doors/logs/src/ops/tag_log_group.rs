//! TagLogGroup, which AWS has replaced by TagResource.

use headwater_shapes::Nothing;
use headwater_shapes_logs::{TagLogGroupRequest, ops::TagLogGroup};
use headwater_wire::{ApiError, Context, Handle};

use crate::Logs;

impl Handle<TagLogGroup> for Logs {
    async fn handle(
        &self,
        input: TagLogGroupRequest,
        _context: &Context,
    ) -> Result<Nothing, ApiError> {
        let TagLogGroupRequest {
            log_group_name,
            tags,
        } = input;
        self.change_tags(&log_group_name, tags, Vec::new()).await?;
        Ok(Nothing {})
    }
}
