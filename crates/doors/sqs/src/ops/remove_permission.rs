//! RemovePermission.

use headwater_shapes::Nothing;
use headwater_shapes_sqs::{RemovePermissionRequest, ops::RemovePermission};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Sqs, policy};

impl Handle<RemovePermission> for Sqs {
    async fn handle(
        &self,
        input: RemovePermissionRequest,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let RemovePermissionRequest { queue_url, label } = input;
        let queue = self.queue(&queue_url, context)?;
        self.alter(&queue, context, move |queue| {
            queue.policy = policy::without(queue, &label)?.map(Into::into);
            Ok(())
        })
        .await?;
        Ok(Nothing {})
    }
}
