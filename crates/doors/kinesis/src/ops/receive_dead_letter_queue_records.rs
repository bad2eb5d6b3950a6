//! ReceiveDeadLetterQueueRecords.

use headwater_queues::Kind;
use headwater_shapes_kinesis::{
    ReceiveDeadLetterQueueRecordsInput, ReceiveDeadLetterQueueRecordsOutput,
    ops::ReceiveDeadLetterQueueRecords,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, queues::receive_of};

impl Handle<ReceiveDeadLetterQueueRecords> for Kinesis {
    async fn handle(
        &self,
        input: ReceiveDeadLetterQueueRecordsInput,
        context: &Context,
    ) -> Result<ReceiveDeadLetterQueueRecordsOutput, ApiError> {
        let ReceiveDeadLetterQueueRecordsInput {
            queue_arn,
            limit,
            wait_time_seconds,
            visibility_timeout_seconds,
        } = input;
        let (limit, wait) = (limit, wait_time_seconds);
        let receive = receive_of(Kind::DeadLetters, limit, wait, visibility_timeout_seconds);
        let queue_records = self.receive(&queue_arn, receive, context).await?;
        Ok(ReceiveDeadLetterQueueRecordsOutput { queue_records })
    }
}
