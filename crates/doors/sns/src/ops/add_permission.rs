//! AddPermission.

use headwater_shapes::Nothing;
use headwater_shapes_sns::{AddPermissionInput, ops::AddPermission};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Sns,
    errors::{api, of_fault},
    names::nothing,
    permissions::{check_policy, policy_of, with_permission},
};

impl Handle<AddPermission> for Sns {
    async fn handle(
        &self,
        input: AddPermissionInput,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let AddPermissionInput {
            topic_arn,
            label,
            aws_account_id,
            action_name,
        } = input;
        let topic = self.topic(&topic_arn, "SNS:AddPermission", context)?;
        let policy = policy_of(&topic, &topic_arn, &context.account.0);
        let policy = with_permission(&policy, &topic_arn, &label, &aws_account_id, &action_name)?;
        check_policy(&policy).map_err(of_fault)?;
        let set = self.topics.update(&topic.name, move |topic| {
            topic.settings.policy = Some(policy);
            Ok(())
        });
        set.await.map(nothing).map_err(api)
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_sns::ops::{AddPermission, GetTopicAttributes, RemovePermission};
    use serde_json::{Value, json};

    use crate::testing::{TOPIC, World, invalid};

    /// localstack's `test_topic_add_permission`, `…_remove_permission` and `test_add_permission_errors`.
    #[tokio::test]
    async fn permissions_are_statements_of_the_policy() {
        let world = World::with_topic().await;
        let add = |label: &str, action: &str| json!({"TopicArn": TOPIC, "Label": label, "AWSAccountId": ["222222222222"], "ActionName": [action]});
        let policy = async || {
            let got = world
                .ok::<GetTopicAttributes>(json!({"TopicArn": TOPIC}))
                .await;
            serde_json::from_str::<Value>(got["Attributes"]["Policy"].as_str().unwrap()).unwrap()
        };
        let first = policy().await;
        assert_eq!(
            first["Statement"][0]["Condition"]["StringEquals"]["AWS:SourceOwner"],
            "000000000000"
        );
        world.ok::<AddPermission>(add("a", "Publish")).await;
        assert_eq!(
            policy().await["Statement"][1],
            json!({
                "Sid": "a", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::222222222222:root"},
                "Action": "SNS:Publish", "Resource": TOPIC,
            })
        );
        assert_eq!(
            world.refused::<AddPermission>(add("a", "Publish")).await,
            invalid("Statement already exists")
        );
        assert_eq!(
            world
                .refused::<AddPermission>(add("b", "DeleteSomething"))
                .await,
            invalid("Policy statement action out of service scope!")
        );
        let remove = json!({"TopicArn": TOPIC, "Label": "a"});
        world.ok::<RemovePermission>(remove.clone()).await;
        assert_eq!(policy().await, first);
        world.ok::<RemovePermission>(remove).await;
    }
}
