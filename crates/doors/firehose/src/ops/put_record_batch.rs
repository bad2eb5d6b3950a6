//! PutRecordBatch.

use headwater_shapes_firehose::{
    PutRecordBatchInput, PutRecordBatchOutput, PutRecordBatchResponseEntry, Record,
    ops::PutRecordBatch,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Firehose,
    errors::{api, slow_down},
};

impl Handle<PutRecordBatch> for Firehose {
    /// The records that the quota has room for are appended as one. Each of the others fails by itself, as recorded on
    /// AWS (boto3's issue 2804: 450 records of 500).
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
        let failed = accepted.ids.iter().filter(|id| id.is_none()).count();
        Ok(PutRecordBatchOutput {
            failed_put_count: i32::try_from(failed).map_err(ApiError::internal)?,
            encrypted: Some(accepted.encrypted),
            request_responses: accepted.ids.into_iter().map(response).collect(),
        })
    }
}

/// The answer for one record: its id, or that there was no room for it.
fn response(id: Option<String>) -> PutRecordBatchResponseEntry {
    let refusal = id.is_none().then(slow_down);
    PutRecordBatchResponseEntry {
        record_id: id,
        error_code: refusal.as_ref().map(|error| error.code().to_owned()),
        error_message: refusal.map(|error| error.message().to_owned()),
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
    async fn each_record_that_finds_no_room_in_a_second_is_refused_by_itself() {
        let world = World::new().await;
        let destination =
            json!({"RoleARN": "arn:aws:iam::000000000000:role/r", "BucketARN": "arn:aws:s3:::b"});
        let direct = json!({"DeliveryStreamName": "d", "S3DestinationConfiguration": destination});
        world.ok::<ops::CreateDeliveryStream>(direct).await;
        let mebibyte = json!({"Data": "A".repeat(1_048_576)});
        let batch = json!({"DeliveryStreamName": "d", "Records": [mebibyte, mebibyte]});
        let mut failed = Vec::new();
        for _ in 0..4 {
            let output = world.ok::<ops::PutRecordBatch>(batch.clone()).await;
            failed.push(output["FailedPutCount"].as_i64().unwrap());
            for response in output["RequestResponses"].as_array().unwrap() {
                match response["RecordId"].is_string() {
                    true => assert_eq!(response.as_object().unwrap().len(), 1),
                    false => assert_eq!(
                        response,
                        &json!({"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "Slow down."})
                    ),
                }
            }
        }
        // 786,432 bytes a record, of which 5 MiB hold six.
        assert_eq!(failed, [0, 0, 0, 2]);
        let one = json!({"DeliveryStreamName": "d", "Record": mebibyte});
        assert_eq!(
            world.refused::<ops::PutRecord>(one).await,
            refusal("ServiceUnavailableException", "Slow down.")
        );
    }
}
