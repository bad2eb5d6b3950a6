//! Publish: acknowledged when the message is on the disk.

use headwater_shapes_sns::{PublishInput, PublishResponse, ops::Publish};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Sns,
    errors::{api, invalid},
    messages::{Given, message, trace},
};

impl Handle<Publish> for Sns {
    async fn handle(
        &self,
        input: PublishInput,
        context: &Context,
    ) -> Result<PublishResponse, ApiError> {
        let PublishInput {
            topic_arn,
            target_arn,
            phone_number,
            message: text,
            subject,
            message_structure,
            message_attributes,
            message_deduplication_id,
            message_group_id,
        } = input;
        if phone_number.is_some() {
            return Err(ApiError::not_supported("publishing to phone numbers"));
        }
        let arn = match (topic_arn, target_arn) {
            (None, None) => {
                let what = "TopicArn or TargetArn Reason: no value for required parameter";
                return Err(invalid(what));
            }
            (Some(_), Some(_)) => {
                let what = "TopicArn or TargetArn Reason: only one of them may be given";
                return Err(invalid(what));
            }
            (None, Some(target)) if target.contains(":endpoint/") => {
                let what = "TargetArn Reason: No endpoint found for the target arn specified";
                return Err(invalid(what));
            }
            (Some(arn), None) | (None, Some(arn)) => arn,
        };
        let topic = self.topic(&arn, "SNS:Publish", context)?;
        let given = Given {
            message: text,
            subject,
            structure: message_structure,
            attributes: message_attributes,
            deduplication_id: message_deduplication_id,
            group_id: message_group_id,
        };
        let (mut message, _) = message(given, &topic)?;
        message.trace = trace(context);
        let published = self.topics.publish(&topic.name, vec![message]);
        Ok(PublishResponse {
            message_id: published.await.map_err(api)?.pop(),
            sequence_number: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_sns::ops::{Publish, SetTopicAttributes};
    use serde_json::{Value, json};

    use crate::testing::{TOPIC, World, invalid};

    fn with(name: &str, attribute: Value) -> Value {
        json!({"TopicArn": TOPIC, "Message": "m", "MessageAttributes": {name: attribute}})
    }

    /// localstack's `TestSNSPublishCrud`.
    #[tokio::test]
    async fn what_cannot_be_published_is_refused_in_the_words_of_aws() {
        let world = World::with_topic().await;
        let publish = |more: Value| {
            let mut input = json!({"TopicArn": TOPIC, "Message": "m"});
            let more = more.as_object().unwrap().clone();
            input.as_object_mut().unwrap().extend(more);
            input
        };
        let structure = |text: &str| publish(json!({"Message": text, "MessageStructure": "json"}));
        let long = "a".repeat(256 * 1024 + 1);
        for (input, why) in [
            (publish(json!({"Message": ""})), "Empty message"),
            (publish(json!({"Message": long})), "Message too long"),
            (publish(json!({"Subject": ""})), "Subject"),
            (publish(json!({"Subject": "a\nb"})), "Subject"),
            (publish(json!({"Subject": "a".repeat(101)})), "Subject"),
            (
                publish(json!({"MessageDeduplicationId": "x"})),
                "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not \
                 valid for this topic type",
            ),
            (
                structure("{"),
                "Message Structure - JSON message body failed to parse",
            ),
            (
                structure(r#"{"sqs": "x"}"#),
                "Message Structure - No default entry in JSON message body",
            ),
            (
                structure(r#"{"default": {"x": 1}}"#),
                "Message Structure - No default entry in JSON message body",
            ),
            (
                publish(json!({"TopicArn": "randomstring"})),
                "TopicArn Reason: An ARN must have at least 6 elements, not 1",
            ),
            (
                publish(json!({"TopicArn": ""})),
                "TopicArn Reason: An ARN must have at least 6 elements, not 1",
            ),
            (
                publish(json!({"TopicArn": "arn:aws:sns:us-east-2:000000000000:t"})),
                "TopicArn",
            ),
            (
                json!({"TargetArn": "arn:aws:sns:us-east-1:000000000000:endpoint/APNS/a/b", "Message": "m"}),
                "TargetArn Reason: No endpoint found for the target arn specified",
            ),
        ] {
            assert_eq!(world.refused::<Publish>(input).await, invalid(why), "{why}");
        }
        world
            .ok::<Publish>(structure(r#"{"default": "a", "default": "b", "x": 1}"#))
            .await;
        let target = json!({"TargetArn": TOPIC, "Message": "m"});
        assert!(world.ok::<Publish>(target).await["MessageId"].is_string());
        let other = format!("{TOPIC}x");
        let refused = world
            .refused::<Publish>(publish(json!({"TopicArn": other})))
            .await;
        assert_eq!(refused.1, "Topic does not exist");
        let small = json!({"TopicArn": TOPIC, "AttributeName": "MaximumMessageSize", "AttributeValue": "1024"});
        world.ok::<SetTopicAttributes>(small).await;
        let refused = world
            .refused::<Publish>(publish(json!({"Message": "a".repeat(1025)})))
            .await;
        assert_eq!(refused, invalid("Message too long"));
    }

    /// localstack's `test_empty_or_wrong_message_attributes` and `test_message_attributes_prefixes`.
    #[tokio::test]
    async fn attributes_are_checked() {
        let world = World::with_topic().await;
        let empty = |kind: &str| {
            format!(
                "The message attribute 'attr1' must contain non-empty message attribute value for message attribute \
                 type '{kind}'."
            )
        };
        let field = |kind: &str, field: &str| {
            format!("The message attribute 'attr1' with type '{kind}' must use field '{field}'.")
        };
        let prefixes = "The message attribute 'attr1' has an invalid message attribute type, the set of supported \
                        type prefixes is Binary, Number, and String.";
        for (attribute, why) in [
            (
                json!({"DataType": "String", "StringValue": ""}),
                empty("String"),
            ),
            (json!({"DataType": "String"}), empty("String")),
            (
                json!({"DataType": "Binary", "BinaryValue": ""}),
                empty("Binary"),
            ),
            (
                json!({"DataType": "String", "BinaryValue": "AQ=="}),
                field("String", "String"),
            ),
            (
                json!({"DataType": "Number", "BinaryValue": "AQ=="}),
                field("Number", "String"),
            ),
            (
                json!({"DataType": "Binary", "StringValue": "x"}),
                field("Binary", "Binary"),
            ),
            (
                json!({"DataType": "InvalidType", "StringValue": "x"}),
                prefixes.to_owned(),
            ),
            (
                json!({"DataType": "String.", "StringValue": "x"}),
                prefixes.to_owned(),
            ),
            (
                json!({"DataType": "Number", "StringValue": "x"}),
                "Could not cast message attribute 'attr1' value to number.".to_owned(),
            ),
        ] {
            let refused = world.refused::<Publish>(with("attr1", attribute)).await;
            assert_eq!(refused, ("ParameterValueInvalid".to_owned(), why));
        }
        let text = json!({"DataType": "String.Any", "StringValue": "x"});
        let long = "a".repeat(257);
        for (name, why) in [
            (
                &*long,
                "Length of message attribute name must be less than 256 bytes.",
            ),
            (
                "a^b",
                "Invalid non-alphanumeric character '#x5E' was found in the message attribute name. Can only include \
                 alphanumeric characters, hyphens, underscores, or dots.",
            ),
            (
                ".a",
                "Invalid message attribute name starting with character '.' was found.",
            ),
            (
                "a.",
                "Invalid message attribute name ending with character '.' was found.",
            ),
            (
                "a..b",
                "Message attribute name can not have successive '.' character.",
            ),
        ] {
            assert_eq!(
                world.refused::<Publish>(with(name, text.clone())).await.1,
                why
            );
        }
        world.ok::<Publish>(with("attr1", text)).await;
    }
}
