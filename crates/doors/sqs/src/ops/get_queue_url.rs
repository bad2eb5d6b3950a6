//! GetQueueUrl.

use headwater_shapes_sqs::{GetQueueUrlRequest, GetQueueUrlResult, ops::GetQueueUrl};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Sqs, errors::missing, place::url};

impl Handle<GetQueueUrl> for Sqs {
    async fn handle(
        &self,
        input: GetQueueUrlRequest,
        context: &Context,
    ) -> Result<GetQueueUrlResult, ApiError> {
        let GetQueueUrlRequest {
            queue_name,
            queue_owner_aws_account_id,
        } = input;
        if queue_name.is_empty() {
            return Err(missing("QueueName"));
        }
        let owner = queue_owner_aws_account_id.unwrap_or_else(|| context.caller.account.0.clone());
        let queue = self.queue_named(&owner, &queue_name, context)?;
        let queue_url = Some(url(&queue.name, context));
        Ok(GetQueueUrlResult { queue_url })
    }
}
