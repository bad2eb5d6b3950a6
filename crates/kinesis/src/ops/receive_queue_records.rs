//! ReceiveQueueRecords.

use headwater_queues::Kind;
use headwater_shapes::kinesis::{
    ReceiveQueueRecordsInput, ReceiveQueueRecordsOutput, ops::ReceiveQueueRecords,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, queues::receive_of};

impl Handle<ReceiveQueueRecords> for Kinesis {
    async fn handle(
        &self,
        input: ReceiveQueueRecordsInput,
        context: &Context,
    ) -> Result<ReceiveQueueRecordsOutput, ApiError> {
        let (limit, wait) = (input.limit, input.wait_time_seconds);
        let receive = receive_of(Kind::Records, limit, wait, input.visibility_timeout_seconds);
        let queue_records = self.receive(&input.queue_arn, receive, context).await?;
        Ok(ReceiveQueueRecordsOutput { queue_records })
    }
}
