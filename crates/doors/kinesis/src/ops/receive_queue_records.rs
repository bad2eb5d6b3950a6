//! ReceiveQueueRecords.

use headwater_queues::Kind;
use headwater_shapes_kinesis::{
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
        let ReceiveQueueRecordsInput {
            queue_arn,
            limit,
            wait_time_seconds,
            visibility_timeout_seconds,
        } = input;
        let (limit, wait) = (limit, wait_time_seconds);
        let receive = receive_of(Kind::Records, limit, wait, visibility_timeout_seconds);
        let queue_records = self.receive(&queue_arn, receive, context).await?;
        Ok(ReceiveQueueRecordsOutput { queue_records })
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_kinesis::ops;
    use serde_json::{Value, json};

    use crate::testing::World;

    const STREAM: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/s";

    #[tokio::test]
    async fn a_record_goes_the_way_from_put_to_dead_letter_and_back() {
        let world = World::new(false).await;
        world
            .ok::<ops::CreateStream>(json!({"StreamName": "s"}))
            .await;
        let new = json!({
            "QueueName": "q",
            "StreamConfigurationList": [{"StreamARN": STREAM}],
            "QueueAttributes": {"DeadLetterConfiguration": {"TargetType": "BUILT_IN", "MaxReceiveCount": 1}},
        });
        let made = world.ok::<ops::CreateQueue>(new).await;
        let queue = made["QueueDescription"]["QueueARN"].clone();
        world.advance(1500);
        let put = json!({"StreamName": "s", "PartitionKey": "kü", "Data": "YQ=="});
        let number = world.ok::<ops::PutRecord>(put).await["SequenceNumber"].take();
        world.advance(1000);
        let mut record = world
            .ok::<ops::ReceiveQueueRecords>(json!({"QueueARN": queue}))
            .await["QueueRecords"][0]
            .take();
        let handle = record["ReceiptHandle"].take();
        assert!(handle.as_str().unwrap().len() <= 1024);
        let expected = json!({
            "ReceiptHandle": null,
            "RecordId": number,
            "PartitionKey": "kü",
            "Data": "YQ==",
            "ApproximateArrivalTimestamp": 1_700_000_001.5,
            "FirstReceiveTimestamp": 1_700_000_002.5,
            "ReceiveCount": 1,
        });
        assert_eq!(record, expected);
        let entries =
            |handle: &Value| json!({"QueueARN": queue, "Entries": [{"ReceiptHandle": handle}]});
        world.advance(30_000);
        let dead = world
            .ok::<ops::ReceiveDeadLetterQueueRecords>(json!({"QueueARN": queue}))
            .await;
        let dead = &dead["QueueRecords"][0]["ReceiptHandle"];
        let late = world
            .ok::<ops::AcknowledgeQueueRecords>(entries(&handle))
            .await;
        assert_eq!(late["Failed"][0]["ErrorCode"], "InvalidArgumentException");
        let restored = world
            .ok::<ops::RestoreDeadLetterQueueRecords>(entries(dead))
            .await;
        assert_eq!(
            restored,
            json!({"Successful": [{"ReceiptHandle": dead}], "Failed": []})
        );
        let again = world
            .ok::<ops::ReceiveQueueRecords>(json!({"QueueARN": queue}))
            .await;
        let again = &again["QueueRecords"][0];
        assert_eq!(
            (&again["ReceiveCount"], &again["RecordId"]),
            (&json!(1), &number)
        );
        let done = world
            .ok::<ops::AcknowledgeQueueRecords>(entries(&again["ReceiptHandle"]))
            .await;
        assert_eq!(done["Failed"], json!([]));
        let gone = world
            .ok::<ops::AcknowledgeQueueRecords>(entries(&again["ReceiptHandle"]))
            .await;
        assert_eq!(gone["Failed"][0]["ErrorCode"], "ResourceNotFoundException");
    }
}
