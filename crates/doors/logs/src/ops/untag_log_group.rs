//! UntagLogGroup, which AWS has replaced by UntagResource.

use std::collections::BTreeMap;

use headwater_shapes::Nothing;
use headwater_shapes_logs::{UntagLogGroupRequest, ops::UntagLogGroup};
use headwater_wire::{ApiError, Context, Handle};

use crate::Logs;

impl Handle<UntagLogGroup> for Logs {
    async fn handle(
        &self,
        input: UntagLogGroupRequest,
        _context: &Context,
    ) -> Result<Nothing, ApiError> {
        let UntagLogGroupRequest {
            log_group_name,
            tags,
        } = input;
        self.change_tags(&log_group_name, BTreeMap::new(), tags)
            .await?;
        Ok(Nothing {})
    }
}
