//! CreateLogStream.

use headwater_shapes::Nothing;
use headwater_shapes_logs::{CreateLogStreamRequest, ops::CreateLogStream};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Logs, errors::api};

impl Handle<CreateLogStream> for Logs {
    async fn handle(
        &self,
        input: CreateLogStreamRequest,
        _context: &Context,
    ) -> Result<Nothing, ApiError> {
        let CreateLogStreamRequest {
            log_group_name,
            log_stream_name,
        } = input;
        self.groups
            .create_stream(&log_group_name, &log_stream_name)
            .await
            .map_err(api)?;
        Ok(Nothing {})
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_logs::ops::CreateLogStream;
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn a_stream_is_made_once_in_a_group_that_exists() {
        let world = World::with_stream().await;
        let refused = async |group: &str| {
            world
                .refused::<CreateLogStream>(json!({ "logGroupName": group, "logStreamName": "s" }))
                .await
        };
        let text = "The specified log stream already exists";
        assert_eq!(
            refused("g").await,
            ("ResourceAlreadyExistsException".into(), text.into())
        );
        let text = "The specified log group does not exist.";
        assert_eq!(
            refused("none").await,
            ("ResourceNotFoundException".into(), text.into())
        );
    }
}
