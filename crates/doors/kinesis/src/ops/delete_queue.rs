//! DeleteQueue.

use headwater_shapes::Nothing;
use headwater_shapes_kinesis::{DeleteQueueInput, ops::DeleteQueue};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Kinesis,
    queues::{api, queue_id},
};

impl Handle<DeleteQueue> for Kinesis {
    /// The queue is gone when this returns.
    async fn handle(
        &self,
        input: DeleteQueueInput,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let DeleteQueueInput { queue_arn } = input;
        let id = queue_id(&queue_arn, context)?;
        self.queues
            .delete(&id)
            .await
            .map_err(|error| api(error, context))?;
        Ok(Nothing {})
    }
}
