//! DeleteSubscriptionFilter.

use headwater_shapes::Nothing;
use headwater_shapes_logs::{DeleteSubscriptionFilterRequest, ops::DeleteSubscriptionFilter};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Logs, errors::api};

impl Handle<DeleteSubscriptionFilter> for Logs {
    async fn handle(
        &self,
        input: DeleteSubscriptionFilterRequest,
        _context: &Context,
    ) -> Result<Nothing, ApiError> {
        let DeleteSubscriptionFilterRequest {
            log_group_name,
            filter_name,
        } = input;
        let deleted = self
            .groups
            .delete_subscription(&log_group_name, &filter_name);
        deleted.await.map_err(api)?;
        Ok(Nothing {})
    }
}
