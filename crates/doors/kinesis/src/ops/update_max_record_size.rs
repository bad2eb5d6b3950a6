//! UpdateMaxRecordSize.

use headwater_shapes::Nothing;
use headwater_shapes_kinesis::{UpdateMaxRecordSizeInput, ops::UpdateMaxRecordSize};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, errors, place::Place};

impl Handle<UpdateMaxRecordSize> for Kinesis {
    async fn handle(
        &self,
        input: UpdateMaxRecordSizeInput,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let UpdateMaxRecordSizeInput {
            stream_arn,
            stream_id,
            max_record_size_in_kib,
        } = input;
        let place = Place {
            name: None,
            arn: stream_arn,
            id: stream_id,
        };
        let bytes = max_record_size_in_kib.unsigned_abs() * 1024;
        let changed = self
            .streams
            .limit_records(place.name(context)?, bytes)
            .await;
        changed.map_err(|error| errors::api(error, context))?;
        Ok(Nothing {})
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_kinesis::ops;
    use serde_json::json;

    use crate::testing::{World, refusal};

    #[tokio::test]
    async fn records_may_have_up_to_ten_mebibytes() {
        let world = World::with_stream(1).await;
        let to = |stream: &str, kib: u32| {
            let arn = format!("arn:aws:kinesis:us-east-1:000000000000:stream/{stream}");
            json!({"StreamARN": arn, "MaxRecordSizeInKiB": kib})
        };
        let put = json!({"StreamName": "s", "PartitionKey": "k", "Data": "AAAA".repeat(1 << 19)});
        let refused = world.refused::<ops::PutRecord>(put.clone()).await;
        assert!(
            refused.1.ends_with("less than or equal to 1048576"),
            "{}",
            refused.1
        );
        world.ok::<ops::UpdateMaxRecordSize>(to("s", 10_240)).await;
        world.ok::<ops::PutRecord>(put).await;
        let described = world
            .ok::<ops::DescribeStreamSummary>(json!({"StreamName": "s"}))
            .await;
        assert_eq!(
            described["StreamDescriptionSummary"]["MaxRecordSizeInKiB"],
            10_240
        );
        let gone = refusal(
            "ResourceNotFoundException",
            "Stream t under account 000000000000 not found.",
        );
        assert_eq!(
            world
                .refused::<ops::UpdateMaxRecordSize>(to("t", 2048))
                .await,
            gone
        );
    }
}
