//! PutRecordBatch.

use headwater_shapes_firehose::{
    PutRecordBatchInput, PutRecordBatchOutput, PutRecordBatchResponseEntry, Record,
    ops::PutRecordBatch,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Firehose, errors::api};

impl Handle<PutRecordBatch> for Firehose {
    /// The batch is appended as one, so that no record fails by itself.
    async fn handle(
        &self,
        input: PutRecordBatchInput,
        context: &Context,
    ) -> Result<PutRecordBatchOutput, ApiError> {
        let PutRecordBatchInput {
            delivery_stream_name,
            records,
        } = input;
        let records = records.into_iter().map(|Record { data }| data.0).collect();
        let put = self.deliveries.put(&delivery_stream_name, records).await;
        let accepted = put.map_err(|error| api(error, context))?;
        let response = |id| PutRecordBatchResponseEntry {
            record_id: Some(id),
            ..Default::default()
        };
        Ok(PutRecordBatchOutput {
            failed_put_count: 0,
            encrypted: Some(accepted.encrypted),
            request_responses: accepted.ids.into_iter().map(response).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_firehose::ops;
    use serde_json::json;

    use crate::testing::{World, refusal};

    #[tokio::test]
    async fn records_are_taken_where_they_belong() {
        let world = World::new().await;
        let role = "arn:aws:iam::000000000000:role/r";
        let destination = json!({"RoleARN": role, "BucketARN": "arn:aws:s3:::b"});
        let direct = json!({"DeliveryStreamName": "d", "S3DestinationConfiguration": destination});
        world.ok::<ops::CreateDeliveryStream>(direct).await;
        let stream = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
        let reader = json!({"DeliveryStreamName": "r", "DeliveryStreamType": "KinesisStreamAsSource",
            "KinesisStreamSourceConfiguration": {"KinesisStreamARN": stream, "RoleARN": role},
            "S3DestinationConfiguration": destination});
        world.ok::<ops::CreateDeliveryStream>(reader).await;

        let batch = |name: &str, data: &[&str]| {
            let records: Vec<_> = data.iter().map(|data| json!({"Data": data})).collect();
            json!({"DeliveryStreamName": name, "Records": records})
        };
        let output = world
            .ok::<ops::PutRecordBatch>(batch("d", &["YQ==", ""]))
            .await;
        assert_eq!(
            (&output["FailedPutCount"], &output["Encrypted"]),
            (&json!(0), &json!(false))
        );
        assert_eq!(output["RequestResponses"].as_array().unwrap().len(), 2);
        assert_eq!(
            output["RequestResponses"][1]["RecordId"]
                .as_str()
                .unwrap()
                .len(),
            224
        );
        let one = json!({"DeliveryStreamName": "d", "Record": {"Data": "YQ=="}});
        assert_eq!(
            world.ok::<ops::PutRecord>(one).await["RecordId"]
                .as_str()
                .unwrap()
                .len(),
            224
        );

        assert_eq!(
            world
                .refused::<ops::PutRecordBatch>(batch("r", &["YQ=="]))
                .await,
            refusal(
                "InvalidArgumentException",
                "This operation is not permitted on KinesisStreamAsSource delivery stream type."
            )
        );
        assert_eq!(
            world
                .refused::<ops::PutRecordBatch>(batch("x", &["YQ=="]))
                .await,
            refusal(
                "ResourceNotFoundException",
                "Firehose x under account 000000000000 not found."
            )
        );
        let large = "A".repeat(1_365_332);
        assert_eq!(
            world
                .refused::<ops::PutRecordBatch>(batch("d", &[large.as_str(); 5]))
                .await,
            refusal(
                "InvalidArgumentException",
                "Records size exceeds 4 MB limit"
            )
        );
    }
    #[tokio::test]
    async fn too_much_in_a_second_is_refused() {
        let world = World::new().await;
        let destination =
            json!({"RoleARN": "arn:aws:iam::000000000000:role/r", "BucketARN": "arn:aws:s3:::b"});
        let direct = json!({"DeliveryStreamName": "d", "S3DestinationConfiguration": destination});
        world.ok::<ops::CreateDeliveryStream>(direct).await;
        let mebibyte = json!({"Data": "A".repeat(1_048_576)});
        let batch = json!({"DeliveryStreamName": "d", "Records": [mebibyte, mebibyte]});
        for _ in 0..3 {
            world.ok::<ops::PutRecordBatch>(batch.clone()).await;
        }
        assert_eq!(
            world.refused::<ops::PutRecordBatch>(batch).await,
            refusal("ServiceUnavailableException", "Slow down.")
        );
    }
}
