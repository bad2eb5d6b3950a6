//! RemovePermission.

use headwater_shapes::Nothing;
use headwater_shapes_sns::{RemovePermissionInput, ops::RemovePermission};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Sns,
    errors::api,
    names::nothing,
    permissions::{policy_of, without_permission},
};

impl Handle<RemovePermission> for Sns {
    async fn handle(
        &self,
        input: RemovePermissionInput,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let RemovePermissionInput { topic_arn, label } = input;
        let topic = self.topic(&topic_arn, "SNS:RemovePermission", context)?;
        let policy = policy_of(&topic, &topic_arn, &context.account.0);
        let policy = without_permission(&policy, &label)?;
        let set = self.topics.update(&topic.name, move |topic| {
            topic.settings.policy = Some(policy);
            Ok(())
        });
        set.await.map(nothing).map_err(api)
    }
}
