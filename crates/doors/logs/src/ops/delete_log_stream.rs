//! DeleteLogStream; tested with DeleteLogGroup.

use headwater_shapes::Nothing;
use headwater_shapes_logs::{DeleteLogStreamRequest, ops::DeleteLogStream};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Logs, errors::api};

impl Handle<DeleteLogStream> for Logs {
    async fn handle(
        &self,
        input: DeleteLogStreamRequest,
        _context: &Context,
    ) -> Result<Nothing, ApiError> {
        let DeleteLogStreamRequest {
            log_group_name,
            log_stream_name,
        } = input;
        self.groups
            .delete_stream(&log_group_name, &log_stream_name)
            .await
            .map_err(api)?;
        Ok(Nothing {})
    }
}
