//! DeleteMetricFilter.

use headwater_shapes::Nothing;
use headwater_shapes_logs::{DeleteMetricFilterRequest, ops::DeleteMetricFilter};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Logs, errors::api};

impl Handle<DeleteMetricFilter> for Logs {
    async fn handle(
        &self,
        input: DeleteMetricFilterRequest,
        _context: &Context,
    ) -> Result<Nothing, ApiError> {
        let DeleteMetricFilterRequest {
            log_group_name,
            filter_name,
        } = input;
        let deleted = self
            .groups
            .delete_metric_filter(&log_group_name, &filter_name);
        deleted.await.map_err(api)?;
        Ok(Nothing {})
    }
}
