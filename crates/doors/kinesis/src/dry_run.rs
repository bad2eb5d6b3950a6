//! `DryRun`: requests that are only to be tried.
//!
//! The model says that the member checks whether a request will succeed, and names the error that such a request ends
//! with. Its text is that of KMS, whose member of that name is documented in the same words. Checks that depend on the
//! moment, such as a shard's limits, is not tried.

use headwater_shapes_kinesis::errors::DRY_RUN_OPERATION_EXCEPTION;
use headwater_wire::ApiError;

/// Ends a request here that is only to be tried, after `last`, the checks that it otherwise meets further on.
pub(crate) fn end(
    asked: Option<bool>,
    last: impl FnOnce() -> Result<(), ApiError>,
) -> Result<(), ApiError> {
    if asked != Some(true) {
        return Ok(());
    }
    last()?;
    let text = "The request would have succeeded, but the DryRun option is set.";
    Err(ApiError::of(&DRY_RUN_OPERATION_EXCEPTION, text))
}

#[cfg(test)]
mod tests {
    use headwater_shapes::Blob;
    use headwater_shapes_kinesis::ops;
    use serde_json::json;

    use crate::testing::{World, refusal};

    #[tokio::test]
    async fn a_request_that_is_tried_is_checked_and_not_made() {
        let world = World::with_stream(1).await;
        let would = refusal(
            "DryRunOperationException",
            "The request would have succeeded, but the DryRun option is set.",
        );
        let one = |data: usize| {
            let data = Blob(vec![0; data].into());
            json!({"StreamName": "s", "PartitionKey": "k", "Data": data, "DryRun": true})
        };
        let many = |key: &str| {
            let record = json!({"PartitionKey": "k", "Data": "", "ExplicitHashKey": key});
            json!({"StreamName": "s", "Records": [record], "DryRun": true})
        };
        assert_eq!(world.refused::<ops::PutRecord>(one(1)).await, would);
        assert_eq!(
            world.refused::<ops::PutRecord>(one(1_048_577)).await.0,
            "ValidationException"
        );
        assert_eq!(world.refused::<ops::PutRecords>(many("0")).await, would);
        let beyond = (u128::MAX.to_string() + "0").to_owned();
        assert_eq!(
            world.refused::<ops::PutRecords>(many(&beyond)).await.0,
            "InvalidArgumentException"
        );

        let position = |shard: &str| json!({"StreamName": "s", "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON", "DryRun": true});
        assert_eq!(
            world.refused::<ops::GetShardIterator>(position("0")).await,
            would
        );
        assert_eq!(
            world
                .refused::<ops::GetShardIterator>(position("1"))
                .await
                .0,
            "ResourceNotFoundException"
        );
        let iterator = world
            .iterator(0, json!({"ShardIteratorType": "TRIM_HORIZON"}))
            .await;
        let read = world
            .ok::<ops::GetRecords>(json!({"ShardIterator": iterator, "DryRun": false}))
            .await;
        assert_eq!(read["Records"], json!([]), "nothing was put");
        let read = |iterator: &str| json!({"ShardIterator": iterator, "DryRun": true});
        assert_eq!(
            world.refused::<ops::GetRecords>(read(&iterator)).await,
            would
        );
        assert_eq!(
            world.refused::<ops::GetRecords>(read("x")).await.0,
            "InvalidArgumentException"
        );
    }

    #[tokio::test]
    async fn a_subscription_that_is_tried_is_none() {
        let world = World::new(true).await;
        world
            .ok::<ops::CreateStream>(json!({"StreamName": "s", "ShardCount": 1}))
            .await;
        let stream = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
        let register = json!({"StreamARN": stream, "ConsumerName": "c"});
        let consumer =
            world.ok::<ops::RegisterStreamConsumer>(register).await["Consumer"]["ConsumerARN"]
                .clone();
        let subscribe = |dry: bool| {
            let latest = json!({"Type": "LATEST"});
            json!({"ConsumerARN": consumer, "ShardId": "0", "StartingPosition": latest, "DryRun": dry})
        };
        let tried = world
            .output::<ops::SubscribeToShard>(subscribe(true))
            .await
            .err()
            .unwrap();
        assert_eq!(tried.0, "DryRunOperationException");
        assert!(
            world
                .output::<ops::SubscribeToShard>(subscribe(false))
                .await
                .is_ok(),
            "no other is in its way"
        );
    }
}
