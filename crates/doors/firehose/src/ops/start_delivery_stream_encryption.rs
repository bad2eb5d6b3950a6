//! StartDeliveryStreamEncryption.

use headwater_shapes_firehose::{
    StartDeliveryStreamEncryptionInput, StartDeliveryStreamEncryptionOutput,
    ops::StartDeliveryStreamEncryption,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Firehose, encryption, errors::api};

impl Handle<StartDeliveryStreamEncryption> for Firehose {
    async fn handle(
        &self,
        input: StartDeliveryStreamEncryptionInput,
        context: &Context,
    ) -> Result<StartDeliveryStreamEncryptionOutput, ApiError> {
        let StartDeliveryStreamEncryptionInput {
            delivery_stream_name,
            delivery_stream_encryption_configuration_input,
        } = input;
        let encryption = Some(encryption::of_request(
            delivery_stream_encryption_configuration_input,
        )?);
        let changed = self
            .deliveries
            .encrypt(&delivery_stream_name, encryption)
            .await;
        changed
            .map(|()| StartDeliveryStreamEncryptionOutput {})
            .map_err(|error| api(error, context))
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_firehose::ops;
    use serde_json::json;

    use crate::testing::{World, refusal};

    #[tokio::test]
    async fn records_are_encrypted_from_now_on_and_the_key_is_told() {
        let world = World::new().await;
        world.direct("d").await;
        let put = json!({"DeliveryStreamName": "d", "Record": {"Data": "YQ=="}});
        let name = json!({"DeliveryStreamName": "d"});
        assert_eq!(
            world.ok::<ops::PutRecord>(put.clone()).await["Encrypted"],
            json!(false)
        );
        let key = "arn:aws:kms:us-east-1:000000000000:key/k";
        let managed = json!({"DeliveryStreamName": "d",
            "DeliveryStreamEncryptionConfigurationInput": {"KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": key}});
        for (input, told) in [
            (
                name.clone(),
                json!({"KeyType": "AWS_OWNED_CMK", "Status": "ENABLED"}),
            ),
            (
                managed,
                json!({"KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": key, "Status": "ENABLED"}),
            ),
        ] {
            world.ok::<ops::StartDeliveryStreamEncryption>(input).await;
            assert_eq!(world.encryption("d").await, told);
            assert_eq!(
                world.ok::<ops::PutRecord>(put.clone()).await["Encrypted"],
                json!(true)
            );
        }
        world.ok::<ops::StopDeliveryStreamEncryption>(name).await;
        assert_eq!(world.encryption("d").await, json!({"Status": "DISABLED"}));
        assert_eq!(
            world.ok::<ops::PutRecord>(put).await["Encrypted"],
            json!(false)
        );
    }

    #[tokio::test]
    async fn a_key_belongs_to_its_type_and_changes_are_counted() {
        let world = World::new().await;
        world.direct("d").await;
        for (wrong, text) in [
            (
                json!({"KeyType": "CUSTOMER_MANAGED_CMK"}),
                "KeyARN must be specified when KeyType is CUSTOMER_MANAGED_CMK.",
            ),
            (
                json!({"KeyType": "AWS_OWNED_CMK", "KeyARN": "arn:aws:kms:us-east-1:000000000000:key/k"}),
                "KeyARN must not be specified when KeyType is AWS_OWNED_CMK.",
            ),
        ] {
            let input = json!({"DeliveryStreamName": "d", "DeliveryStreamEncryptionConfigurationInput": wrong});
            let refused = world
                .refused::<ops::StartDeliveryStreamEncryption>(input)
                .await;
            assert_eq!(refused, refusal("InvalidArgumentException", text));
        }
        let name = json!({"DeliveryStreamName": "d"});
        for _ in 0..25 {
            world
                .ok::<ops::StopDeliveryStreamEncryption>(name.clone())
                .await;
        }
        let (code, _) = world
            .refused::<ops::StartDeliveryStreamEncryption>(name)
            .await;
        assert_eq!(code, "LimitExceededException");
    }
}
