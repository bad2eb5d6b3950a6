//! PutResourcePolicy.

use headwater_shapes::{
    Nothing,
    kinesis::{PutResourcePolicyInput, ops::PutResourcePolicy},
};
use headwater_wire::{ApiError, Context, Handle};

use crate::Kinesis;

impl Handle<PutResourcePolicy> for Kinesis {
    /// Refused: a policy that is kept and not enforced would be worse than none.
    async fn handle(&self, input: PutResourcePolicyInput, context: &Context) -> Result<Nothing, ApiError> {
        self.owned(input.resource_arn, input.stream_id, context)?;
        if serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&input.policy).is_err() {
            return Err(crate::errors::invalid_argument("Policy is not a JSON object."));
        }
        Err(ApiError::not_supported("resource policies, as it would not enforce them"))
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes::kinesis::ops;
    use serde_json::json;

    use crate::testing::{World, refusal};

    #[tokio::test]
    async fn there_are_no_policies() {
        let world = World::with_stream(1).await;
        let arn = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
        let put = async |arn: &str, policy: &str| {
            world.refused::<ops::PutResourcePolicy>(json!({"ResourceARN": arn, "Policy": policy})).await
        };
        assert_eq!(put(arn, "{}").await.0, "NotImplemented");
        assert_eq!(put(arn, "no JSON").await.0, "InvalidArgumentException");
        let gone = refusal("ResourceNotFoundException", "Stream t under account 000000000000 not found.");
        assert_eq!(put(&arn.replace("/s", "/t"), "{}").await, gone);
        let got = world.ok::<ops::GetResourcePolicy>(json!({"ResourceARN": arn})).await;
        assert_eq!(got, json!({"Policy": "{}"}));
        let (code, _) = world.refused::<ops::DeleteResourcePolicy>(json!({"ResourceARN": arn})).await;
        assert_eq!(code, "ResourceNotFoundException");
    }
}
