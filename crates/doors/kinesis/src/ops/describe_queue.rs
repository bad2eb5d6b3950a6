//! DescribeQueue.

use headwater_shapes_kinesis::{DescribeQueueInput, DescribeQueueOutput, ops::DescribeQueue};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, describe::ACTIVE, queues::description};

impl Handle<DescribeQueue> for Kinesis {
    async fn handle(
        &self,
        input: DescribeQueueInput,
        context: &Context,
    ) -> Result<DescribeQueueOutput, ApiError> {
        let DescribeQueueInput { queue_arn } = input;
        let record = self.queue(&queue_arn, context)?;
        Ok(DescribeQueueOutput {
            queue_description: description(&record, ACTIVE, context),
        })
    }
}
