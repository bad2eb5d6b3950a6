//! AddPermission.

use headwater_shapes::Nothing;
use headwater_shapes_sqs::{AddPermissionRequest, ops::AddPermission};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Sqs, place::arn, policy};

impl Handle<AddPermission> for Sqs {
    async fn handle(
        &self,
        input: AddPermissionRequest,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let AddPermissionRequest {
            queue_url,
            label,
            aws_account_ids,
            actions,
        } = input;
        let queue = self.queue(&queue_url, context)?;
        let arn = arn(&queue.name, context);
        self.alter(&queue, context, move |queue| {
            let text = policy::with(queue, &arn, &label, &aws_account_ids, &actions)?;
            queue.policy = Some(text.into());
            Ok(())
        })
        .await?;
        Ok(Nothing {})
    }
}
