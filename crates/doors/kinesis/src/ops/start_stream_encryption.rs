//! StartStreamEncryption.

use headwater_shapes::Nothing;
use headwater_shapes_kinesis::{StartStreamEncryptionInput, ops::StartStreamEncryption};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, describe, errors, place::Place};

impl Handle<StartStreamEncryption> for Kinesis {
    /// The stream is ACTIVE, and encrypts, when this returns.
    async fn handle(
        &self,
        input: StartStreamEncryptionInput,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let StartStreamEncryptionInput {
            stream_name,
            encryption_type,
            key_id,
            stream_arn,
            stream_id,
        } = input;
        let place = Place {
            name: stream_name,
            arn: stream_arn,
            id: stream_id,
        };
        check(&encryption_type, &key_id)?;
        let started = self
            .streams
            .start_encryption(place.name(context)?, key_id)
            .await;
        started.map_err(|error| errors::api(error, context))?;
        Ok(Nothing {})
    }
}

/// That the encryption is KMS under a key named in one of the forms that the model describes. Which key is meant
/// cannot be known without a KMS. AWS's texts are not known.
pub(super) fn check(encryption: &str, key_id: &str) -> Result<(), ApiError> {
    if encryption != describe::KMS {
        return Err(errors::invalid_argument("EncryptionType must be KMS."));
    }
    if is_key(key_id) || is_alias(key_id) || is_arn(key_id) {
        return Ok(());
    }
    Err(errors::invalid_argument(format!(
        "Invalid KeyId: {key_id}. It must be the id of a key, an alias that begins with alias/, or the ARN of either."
    )))
}

/// A UUID, or the id of a key of several regions.
fn is_key(text: &str) -> bool {
    let is_hex =
        |text: &str, length| text.len() == length && text.bytes().all(|b| b.is_ascii_hexdigit());
    let parts: Vec<&str> = text.split('-').collect();
    match parts[..] {
        ["mrk", id] => is_hex(id, 32),
        [a, b, c, d, e] => {
            is_hex(a, 8) && [b, c, d].into_iter().all(|part| is_hex(part, 4)) && is_hex(e, 12)
        }
        _ => false,
    }
}

fn is_alias(text: &str) -> bool {
    let of_alias = |b: u8| b.is_ascii_alphanumeric() || b"/_-".contains(&b);
    text.strip_prefix("alias/")
        .is_some_and(|name| !name.is_empty() && name.bytes().all(of_alias))
}

fn is_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", partition, "kms", region, account, name] = parts[..] else {
        return false;
    };
    let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    let is_name = is_alias(name) || name.strip_prefix("key/").is_some_and(is_key);
    partition.starts_with("aws") && !region.is_empty() && is_account && is_name
}

#[cfg(test)]
mod tests {
    use headwater_shapes_kinesis::ops;
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{World, refusal};

    fn kms(stream: &str) -> Value {
        json!({"StreamName": stream, "EncryptionType": "KMS", "KeyId": "alias/aws/kinesis"})
    }

    #[tokio::test]
    async fn records_say_how_they_are_kept() {
        let world = World::with_stream(1).await;
        let record = json!({"PartitionKey": "k", "Data": "YQ=="});
        let one = json!({"StreamName": "s", "PartitionKey": "k", "Data": "YQ=="});
        let many = json!({"StreamName": "s", "Records": [record]});
        world.ok::<ops::PutRecord>(one.clone()).await;
        world.ok::<ops::StartStreamEncryption>(kms("s")).await;
        assert_eq!(
            world.ok::<ops::PutRecord>(one.clone()).await["EncryptionType"],
            "KMS"
        );
        assert_eq!(
            world.ok::<ops::PutRecords>(many.clone()).await["EncryptionType"],
            "KMS"
        );
        let described = world
            .ok::<ops::DescribeStream>(json!({"StreamName": "s"}))
            .await;
        let summary = world
            .ok::<ops::DescribeStreamSummary>(json!({"StreamName": "s"}))
            .await;
        for stream in [
            &described["StreamDescription"],
            &summary["StreamDescriptionSummary"],
        ] {
            let told = (
                &stream["EncryptionType"],
                &stream["KeyId"],
                &stream["StreamStatus"],
            );
            assert_eq!(
                told,
                (&json!("KMS"), &json!("alias/aws/kinesis"), &json!("ACTIVE"))
            );
        }
        world.ok::<ops::StopStreamEncryption>(kms("s")).await;
        assert_eq!(
            world.ok::<ops::PutRecord>(one).await.get("EncryptionType"),
            None
        );
        assert_eq!(
            world
                .ok::<ops::PutRecords>(many)
                .await
                .get("EncryptionType"),
            None
        );
        let described = world
            .ok::<ops::DescribeStream>(json!({"StreamName": "s"}))
            .await;
        let stream = &described["StreamDescription"];
        assert_eq!(
            (&stream["EncryptionType"], stream.get("KeyId")),
            (&json!("NONE"), None)
        );
        let iterator = world
            .iterator(0, json!({"ShardIteratorType": "TRIM_HORIZON"}))
            .await;
        let read = world
            .ok::<ops::GetRecords>(json!({"ShardIterator": iterator}))
            .await;
        let records = read["Records"].as_array().unwrap();
        let encryption: Vec<_> = records
            .iter()
            .map(|record| record["EncryptionType"].as_str())
            .collect();
        assert_eq!(encryption, [None, Some("KMS"), Some("KMS"), None, None]);
        assert!(
            records
                .iter()
                .all(|record| record["Data"] == "YQ==" && record["PartitionKey"] == "k")
        );
    }

    #[tokio::test]
    async fn what_cannot_be_started_is_refused() {
        let world = World::with_stream(1).await;
        let gone = refusal(
            "ResourceNotFoundException",
            "Stream t under account 000000000000 not found.",
        );
        assert_eq!(
            world.refused::<ops::StartStreamEncryption>(kms("t")).await,
            gone
        );
        let mut none = kms("s");
        none["EncryptionType"] = json!("NONE");
        let text = refusal("InvalidArgumentException", "EncryptionType must be KMS.");
        assert_eq!(
            world.refused::<ops::StartStreamEncryption>(none).await,
            text
        );
    }

    #[test]
    fn keys_are_named_as_the_model_says() {
        let id = "12345678-1234-1234-1234-123456789012";
        let arn = |name: &str| format!("arn:aws:kms:us-east-1:123456789012:{name}");
        let good = [
            id.to_owned(),
            "mrk-1234abcd12ab34cd56ef1234567890ab".to_owned(),
            "alias/MyAliasName".to_owned(),
            arn(&format!("key/{id}")),
            arn("alias/aws/kinesis"),
        ];
        assert!(good.iter().all(|key| check("KMS", key).is_ok()));
        let bad = [
            "key",
            "alias/",
            "alias/a b",
            "12345678-1234-1234-1234-12345678901g",
            "arn:aws:kms:key",
        ];
        let bad = bad
            .map(str::to_owned)
            .into_iter()
            .chain([arn(id), arn("key/x"), arn("alias/")]);
        assert!(bad.into_iter().all(|key| check("KMS", &key).is_err()));
    }
}
