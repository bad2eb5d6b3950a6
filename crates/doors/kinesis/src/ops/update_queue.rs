//! UpdateQueue.

use headwater_shapes_kinesis::{UpdateQueueInput, UpdateQueueOutput, ops::UpdateQueue};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Kinesis,
    queues::{api, changes, description, queue_id},
};

impl Handle<UpdateQueue> for Kinesis {
    /// The queue goes by its new attributes when this returns; the answer says UPDATING, as AWS's does.
    async fn handle(
        &self,
        input: UpdateQueueInput,
        context: &Context,
    ) -> Result<UpdateQueueOutput, ApiError> {
        let UpdateQueueInput {
            queue_arn,
            queue_attributes,
        } = input;
        let id = queue_id(&queue_arn, context)?;
        let changes = changes(queue_attributes)?;
        let record = self
            .queues
            .update(&id, changes)
            .await
            .map_err(|error| api(error, context))?;
        Ok(UpdateQueueOutput {
            queue_description: description(&record, "UPDATING", context),
        })
    }
}
