//! StopStreamEncryption.

use headwater_shapes::Nothing;
use headwater_shapes_kinesis::{StopStreamEncryptionInput, ops::StopStreamEncryption};
use headwater_wire::{ApiError, Context, Handle};

use super::start_stream_encryption::check;
use crate::{Kinesis, errors, place::Place};

impl Handle<StopStreamEncryption> for Kinesis {
    /// New records are plain when this returns. The key need not be named as it was at the start: an alias and an ARN
    /// may mean the same one, which cannot be known without a KMS.
    async fn handle(
        &self,
        input: StopStreamEncryptionInput,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let StopStreamEncryptionInput {
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
        let stopped = self.streams.stop_encryption(place.name(context)?).await;
        stopped.map_err(|error| errors::api(error, context))?;
        Ok(Nothing {})
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_kinesis::ops;
    use serde_json::json;

    use crate::testing::{World, refusal};

    /// The effect of stopping is tested beside StartStreamEncryption.
    #[tokio::test]
    async fn stopping_is_checked_and_may_be_repeated() {
        let world = World::with_stream(1).await;
        let stop = |stream: &str, key: &str| json!({"StreamName": stream, "EncryptionType": "KMS", "KeyId": key});
        world
            .ok::<ops::StopStreamEncryption>(stop("s", "alias/a"))
            .await;
        world
            .ok::<ops::StopStreamEncryption>(stop("s", "alias/a"))
            .await;
        let refused = async |input| world.refused::<ops::StopStreamEncryption>(input).await;
        assert_eq!(refused(stop("s", "a")).await.0, "InvalidArgumentException");
        let gone = refusal(
            "ResourceNotFoundException",
            "Stream t under account 000000000000 not found.",
        );
        assert_eq!(refused(stop("t", "alias/a")).await, gone);
    }
}
