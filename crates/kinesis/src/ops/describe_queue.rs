//! DescribeQueue.

use headwater_shapes::kinesis::{DescribeQueueInput, DescribeQueueOutput, ops::DescribeQueue};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Kinesis,
    describe::ACTIVE,
    queues::{api, description, queue_id},
};

impl Handle<DescribeQueue> for Kinesis {
    async fn handle(
        &self,
        input: DescribeQueueInput,
        context: &Context,
    ) -> Result<DescribeQueueOutput, ApiError> {
        let id = queue_id(&input.queue_arn, context)?;
        let record = self.queues.get(&id).map_err(|error| api(error, context))?;
        Ok(DescribeQueueOutput { queue_description: description(&record, ACTIVE, context) })
    }
}
